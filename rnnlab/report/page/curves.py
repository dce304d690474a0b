"""The curves of a page: gradients, gates, paths and sensitivities, for each setting and seed."""

import warnings
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from rnnlab.report.figures.biases import number
from rnnlab.report.page.drawn import Drawn
from rnnlab.report.page.html import packed
from rnnlab.report.page.settings import Setting
from rnnlab.report.page.tables import CURVES, SENSITIVITIES, Lines, Name
from rnnlab.report.page.thinning import RANGE, Plan, evenly, plan
from rnnlab.report.page.words import GROUPS, words_of
from rnnlab.results.stored_run import StoredRun

# How the room is divided between the tables; what one leaves goes to those below it.
SHARES = {"jacobians": 2, "gradients": 5, "gates": 3, "lyapunov": 1}
FEWEST_OF_A_LENGTH = 8

Named = dict[Name, Lines]


class Item(NamedTuple):
    """A curve of one setting: of each seed, or their least, median and greatest.

    Attributes:
        setting: its index on the page.
        seeds: a number, or a word of ``RANGE``.
        lines: as of one run; ``values`` are (steps, seeds, x).
    """

    setting: int
    seeds: list[int | str]
    lines: Lines


def curves_data(drawn: Drawn, room: int) -> list[dict[str, Any]]:
    """The part ``curves`` of the page's data.

    Args:
        drawn: settings; their notes get a sentence on what is left out.
        room: how many numbers it may have.
    """
    found: list[dict[str, Any]] = []
    left = [name for name in CURVES if drawn.having(name)]
    while left:
        table, *_ = left
        own = room * SHARES[table] // sum(SHARES[name] for name in left)
        curves, used = _of_table(drawn, table, own)
        found += curves
        room -= used
        left = left[1:]
    return sorted(found, key=_place)


def _place(curve: dict[str, Any]) -> tuple[int, bool]:
    """The key by which curves are sorted: their group, and adjoints before sensitivities."""
    return list(GROUPS).index(curve["group"]), curve["name"] in SENSITIVITIES


def _of_table(drawn: Drawn, table: str, room: int) -> tuple[list[dict[str, Any]], int]:
    """The curves of a table, and how many numbers they have."""
    stored = list(drawn.having(table).items())
    examples = list(_examples(drawn, table))
    names = {name for example in examples for name in example}
    if not names:
        return [], 0
    of_all = [own for example in examples for own in example.values()]
    chosen = plan(
        room // len(names),
        settings=len(stored),
        seeds=max(len(runs) for _, runs in stored),
        records=max(len(own.steps) for own in of_all),
        length=max(len(own.x) for own in of_all),
    )
    items: dict[Name, list[Item]] = {}
    for place in evenly(len(stored), chosen.settings):
        for name, item in _of_setting(drawn, *stored[place], table, chosen):
            items.setdefault(name, []).append(item)
    drawn.notes.extend(_left_out(table, chosen, len(stored)))
    made = [_aligned(name, own, chosen) for name, own in items.items()]
    return [curve for curve, _ in made], sum(many for _, many in made)


def _examples(drawn: Drawn, table: str) -> Iterator[Named]:
    """The curves of the first run that can be read, of the last, and of one of the longest."""
    runs = drawn.having(table)
    longest = max(runs, key=lambda index: _length(drawn.settings[index]))
    all_runs = [run for own in runs.values() for run in own]
    for order in (all_runs, reversed(all_runs), runs[longest]):
        yield next(filter(None, (_read(drawn, run, table) for run in order)), {})


def _length(setting: Setting) -> float:
    return float(np.nan_to_num(number(setting.values.get("task.length"))))


def _read(drawn: Drawn, run: StoredRun, table: str) -> Named:
    """The curves of a run; none if its file is damaged."""
    rows = drawn.read(run, table)
    return {} if rows.empty else dict(CURVES[table](rows))


