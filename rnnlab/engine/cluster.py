"""Dask clusters: processes on this machine, one that runs already, or jobs of SLURM."""

import asyncio
import contextlib
import logging
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from typing import Any

import dask
from distributed import Client, Nanny, Scheduler, Security, SpecCluster
from distributed.comm import parse_address, parse_host_port
from distributed.comm.registry import get_backend

from rnnlab.config.sweep import Run
from rnnlab.engine import preload, slurm
from rnnlab.engine.dispatch import Dispatch, SchedulerLost
from rnnlab.engine.groups import make_groups
from rnnlab.engine.interrupt import Stop, kept_from_children
from rnnlab.engine.ledger import Ledger
from rnnlab.engine.placement import Placement
from rnnlab.engine.resources import KEEP_MEMORY, address_of, gpus, memory
from rnnlab.engine.revival import Revival
from rnnlab.engine.script import ADVICE, check_guard, without_missing_file, workers_run_it
from rnnlab.support.errors import UserError
from rnnlab.support.threads import cores

Revive = Callable[[], None]

CONFIG = {
    "distributed.admin.large-graph-warning-threshold": "1 TB",  # groups hold data sets
    "distributed.scheduler.allowed-failures": 0,
    "distributed.scheduler.worker-saturation": 1.0,
    "distributed.worker.memory.target": False,
    "distributed.worker.memory.spill": False,
    "distributed.worker.memory.pause": False,
    "distributed.worker.memory.terminate": 0.95,
    "distributed.deploy.lost-worker-timeout": "1 day",  # see Revival
}
CONFIG |= {
    f"distributed.nanny.pre-spawn-environ.{name}": value for name, value in KEEP_MEMORY.items()
}
# Share of the free memory for workers; the rest is for other processes.
MEMORY_SHARE = 0.9
# Dask gives up a cluster if a worker dies during its start.
MOST_STARTS = 3


def do_on_cluster(
    runs: list[Run],
    ledger: Ledger,
    checkpoint_every: float,
    placement: Placement,
    workers: int | None,
    stop: Stop,
) -> None:
    """Do runs on the cluster that the user chose; one that rnnlab started ends with them.

    Args:
        runs: to be done.
        ledger: receives the workers' messages.
        checkpoint_every: seconds between two checkpoints of a run.
        placement: the cluster that the user chose.
        workers: their number, if they are processes on this machine.
        stop: tells whether the user wants to stop.

    Raises:
        UserError: there is no cluster at that address, or it cannot be started, or is lost.
    """
    say = ledger.progress.say
    with (
        _quiet(),
        _connect(placement, workers) as (client, revive),
        _scheduler_errors(client, ledger),
    ):
        if find_spec("bokeh") and client.dashboard_link:
            say(f"dashboard: {client.dashboard_link}")
        found = _wait_for_workers(client, say, stop)
        if stop.wanted:
            return
        say(f"by {found} worker process{'es' if found > 1 else ''}")
        dispatch = Dispatch(client, ledger, checkpoint_every, placement.threads)
        expected = max(found, placement.slurm_jobs)
        groups = make_groups(runs, expected, side_by_side=_have_gpus(placement))
        dispatch.run(groups, stop, revive)


def _have_gpus(placement: Placement) -> bool:
    """Whether each worker is known to have a GPU."""
    if placement.slurm is not None:
        return placement.slurm.get("gpus", "0").rpartition(":")[-1] != "0"
    return placement.scheduler is None and bool(gpus())


@contextlib.contextmanager
def _scheduler_errors(client: Client, ledger: Ledger) -> Iterator[None]:
    """Turn an error of Dask into a UserError if the scheduler is gone."""
    try:
        yield
    except (Exception, asyncio.CancelledError) as error:
        is_lost = isinstance(error, (OSError, asyncio.CancelledError, SchedulerLost))
        if isinstance(error, UserError) or not (is_lost or client.status != "running"):
            raise
        raise UserError(
            f"the scheduler is lost ({error or type(error).__name__}); {ledger.kept}, and running "
            "the same command again goes on from there"
        ) from None


