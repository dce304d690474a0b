"""The question, the answer, and the numbers that matter most."""

import itertools
import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from rnnlab.report.findings import Findings
from rnnlab.report.rounding import in_form, with_interval
from rnnlab.results.intervals import Estimate, share_interval
from rnnlab.training.quantities.summary import INTERVAL

MOST_NUMBERS = 3
MOST_TASKS = 3


def answer_data(findings: Mapping[str, Findings], comparison: pd.DataFrame) -> dict[str, Any]:
    """The part ``answer`` of the page's data.

    Args:
        findings: of each results folder whose config names an analysis, by its name; by "" where
            the page has one folder.
        comparison: of all settings.
    """
    named = {f"{name}: " if name else "": own for name, own in findings.items()}
    verdicts = {name: own.verdict for name, own in named.items() if own.verdict is not None}
    answers = [f"{name}{own.answer}" for name, own in named.items() if own.answer]
    return {
        "text": " ".join(answers) or in_words(comparison),
        "verdict": "; ".join(f"{n}{v.called or v.answer}" for n, v in verdicts.items()) or None,
        "sentences": [f"{n}{line}" for n, own in named.items() for line in _sentences(own)],
        "evidence": "; ".join(f"{name}{verdict.evidence}" for name, verdict in verdicts.items()),
    }


def _sentences(findings: Findings) -> list[str]:
    """Those for a newcomer, or else the lines of the text."""
    return list(findings.sentences) or [s for s in findings.text.split("\n") if s.strip()]


def numbers_data(
    findings: Mapping[str, Findings], comparison: pd.DataFrame
) -> list[dict[str, str]]:
    """The part ``numbers`` of the page's data: those of the analysis, or of the comparison.

    Of several results folders the first number of each comes first.
    """
    own = [
        {
            "label": f"{name}: {n.label}" if name else n.label,
            "value": n.value,
            "interval": n.interval,
            "meaning": n.meaning,
        }
        for of_each in itertools.zip_longest(*(one.key_numbers for one in findings.values()))
        for name, n in zip(findings, of_each, strict=True)
        if n is not None
    ]
    return (own or of_comparison(comparison))[:MOST_NUMBERS]


def _of_tasks(comparison: pd.DataFrame) -> list[pd.DataFrame]:
    """The settings of which a run has ended, by task, of each the best first.

    What was reached on different tasks, such as their losses, cannot be ranked.
    """
    if not len(comparison):
        return []
    own = comparison[comparison["runs"] > 0]
    ranked = own.assign(share=-own["solved"] / own["runs"])
    order = ["share", "solved_at", "final_loss"]
    return [of.sort_values(order) for _, of in ranked.groupby("task", sort=False)]


def in_words(comparison: pd.DataFrame) -> str:
    """A sentence for each of the first tasks on which setting did best, from the comparison."""
    tasks = _of_tasks(comparison)
    if not tasks:
        return "No run has finished yet."
    sentences = list(map(_best_in_words, tasks[:MOST_TASKS]))
    if (more := len(tasks) - MOST_TASKS) > 0:
        sentences.append(f"The table has {more} more task{'s' if more > 1 else ''}.")
    return " ".join(sentences)


def _best_in_words(ended: pd.DataFrame) -> str:
    """Which setting of one task did best."""
    best, worst = ended.iloc[0], ended.iloc[-1]
    if not best["solved"]:
        least = ended.sort_values("final_loss").iloc[0]
        if math.isnan(least["final_loss"]):
            return "No run solved the task, and none finished."
        loss = with_interval(_estimate(least, "final_loss"))
        return f"No run solved the task; the least final loss is {loss}, with {least['setting']}."
    text = f"{best['setting']} solved the task in {_counts(best)}"
    if math.isfinite(best["solved_at"]):
        text += f", at step {best['solved_at']:.0f} (median)"
    if len(ended) > 1:
        text += f"; {worst['setting']} in {_counts(worst)}"
    return f"{text}."


def _counts(row: pd.Series) -> str:
    return f"{row['solved']} of {row['runs']} runs"


def of_comparison(comparison: pd.DataFrame) -> list[dict[str, str]]:
    """Three numbers of the comparison: share solved, final loss, decay of the gradient.

    The first two are of the best setting of the first task, the decay is of its first setting.
    """
    tasks = _of_tasks(comparison)
    if not tasks:
        return []
    best, first = tasks[0].iloc[0], comparison.loc[tasks[0].index.min()]
    share = share_interval(int(best["solved"]), int(best["runs"]))
    return [
        _number(
            f"runs that solved the task, {best['setting']}",
            in_form(share, "{:.0%}"),
            "Share of the runs that ended, with its exact interval of 95 %.",
        ),
        _number(
            f"final loss, {best['setting']}",
            with_interval(_estimate(best, "final_loss")),
            "Evaluation loss, the median over seeds.",
        ),
        _number(
            f"decay of the gradient before training, {first['setting']}",
            with_interval(_estimate(first, "decay_first"), 2, signed=True),
            "Decades a step back in time, the median over seeds; negative: it vanishes.",
        ),
    ]


def _number(label: str, text: str, meaning: str) -> dict[str, str]:
    value, _, interval = text.partition(" ")
    return {"label": label, "value": value, "interval": interval, "meaning": meaning}


def _estimate(row: pd.Series, name: str) -> Estimate:
    return Estimate(*(float(row[f"{name}{end}"]) for end in INTERVAL))
