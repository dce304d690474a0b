"""Learning curves of a page."""

from typing import Any

import numpy as np
import pandas as pd

from rnnlab.report.page.curves import range_of
from rnnlab.report.page.drawn import Drawn
from rnnlab.report.page.html import packed
from rnnlab.report.page.settings import Setting
from rnnlab.report.page.thinning import RANGE, evenly, plan
from rnnlab.training.quantities.training import SOLVED_WINDOW

Y_LABEL = f"training loss, mean of {SOLVED_WINDOW} steps"
MOST_POINTS, FEWEST_POINTS = 400, 50


def learning_data(drawn: Drawn, room: int) -> dict[str, Any] | None:
    """The part ``learning`` of the page's data; None if no run has trained.

    Args:
        drawn: settings.
        room: how many numbers it may have.
    """
    losses = _losses(drawn)
    if not losses:
        return None
    last = max(int(own.index[-1]) for of in losses.values() for own in of.values())
    seeds = max(map(len, losses.values()))
    length = min(last + 1, MOST_POINTS)
    chosen = plan(room, len(losses), seeds, records=1, length=length)
    lines = sum(len(own) if chosen.each_seed else len(RANGE) for own in losses.values())
    x = np.array(evenly(last + 1, min(length, max(FEWEST_POINTS, room // lines))))
    runs = pd.concat([drawn.settings[index].runs for index in losses])
    thresholds = sorted(set(runs["threshold"].dropna().astype(float)))
    return {
        "yLabel": Y_LABEL,
        "x": packed(x),
        "baseline": sorted(set(runs["baseline"].dropna().astype(float))),
        "thresholds": thresholds,
        "items": [
            _item(index, drawn.settings[index], own, x, chosen.each_seed)
            for index, own in losses.items()
        ],
    }


def _losses(drawn: Drawn) -> dict[int, dict[int, pd.Series]]:
    """The mean loss of the last steps, for each setting and seed."""
    found: dict[int, dict[int, pd.Series]] = {}
    for index, runs in drawn.having("training").items():
        for run in runs:
            if len(own := _recent(drawn.read(run, "training"))):
                found.setdefault(index, {})[int(run.record["seed"])] = own
    return found


def _recent(training: pd.DataFrame) -> pd.Series:
    """The mean loss of the last steps, as ``learning_curves`` draws it."""
    if training.empty:
        return pd.Series(dtype=float)
    losses = training.set_index("step")["loss"]
    return losses.rolling(SOLVED_WINDOW, min_periods=1).mean().where(losses.notna()).dropna()


def _item(
    index: int, setting: Setting, losses: dict[int, pd.Series], x: np.ndarray, each_seed: bool
) -> dict[str, Any]:
    values = np.stack([own.reindex(x).to_numpy(float) for own in losses.values()])
    seeds: list[int | str] = list(losses)
    if not each_seed and len(seeds) > len(RANGE):
        seeds, values = list(RANGE), range_of(values[None])[0]
    runs = setting.runs.set_index("seed").loc[list(losses)]
    return {
        "setting": index,
        "seeds": seeds,
        "loss": packed(values),
        "runSeeds": list(losses),
        "threshold": float(runs["threshold"].astype(float).max()),
        "solvedAt": [float(at) for at in runs["solved_at"].astype(float)],
        "diverged": [status == "diverged" for status in runs["status"]],
    }
