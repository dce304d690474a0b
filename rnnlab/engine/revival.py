"""Workers that are lost for good, and what replaces them."""

import contextlib
import time
from collections.abc import Iterable
from typing import Any

from distributed import SpecCluster

# How long a worker may be away: a new process needs several seconds to start.
SECONDS_AWAY = 60.0


class Revival:
    """Replaces workers that have been away for long.

    Dask starts a worker of this machine again whose process dies, unless that happens while it
    starts; a job of SLURM that ends is not submitted again.
    """

    def __init__(self, cluster: SpecCluster, started: Iterable[Any]) -> None:
        """Look after a cluster's workers.

        Args:
            cluster: of our own.
            started: names of workers that should be there; others count once they have been.
        """
        self.cluster = cluster
        self.seen = dict.fromkeys(started, time.monotonic())

    def __call__(self) -> None:
        """To be called now and then."""
        self.cluster.sync(self._look)

    async def _look(self) -> None:
        now = time.monotonic()
        present = [worker.name for worker in self.cluster.scheduler.workers.values()]
        self.seen |= dict.fromkeys(present, now)
        lost = [name for name, seen in self.seen.items() if now - seen > SECONDS_AWAY]
        for name in lost:
            self.seen[name] = now
            if worker := self.cluster.workers.pop(name, None):
                with contextlib.suppress(Exception):
                    await worker.close()
        if lost:
            self.cluster._correct_state()
