"""Replaces workers that are lost for good."""

import asyncio
import contextlib
import time
from collections.abc import Iterable
from typing import Any

from distributed import SpecCluster
from distributed.core import Status

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
            cluster: started by rnnlab.
            started: names of workers that should be there; others, such as jobs that may wait in a
                queue, are noticed when they appear.
        """
        self.cluster, self.started = cluster, set(started)
        self.seen = dict.fromkeys(self.started, time.monotonic())
        self.replacements: list[asyncio.Task[None]] = []

    def __call__(self) -> None:
        """Replace lost workers; to be called every few seconds."""
        self.cluster.sync(self._look)

    async def _look(self) -> None:
        now = time.monotonic()
        self.seen |= dict.fromkeys(self.cluster.observed, now)
        lost = {name for name, seen in self.seen.items() if now - seen > SECONDS_AWAY}
        for name in lost:
            del self.seen[name]
        if lost:
            self.replacements.append(asyncio.create_task(self._replace(lost)))

    async def _replace(self, names: set[Any]) -> None:
        """Take workers out of the cluster, and have it start others of the same kind and name."""
        specs = {name: spec for name, spec in self.cluster.worker_spec.items() if name in names}
        with contextlib.suppress(Exception):  # what is lost may not end as it should
            await self.cluster.scale_down(names)
        if self.cluster.status != Status.running:
            return
        self.cluster.worker_spec.update(specs)
        with contextlib.suppress(Exception):  # nor start: then this is tried again
            await self.cluster
        self.seen |= dict.fromkeys(names & self.started, time.monotonic())
