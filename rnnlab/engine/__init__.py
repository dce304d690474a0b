"""Where runs execute: in this process, or in the workers of a Dask cluster."""

from rnnlab.engine.experiment import run, run_experiment
from rnnlab.engine.placement import Placement

__all__ = ["Placement", "run", "run_experiment"]
