"""Learning curves of a page."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from rnnlab.report.page.curves import range_of
from rnnlab.report.page.drawn import Drawn
from rnnlab.report.page.html import packed
from rnnlab.report.page.settings import Setting
from rnnlab.report.page.thinning import RANGE, evenly, plan
from rnnlab.training.quantities.training import SOLVED_WINDOW

Y_LABEL = "training loss, mean of {} steps"
MOST_POINTS, FEWEST_POINTS = 400, 50
# A window is at most this part of the longest run.
PARTS = 4


def learning_data(drawn: Drawn, room: int) -> dict[str, Any] | None:
    """The part ``learning`` of the page's data; None if no run has trained.

    Args:
        drawn: settings.
        room: how many numbers it may have.
    """
    raw = _losses(drawn)
    if not raw:
        return None
    window = _window(raw)
    losses = {i: {seed: _recent(own, window) for seed, own in of.items()} for i, of in raw.items()}
    ends = [own.index[[0, -1]] for of in losses.values() for own in of.values()]
    first, last = int(np.min(ends)), int(np.max(ends))
    seeds = max(map(len, losses.values()))
    length = min(last + 1 - first, MOST_POINTS)
    chosen = plan(room, len(losses), seeds, records=1, length=length)
    lines = sum(len(own) if chosen.each_seed else len(RANGE) for own in losses.values())
    points = min(length, max(FEWEST_POINTS, room // lines))
    x = first + np.array(evenly(last + 1 - first, points))
    runs = pd.concat([drawn.settings[index].runs for index in losses])
    return {
        "yLabel": Y_LABEL.format(window),
        "isLog": all((own > 0).all() for of in losses.values() for own in of.values()),
        "x": packed(x),
        "levels": _levels(runs),
        "items": [_item(index, own, x, chosen.each_seed) for index, own in losses.items()],
        "runs": [
            run
            for index, own in losses.items()
            for run in _ends(index, drawn.settings[index], list(own))
        ],
    }


def _levels(runs: pd.DataFrame) -> list[tuple[float, str]]:
    """Losses to compare with, and what they mean."""
    words = {"baseline": "remembers nothing", "threshold": "solved below"}
    found = {name: sorted(set(runs[name].dropna().astype(float))) for name in words}
    return [(value, words[name]) for name, values in found.items() for value in values]


def _ends(index: int, setting: Setting, seeds: list[int]) -> Iterator[dict[str, Any]]:
    """When each run solved the task, if it did, and whether it diverged."""
    runs = setting.runs.set_index("seed").loc[seeds]
    numbers = runs[["solved_at", "threshold"]].astype(float)
    for seed, at, threshold, status in zip(
        seeds, numbers["solved_at"], numbers["threshold"], runs["status"], strict=True
    ):
        yield {
            "setting": index,
            "seed": seed,
            "solvedAt": at,
            "threshold": threshold,
            "diverged": status == "diverged",
        }


def _losses(drawn: Drawn) -> dict[int, dict[int, pd.Series]]:
    """The loss of each step, up to the first that is not finite, for each setting and seed."""
    found: dict[int, dict[int, pd.Series]] = {}
    for index, runs in drawn.having("training").items():
        for run in runs:
            training = drawn.read(run, "training")
            own = training.set_index("step")["loss"] if len(training) else pd.Series(dtype=float)
            if len(own := own[np.isfinite(own).cummin()]):
                found.setdefault(index, {})[int(run.record["seed"])] = own
    return found


def _window(losses: dict[int, dict[int, pd.Series]]) -> int:
    """Over how many steps losses are averaged: as the task is solved by, or fewer of short runs."""
    longest = max(len(own) for of in losses.values() for own in of.values())
    return max(1, min(SOLVED_WINDOW, longest // PARTS))


def _recent(losses: pd.Series, window: int) -> pd.Series:
    """The mean loss of the last steps, where there are so many; of a shorter run one mean."""
    many = min(window, len(losses))
    return losses.rolling(many).mean().iloc[many - 1 :]


def _item(
    index: int, losses: dict[int, pd.Series], x: np.ndarray, each_seed: bool
) -> dict[str, Any]:
    values = np.stack([own.reindex(x).to_numpy(float) for own in losses.values()])
    seeds: list[int | str] = list(losses)
    if not each_seed and len(seeds) > len(RANGE):
        seeds, values = list(RANGE), range_of(values[None])[0]
    return {"setting": index, "seeds": seeds, "loss": packed(values)}
