"""The user's choice of where runs execute."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from numbers import Integral
from pathlib import Path

from rnnlab.support.errors import ArgumentError, UserError, did_you_mean
from rnnlab.support.paths import written_out

TLS_KEYS = ("ca", "cert", "key")
# For each key the pattern of valid values, and its description.
SLURM_VALUES = {
    "jobs": ("0*[1-9][0-9]*", "a whole number, 1 or more"),
    "gpus": ("([A-Za-z][^:]*:)?[0-9]+", "a whole number, or type:number"),
    "memory": (r"[0-9.]+ *[kKMGT]?i?B?", "a size, such as 4GB"),
    "time": (r"([0-9]+-)?[0-9]+(:[0-9]+){0,2}", "a time, such as 01:00:00 or 2-12:00:00"),
}
SLURM_KEYS = ("partition", "jobs", "gpus", "memory", "time", "account", "constraint", "qos")


@dataclass(frozen=True)
class Placement:
    """The place where runs execute.

    Attributes:
        workers: processes on this machine, 0 for this process only; None chooses.
        scheduler: address of a running Dask cluster, in place of workers of our own.
        slurm: options of SLURM jobs that become workers, see ``slurm``.
        interface: the network interface that a scheduler of our own listens on; None is loopback.
        tls: files ``ca``, ``cert`` and ``key`` with which all connections are encrypted.
        threads: number of CPU threads for XLA in each process.
    """

    workers: int | None = None
    scheduler: str | None = None
    slurm: dict[str, str] | None = None
    interface: str | None = None
    tls: dict[str, str] | None = None
    threads: int = 1

    def __post_init__(self) -> None:
        if sum(x is not None for x in (self.workers, self.scheduler, self.slurm)) > 1:
            raise UserError("choose one of --workers, --scheduler and --slurm")
        workers = 0 if self.workers is None else self.workers
        if not isinstance(workers, Integral) or workers < 0:
            raise ArgumentError("workers", workers, "must be a whole number, 0 or more")
        if self.scheduler == "":
            raise UserError("--scheduler: needs an address, such as tcp://host:8786")
        if self.interface and (self.workers == 0 or self.scheduler is not None):
            raise UserError("--interface: there is no scheduler of our own that would listen on it")
        if self.tls is not None and set(self.tls) != set(TLS_KEYS):
            raise UserError("--tls: needs ca=FILE,cert=FILE,key=FILE")
        for key, value in (self.slurm or {}).items():
            if key in SLURM_VALUES and not re.fullmatch(SLURM_VALUES[key][0], value):
                raise UserError(f"--slurm: {key}={value}: must be {SLURM_VALUES[key][1]}")
        for name, file in (self.tls or {}).items():
            if not Path(file).is_file():
                raise UserError(f"--tls {name}: {file}: no such file")

    @property
    def slurm_jobs(self) -> int:
        """The number of SLURM jobs."""
        return int((self.slurm or {}).get("jobs", "1"))


def parse_pairs(option: str, text: str, valid: Iterable[str]) -> dict[str, str]:
    """Options written as ``key=value,key=value``; see ``written_out`` for paths.

    Raises:
        UserError: a part is no such pair, or its key is unknown.
    """
    pairs = {}
    for part in text.split(",") if text else ():
        key, equals, value = part.partition("=")
        if key not in set(valid):
            raise UserError(f"{option}: unknown key {key!r}; {did_you_mean(key, valid)}")
        if not equals or not value:
            raise UserError(f"{option}: {part!r} must be key=value")
        pairs[key] = written_out(value)
    return pairs
