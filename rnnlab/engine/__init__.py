"""Where runs execute: in this process, or in the workers of a Dask cluster."""

from rnnlab.engine.experiment import run, run_experiment
from rnnlab.engine.placement import Where

__all__ = ["Where", "run", "run_experiment"]
