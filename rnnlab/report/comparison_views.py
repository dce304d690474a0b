"""The comparison as a reader wants it: which numbers, with their intervals, in words."""

import math
from typing import cast

import pandas as pd

from rnnlab.gradients.decay import STILL, factor, half_life
from rnnlab.report.rounding import MISSING, in_form, rounded, with_interval
from rnnlab.report.views import Column, Row, View, view_of
from rnnlab.results.intervals import CONFIDENCE, Estimate, confidence
from rnnlab.training.quantities import QUANTITIES
from rnnlab.training.quantities.summary import ENDS, INTERVAL, AtEnds, FromMedians

Labelled = AtEnds | FromMedians
_AT_STEP = "an unsolved run counts as later than the last."


def comparison_views(table: pd.DataFrame, name: str) -> list[View]:
    """Outcome, gates and gradients, what was asked for, and differences to a reference if any.

    Args:
        table: see ``compare``; it has more numbers, with all digits.
        name: of the results.
    """
    rows = cast(list[Row], table.to_dict("records"))
    views = [_outcome(rows, name), _gradients(rows)]
    views += [_of_quantity(rows, *titled) for titled in _labelled(table).items()]
    return [*views, _differences(rows)] if "loss_ratio" in table else views


def _outcome(rows: list[Row], name: str) -> View:
    baselines = sorted({row["baseline"] for row in rows} - {math.nan})
    baseline = ", ".join(f"{value:.4g}" for value in baselines if not math.isnan(value))
    loss = f"evaluation loss; baseline (remembers nothing) {baseline or MISSING}"
    caption = (
        f"final loss: {loss}. at step: {_AT_STEP} Diverged runs are unsolved, and have no final "
        f"loss. {of_seeds(rows)}"
    )
    if any(row["diverged"] for row in rows):
        of_all = _brackets([row["runs"] for row in rows], "runs")
        caption += f" at step, with the diverged: {of_all[:1].lower()}{of_all[1:]}"
    columns = [
        _SETTING,
        Column("final loss", loss, _final_loss, lambda row: row["final_loss"]),
        Column("solved", "runs that solved the task, of those that ended", _counts, _share_solved),
        Column("at step", _AT_STEP, _solved_at, lambda row: row["solved_at"]),
    ]
    return view_of(name, rows, columns, caption)


def _final_loss(row: Row) -> str:
    return with_interval(_estimate(row, "final_loss"), between="\n")


def _share_solved(row: Row) -> float:
    return row["solved"] / row["runs"] if row["runs"] else math.nan


def _setting(row: Row) -> str:
    return str(row["setting"]).replace(", ", ",\n")


_SETTING = Column("setting", "what differs between the settings", _setting, lambda row: None)


def _counts(row: Row) -> str:
    counts = f"{row['solved']} of {row['runs']}"
    others = ("diverged", "failed", "missing")
    return ",\n".join([counts, *(f"{row[other]} {other}" for other in others if row[other])])


def _solved_at(row: Row) -> str:
    steps = [row[f"solved_at{end}"] for end in INTERVAL]
    texts = [f"> {row['last_step']}" if math.isinf(s) else f"{s:.0f}" for s in steps if s == s]
    return _joined(texts, "\n")


def _joined(texts: list[str], between: str) -> str:
    """A middle and the two ends of its interval, one text alone, or none."""
    if len(texts) < len(INTERVAL):
        return "".join(texts) or MISSING
    middle, low, high = texts
    return f"{middle}{between}[{low}, {high}]"


def of_seeds(rows: list[Row]) -> str:
    """A sentence on what the numbers and their brackets are, over the seeds of each setting."""
    return _brackets([row["runs"] - row["diverged"] for row in rows], "seeds")


def _brackets(many: list[int], of: str) -> str:
    """Tell what the brackets are, for so many seeds or pairs of each setting."""
    counts = sorted({count for count in many if count > 0})
    few = [count for count in counts if count > 1 and confidence(count) < CONFIDENCE]
    is_exact = any(confidence(count) == CONFIDENCE for count in counts)
    if not few and not is_exact:
        return f"No intervals: each setting has one {of.removesuffix('s')}." if counts else ""
    if not few:
        return f"Medians over {of}; in brackets exact 95 % intervals, whatever the distribution."
    held = " or ".join(f"{100 * confidence(n):.0f} % ({n} {of})" for n in few)
    exact = f" From 6 {of} on, brackets are exact 95 % intervals." if is_exact else ""
    return (
        f"Medians over {of}; in brackets the least and the greatest. The true median lies between "
        f"them with a probability of {held}, whatever the distribution.{exact}"
    )


