"""Workers that are lost for good, and what replaces them."""

import time
from typing import Any

from distributed import SpecCluster

# How long a worker may be away: a new process needs several seconds to start.
SECONDS_AWAY = 60.0


class Revival:
    """Replaces workers on this machine that have been away for long.

    Dask starts a worker again whose process dies, unless that happens while it starts.
    """

    def __init__(self, cluster: SpecCluster) -> None:
        self.cluster = cluster
        self.seen = dict.fromkeys(cluster.worker_spec, time.monotonic())

    def __call__(self) -> None:
        """Look after the workers; to be called now and then."""
        now = time.monotonic()
        present = {worker.name for worker in self.cluster.scheduler.workers.values()}
        self.seen |= dict.fromkeys(present, now)
        lost = [name for name, seen in self.seen.items() if now - seen > SECONDS_AWAY]
        if lost:
            self.seen |= dict.fromkeys(lost, now)
            self.cluster.sync(self._replace, lost)

    async def _replace(self, names: list[Any]) -> None:
        for name in names:
            if worker := self.cluster.workers.pop(name, None):
                await worker.close(timeout=5)
        self.cluster.scale(len(self.cluster.worker_spec))
