"""The recorded quantities, each in a file of its own: what it reads, when, its table, its summary.

What is stored, read, compared, exported and documented follows from ``QUANTITIES``.
"""

from rnnlab.training.quantities.eigenvalues import Eigenvalues
from rnnlab.training.quantities.gates import Gates
from rnnlab.training.quantities.gradients import Gradients
from rnnlab.training.quantities.jacobian_paths import JacobianPaths
from rnnlab.training.quantities.lyapunov import Lyapunov
from rnnlab.training.quantities.means import Means
from rnnlab.training.quantities.quantity import Quantity
from rnnlab.training.quantities.training import TrainingCurves

# By the name of the table; in this order wherever they are listed.
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
