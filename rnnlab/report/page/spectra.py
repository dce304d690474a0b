"""Eigenvalues of a page."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from rnnlab.report.page.drawn import Drawn
from rnnlab.report.page.html import packed
from rnnlab.results.stored_run import StoredRun

LEFT_OUT = "To keep the page small, {} of some {} are left out."


def eigenvalues_data(drawn: Drawn, room: int) -> list[dict[str, Any]]:
    """The part ``eigenvalues``: of the top layer, at the start and at the end of each run.

    Of as many runs as there is room for: one of each setting first. ``reach`` is the greatest
    coordinate of a point, or of the predicted ring.
    """
    found: list[dict[str, Any]] = []
    for index, run, _ in sorted(_runs(drawn, "eigenvalues"), key=lambda own: own[2]):
        for step, own in _ends(drawn, run, "eigenvalues"):
            top = own[own["layer"] == own["layer"].max()]
            if (room := room - 2 * len(top)) < 0:
                drawn.notes.append(LEFT_OUT.format("eigenvalues", "runs"))
                return _ordered(found)
            first, points = top.iloc[0], top[["real", "imag"]].abs().to_numpy()
            ring = {"centre": float(first["ring_centre"]), "radius": float(first["ring_radius"])}
            of_ring = abs(ring["centre"]) + ring["radius"]
            found.append(
                {
                    "step": step,
                    "setting": index,
                    "seed": int(run.record["seed"]),
                    "t": int(first["t"]),
                    "real": packed(top["real"].to_numpy()),
                    "imag": packed(top["imag"].to_numpy()),
                    "reach": float(np.nanmax([points.max(), of_ring])),
                    "ring": None if np.isnan(list(ring.values())).any() else ring,
                }
            )
    return _ordered(found)


def _runs(drawn: Drawn, table: str) -> Iterator[tuple[int, StoredRun, int]]:
    """Index of the setting, run, and place of the run in its setting."""
    for index, runs in drawn.having(table).items():
        for place, run in enumerate(runs):
            yield index, run, place


def _ends(drawn: Drawn, run: StoredRun, name: str) -> list[tuple[int, pd.DataFrame]]:
    """The first record, and the last if it is another; this has the last step of the config."""
    table = drawn.read(run, name)
    if table.empty:
        return []
    end = int(run.record["settings"]["training"]["steps"])
    steps = dict.fromkeys((int(table["step"].min()), int(table["step"].max())))
    return [(end if step else 0, table[table["step"] == step]) for step in steps]


def _ordered(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(found, key=lambda own: (own["step"], own["setting"], own.get("seed", 0)))