def _wait_for_workers(client: Client, say: Callable[[str], None], stop: Stop) -> int:
    """Wait for the first worker, and return the number of workers; more may come later."""
    started, patience = time.monotonic(), 10.0
    while not (found := len(client.nthreads())) and not stop.wanted:
        time.sleep(0.1)
        if time.monotonic() - started > patience:
            say("waiting for a worker")
            patience *= 4
    return found


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Silence Dask, which logs with tracebacks what is handled here, such as a dead worker."""
    names = [name for name in logging.root.manager.loggerDict if name.startswith("distributed")]
    levels = {name: logging.getLogger(name).level for name in names}
    for name in names:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)


@contextlib.contextmanager
def _connect(placement: Placement, workers: int | None) -> Iterator[tuple[Client, Revive]]:
    """Connect to the cluster; yields a client, and a function that replaces lost workers."""
    security = _security(placement)
    with contextlib.ExitStack() as stack:
        stack.enter_context(dask.config.set(CONFIG))
        if placement.scheduler is not None:
            yield stack.enter_context(_existing(placement.scheduler, security)), lambda: None
            return
        revive: Revive
        if placement.slurm is not None:
            cluster = slurm.make_cluster(
                placement.slurm, placement.interface, placement.threads, security
            )
            stack.enter_context(cluster)
            if shutil.which(cluster.job_cls.submit_command) is None:
                raise UserError(f"--slurm: no {cluster.job_cls.submit_command} on this machine")
            cluster.scale(jobs=placement.slurm_jobs)
            revive = Revival(cluster, ())
        else:
            stack.enter_context(without_missing_file())
            scratch = stack.enter_context(tempfile.TemporaryDirectory(prefix="rnnlab-workers-"))
            assert workers is not None
            cluster = stack.enter_context(local_cluster(placement, workers, security, scratch))
            revive = Revival(cluster, cluster.worker_spec)
        yield stack.enter_context(Client(cluster, set_as_default=False)), revive


def _security(placement: Placement) -> Security | None:
    if placement.tls is None:
        return None
    files = {
        f"tls_{role}_{part}": placement.tls[part]
        for role in ("client", "scheduler", "worker")
        for part in ("cert", "key")
    }
    return Security(require_encryption=True, tls_ca_file=placement.tls["ca"], **files)


def _existing(address: str, security: Security | None) -> Client:
    _check_address(address)
    try:
        return Client(address, security=security, timeout=10, set_as_default=False)
    except (OSError, ValueError, TypeError, RuntimeError) as error:
        raise UserError(f"--scheduler {address}: no Dask scheduler answers: {error}") from None


def _check_address(address: str) -> None:
    """Refuse text that is no address, with which a client would hang when it is closed."""
    try:
        scheme, location = parse_address(address)
        get_backend(scheme)
        parse_host_port(location)
    except (ValueError, TypeError) as error:
        raise UserError(
            f"--scheduler {address}: must be an address, such as tcp://host:8786: {error}"
        ) from None


def local_cluster(
    placement: Placement, workers: int, security: Security | None, scratch: str
) -> SpecCluster:
    """A scheduler in this process and worker processes, one on each core or GPU."""
    address = address_of(placement.interface)
    options: dict[str, Any] = {"security": security, "host": address}
    common = options | {
        "nthreads": 1,
        "memory_limit": int(MEMORY_SHARE * memory() / workers),
        "local_directory": scratch,
        "preload": [preload.__name__],
        "silence_logs": logging.CRITICAL,
        "dashboard": False,
    }
    specs = {
        index: {"cls": Nanny, "options": common | {"env": environment}}
        for index, environment in enumerate(_environments(workers, placement.threads))
    }
    dashboard = {"dashboard_address": f"{address}:0"}
    check_guard()
    for attempts_left in reversed(range(MOST_STARTS)):
        try:
            with kept_from_children():
                return SpecCluster(
                    workers=specs,
                    scheduler={"cls": Scheduler, "options": options | dashboard},
                    security=security,
                    silence_logs=logging.CRITICAL,
                )
        except (RuntimeError, OSError, ValueError) as error:
            if not attempts_left:
                hint = f"; {ADVICE}" * workers_run_it()
                reason = str(error).rstrip(".")
                raise UserError(f"the workers cannot be started: {reason}{hint}") from None
    raise AssertionError


def _environments(workers: int, threads: int) -> list[dict[str, str]]:
    """Environment variables that give each worker a GPU, or a core if it uses one thread."""
    if devices := gpus():
        shared = {"XLA_PYTHON_CLIENT_PREALLOCATE": "false"} if workers > len(devices) else {}
        chosen = [devices[i % len(devices)] for i in range(workers)]
        return [shared | {"CUDA_VISIBLE_DEVICES": device} for device in chosen]
    mine = cores()
    if threads > 1 or workers > len(mine):
        return [{} for _ in range(workers)]
    return [{preload.CORE: str(mine[i])} for i in range(workers)]