def _of_setting(
    drawn: Drawn, index: int, runs: list[StoredRun], table: str, chosen: Plan
) -> Iterator[tuple[Name, Item]]:
    by_name: dict[Name, dict[int, Lines]] = {}
    for run in runs:
        for name, lines in _read(drawn, run, table).items():
            kept = _records(len(lines.steps), chosen.stride, run.record["status"] == "diverged")
            own = Lines(lines.steps[kept], lines.x, lines.values[kept])
            by_name.setdefault(name, {})[int(run.record["seed"])] = own
    for name, by_seed in by_name.items():
        steps, x = (
            np.unique(np.concatenate([getattr(own, axis) for own in by_seed.values()]))
            for axis in ("steps", "x")
        )
        values = np.stack([_on_grid(own, steps, x) for own in by_seed.values()], axis=1)
        seeds: list[int | str] = list(by_seed)
        if not chosen.each_seed and len(seeds) > len(RANGE):
            seeds, values = list(RANGE), range_of(values)
        yield name, Item(index, seeds, Lines(steps, x, values))


def _records(many: int, stride: int, has_diverged: bool) -> list[int]:
    """Every m-th record and the last, which a run that diverged has at a step of its own."""
    last = many - 1
    return [*range(0, last, stride), *([] if has_diverged and last else [last])]


def range_of(values: np.ndarray) -> np.ndarray:
    """Least, median and greatest over the second axis, of the values that there are."""
    with warnings.catch_warnings(), np.errstate(invalid="ignore"):
        warnings.simplefilter("ignore", RuntimeWarning)  # no seed has a value
        of = (np.nanmin, np.nanmedian, np.nanmax)
        return np.stack([one(values, axis=1) for one in of], axis=1)


def _on_grid(lines: Lines, steps: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Values at these steps and places; NaN where there are none."""
    has_step, has_place = np.isin(lines.steps, steps), np.isin(lines.x, x)
    wide = np.full((*lines.values.shape[:-1], len(x)), np.nan, np.float32)
    wide[..., np.searchsorted(x, lines.x[has_place])] = lines.values[..., has_place]
    grid = np.full((len(steps), *wide.shape[1:]), np.nan, np.float32)
    grid[np.searchsorted(steps, lines.steps[has_step])] = wide[has_step]
    return grid


def _aligned(name: Name, items: list[Item], chosen: Plan) -> tuple[dict[str, Any], int]:
    """A curve of the page, and how many numbers it has."""
    steps = np.unique(np.concatenate([item.lines.steps for item in items]))
    x = common_places(items, chosen.points)
    grids = [_on_grid(item.lines, steps, x) for item in items]
    curve = {
        "name": name.name,
        "of": name.of,
        "group": name.group,
        "xLabel": name.x,
        **words_of(name)._asdict(),
        "x": packed(x),
        "steps": steps.tolist(),
        "items": [
            {"setting": item.setting, "seeds": item.seeds, **_numbers(grid)}
            for item, grid in zip(items, grids, strict=True)
        ],
    }
    return curve, sum(grid.size for grid in grids)


def _numbers(grid: np.ndarray) -> dict[str, Any]:
    """The values, the indices of the records that have one, and the least and greatest."""
    known = grid[np.isfinite(grid)]
    return {
        "values": packed(grid),
        "records": np.flatnonzero(~np.isnan(grid).all(axis=(1, 2))).tolist(),
        "extent": [float(known.min()), float(known.max())] if known.size else None,
    }


def common_places(items: Sequence[Item], most: int) -> np.ndarray:
    """Places on the axis, so many in all; a few at least of each length that occurs."""
    lengths = {tuple(item.lines.x) for item in items}
    each = max(FEWEST_OF_A_LENGTH, most // len(lengths))
    return np.unique(np.concatenate([np.array(x)[evenly(len(x), each)] for x in lengths]))


def _left_out(table: str, chosen: Plan, settings: int) -> list[str]:
    """A sentence on what has no room, if anything."""
    shown = []
    if chosen.settings < settings:
        shown.append(f"{chosen.settings} of {settings} settings")
    if chosen.stride > 1:
        shown.append(f"1 of {chosen.stride} recorded training steps")
    if not chosen.each_seed:
        shown.append("the least, the median and the greatest of the seeds")
    return [f"To keep the page small, curves of {table} show {', '.join(shown)}."] if shown else []
