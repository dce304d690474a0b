"""The recorded quantities, one per file: its inputs, when it is measured, its table, its summary.

Storing, reading, comparison, export and documentation all follow ``QUANTITIES``.
"""

from rnnlab.training.quantities.eigenvalues import Eigenvalues
from rnnlab.training.quantities.gates import Gates
from rnnlab.training.quantities.gradients import Gradients
from rnnlab.training.quantities.jacobian_paths import JacobianPaths
from rnnlab.training.quantities.lyapunov import Lyapunov
from rnnlab.training.quantities.means import Means
from rnnlab.training.quantities.quantity import Quantity
from rnnlab.training.quantities.training import TrainingCurves

# By the name of the table; every list of quantities has this order.
QUANTITIES: dict[str, Quantity] = {
    quantity.name: quantity
    for quantity in (
        TrainingCurves(),
        Gates(),
        Gradients(),
        Means(),
        JacobianPaths(),
        Lyapunov(),
        Eigenvalues(),
    )
}
