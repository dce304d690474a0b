"""Workers that are jobs of SLURM, through dask-jobqueue."""

import shlex
import signal
import sys
import threading
from typing import TYPE_CHECKING

import psutil
from distributed import Security

from rnnlab.engine import preload
from rnnlab.engine.resources import KEEP_MEMORY, address_of
from rnnlab.support.errors import UserError, did_you_mean

if TYPE_CHECKING:
    from dask_jobqueue import SLURMCluster


# Workers hold no data that could be moved to disk: without this they would pause for ever.
NO_PAUSE = [
    f"export DASK_DISTRIBUTED__WORKER__MEMORY__{name}=False"
    for name in ("TARGET", "SPILL", "PAUSE")
]
PROLOGUE = NO_PAUSE + [f"export {name}={value}" for name, value in KEEP_MEMORY.items()]
DEFAULTS = {"memory": "4GB", "time": "01:00:00"}


def make_cluster(
    options: dict[str, str], interface: str | None, threads: int, security: Security | None
) -> "SLURMCluster":
    """A scheduler in this process, for workers that SLURM starts; none is submitted yet.

    Args:
        options: ``partition``, ``jobs`` (how many workers), ``gpus`` (of each), ``memory``,
            ``time``, ``account``, ``constraint``, ``qos``.
        interface: through which compute nodes reach this machine.
        threads: CPU cores of each job.
        security: the encryption of all connections.

    Raises:
        UserError: dask-jobqueue is not installed, or an option is wrong.
    """
    on_interrupt = signal.getsignal(signal.SIGINT)
    try:
        from dask_jobqueue import SLURMCluster
    except ImportError:
        raise UserError("--slurm needs dask-jobqueue: pip install 'rnnlab[slurm]'") from None
    finally:  # dask-jobqueue takes Ctrl-C for itself
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, on_interrupt)
    if interface is None:
        raise UserError(
            "--slurm: compute nodes must reach the scheduler, which runs here: name a network "
            f"interface with --interface; {did_you_mean('', psutil.net_if_addrs())}"
        )
    options = DEFAULTS | options
    try:
        return SLURMCluster(
            queue=options.get("partition"),
            account=options.get("account"),
            walltime=options["time"],
            cores=threads,
            processes=1,
            memory=options["memory"],
            interface=interface,
            security=security,
            python=shlex.quote(sys.executable),
            job_name="rnnlab",
            worker_extra_args=["--preload", preload.__name__],
            job_script_prologue=PROLOGUE,
            job_extra_directives=_directives(options),
            scheduler_options={"dashboard_address": f"{address_of(interface)}:0"},
        )
    except ValueError as error:
        raise UserError(f"--slurm: {error}") from None


def _directives(options: dict[str, str]) -> list[str]:
    return [
        f"--{name}={options[name]}" for name in ("gpus", "constraint", "qos") if name in options
    ]


def job_script(options: dict[str, str], interface: str | None, threads: int) -> str:
    """The script for ``sbatch`` of each job; raises as ``make_cluster``."""
    with make_cluster(options, interface, threads, None) as cluster:
        return str(cluster.job_script())
