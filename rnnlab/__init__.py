"""rnnlab shows where gradients go in recurrent networks.

Names are loaded when first used, so that ``import rnnlab`` and ``rnnlab --help`` do not wait for
JAX.
"""

import importlib
from typing import Any

from rnnlab.support.provided import provide
from rnnlab.support.version import __version__
from rnnlab.support.xla_flags import avoid_miscompiled_kernels

avoid_miscompiled_kernels()

_HOME = {
    "Adding": "rnnlab.tasks",
    "Answer": "rnnlab.report.claims.verdict",
    "Arithmetic": "rnnlab.tasks",
    "Arrays": "rnnlab.tasks",
    "Cell": "rnnlab.cells",
    "Copying": "rnnlab.tasks",
    "Digits": "rnnlab.tasks",
    "Findings": "rnnlab.report.findings",
    "GRU": "rnnlab.cells",
    "GradientFlow": "rnnlab.gradients.flow",
    "HiddenState": "rnnlab.cells",
    "Jacobians": "rnnlab.gradients.jacobian",
    "KeyNumber": "rnnlab.report.findings",
    "LSTM": "rnnlab.cells",
    "LSTMState": "rnnlab.cells",
    "LyapunovExponents": "rnnlab.gradients.lyapunov",
    "Results": "rnnlab.results.read",
    "Sensitivity": "rnnlab.gradients.sensitivity",
    "Task": "rnnlab.tasks",
    "UserError": "rnnlab.support.errors",
    "VanillaRNN": "rnnlab.cells",
    "Verdict": "rnnlab.report.claims.verdict",
    "affine": "rnnlab.cells",
    "compare": "rnnlab.results.comparison",
    "from_torch": "rnnlab.networks.pytorch",
    "gradient_flow": "rnnlab.gradients.flow",
    "jacobians": "rnnlab.gradients.jacobian",
    "load": "rnnlab.results.read",
    "lyapunov_exponents": "rnnlab.gradients.lyapunov",
    "run": "rnnlab.engine",
    "sensitivity": "rnnlab.gradients.sensitivity",
    "unroll": "rnnlab.recurrence.stack",
}

# What notebooks ask of results, which know no figures.
provide("results as HTML", "rnnlab.report.notebook", "results_html")
provide("interactive figures", "rnnlab.report.interactive", "Interactive")

_MODULES = {"figures": "rnnlab.report.figures", "theory": "rnnlab.gradients.theory"}

__all__ = [*sorted(_HOME | _MODULES), "__version__"]


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return importlib.import_module(_MODULES[name])
    if name not in _HOME:
        raise AttributeError(f"module 'rnnlab' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return __all__