def _gradients(rows: list[Row]) -> View:
    gates, parts = (
        list(dict.fromkeys(row[of] for row in rows if isinstance(row[of], str)))
        for of in ("gate_of", "decay_of")
    )
    what = ", ".join(gates) or "none here"
    gate = Column(
        f"mean {gates[0]}" if len(gates) == 1 else "mean gate",
        f"of the gate on the direct path of each cell ({what}), over units, examples and time",
        lambda row: _from_to(*(_named(row, "gate", end, len(gates) > 1, 3) for end in ENDS)),
        lambda row: row["gate_last"],
    )
    of = f"decay of {parts[0]}" if len(parts) == 1 else "decay"
    decay = Column(
        f"{of}, decades a step",
        "of log10 ‖∂L/∂c‖ (or h) back in time, negative: vanishing",
        lambda row: _from_to(*(_named(row, "decay", e, len(parts) > 1, 2, True) for e in ENDS)),
        lambda row: row["decay_last"],
    )
    lasting = Column(
        "half-life, steps",
        "of the gradient going back",
        lambda row: _from_to(*(_half_life(row, "half_life", "decay", end) for end in ENDS)),
        lambda row: row["half_life_last"],
    )
    caption = (
        f"First → last record, top layer. mean gate: {gate.meaning}. decay: {decay.meaning}. "
        f"half-life: {lasting.meaning}. {of_seeds(rows)}"
    )
    return view_of("gates and gradients", rows, [_SETTING, gate, decay, lasting], caption)


def _from_to(first: str, last: str) -> str:
    return MISSING if (first, last) == (MISSING, MISSING) else f"{first} →\n{last}"


def _named(
    row: Row, name: str, end: str, with_name: bool, digits: int, signed: bool = False
) -> str:
    """A number at one end of training, after what it is of if that differs between settings."""
    text = with_interval(_estimate(row, f"{name}_{end}"), digits, signed)
    return f"{row[f'{name}_of']} {text}" if with_name and text != MISSING else text


def _half_life(row: Row, name: str, of: str, end: str) -> str:
    """Steps; where the gradient grows, by which factor."""
    steps = rounded(_estimate(row, f"{name}_{end}"))
    decays = _estimate(row, f"{of}_{end}")
    texts = [
        f"grows {factor(decay)}" if decay > STILL else text
        for decay, text in zip(decays, steps, strict=True)
        if not math.isnan(decay)
    ]
    return _joined(texts, " ")


def _labelled(table: pd.DataFrame) -> dict[str, list[Labelled]]:
    """The numbers in the table that have a label of their own, by the title of their view."""
    views: dict[str, list[Labelled]] = {}
    for quantity in QUANTITIES.values():
        usual = quantity.meaning if quantity.option is None else quantity.option.title
        for number in quantity.summary:
            if isinstance(number, Labelled) and number.label and number.columns[0] in table:
                views.setdefault(number.title or usual, []).append(number)
    return views


def _of_quantity(rows: list[Row], title: str, numbers: list[Labelled]) -> View:
    columns = [_SETTING, *map(_labelled_column, numbers)]
    meanings = [f"{number.label}: {number.meaning}." for number in numbers]
    return view_of(title, rows, columns, " ".join([*meanings, of_seeds(rows)]))


def _labelled_column(number: Labelled) -> Column:
    return Column(
        number.label,
        number.meaning,
        lambda row: _of_number(row, number),
        lambda row: row[number.columns[-1]],
    )


def _of_number(row: Row, number: Labelled) -> str:
    if isinstance(number, FromMedians) and number.by is half_life:
        return _from_to(*(_half_life(row, number.name, number.of, end) for end in ENDS))
    return _from_to(*(in_form(_estimate(row, column), number.form) for column in number.columns))


def _estimate(row: Row, name: str) -> Estimate:
    return Estimate(*(row[f"{name}{end}"] for end in INTERVAL))


def _differences(rows: list[Row]) -> View:
    is_ratio = not any(math.isnan(row["loss_ratio"]) for row in rows if row["pairs"])
    loss, column = ("ratio", "loss_ratio") if is_ratio else ("difference", "loss_difference")
    of_decay = "decay_last_difference"
    columns = [
        _SETTING,
        Column(
            f"final loss, {loss}",
            f"{loss} to that of the reference",
            lambda row: with_interval(_estimate(row, column), signed=not is_ratio),
            lambda row: row[column],
        ),
        Column(
            "decay at the end, difference",
            "to that of the reference, decades a step",
            lambda row: with_interval(_estimate(row, of_decay), signed=True),
            lambda row: row[of_decay],
        ),
        Column(
            "reference",
            "the setting that it is compared with",
            lambda row: str(row["reference"] or MISSING),
            lambda row: None,
        ),
    ]
    caption = _brackets([int(row["pairs"]) for row in rows], "pairs")
    return view_of("difference to the reference, paired by seed", rows, columns, caption)
