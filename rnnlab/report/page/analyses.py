"""The findings of the analyses that configs name, for a page."""

import json
from collections.abc import Sequence

import matplotlib.pyplot as plt

from rnnlab.report.claims.verdict import Answer, Verdict
from rnnlab.report.findings import Findings, find
from rnnlab.results.comparison import compare
from rnnlab.results.read import Results
from rnnlab.results.stored_run import ENDED
from rnnlab.support.errors import UserError


def analyses(results: Sequence[Results]) -> tuple[dict[int, Findings], list[str]]:
    """The findings of each results folder whose config names an analysis, and notes.

    Where an analysis cannot be run, its place takes the verdict that is stored, and a note says so.

    Returns:
        Findings by the place of the results, without figures; sentences.
    """
    found: dict[int, Findings] = {}
    notes: list[str] = []
    for index, one in enumerate(results):
        reference = one.stores[0].experiment()["analysis"]
        if reference is None or not one.runs["status"].isin(ENDED).any():
            continue
        try:
            found[index] = find(one)
            for figure in found[index].figures.values():
                plt.close(figure)
        except UserError as error:
            note = f"{one.name}: the analysis was not run ({str(error).splitlines()[0]})"
            if stored := _stored(one):
                found[index] = stored
                note += "; the verdict is the one that the last run stored"
            notes.append(f"{note}.")
    return found, notes


def _stored(results: Results) -> Findings | None:
    """The verdict and the text in the results folder; None if there is no verdict."""
    folder = results.stores[0].folder
    try:
        content = json.loads((folder / "verdict.json").read_text(encoding="utf-8"))
        answer = Answer(content["answer"])
        verdict = Verdict(answer, str(content["evidence"]), str(content.get("called", "")))
        text = (folder / "findings.txt").read_text(encoding="utf-8")
    except (OSError, ValueError, KeyError, TypeError):
        return None
    before, _, after = text.partition(str(verdict))
    sentences = [line for line in after.split("\n") if line.strip()]
    return Findings(compare(results), text=before.strip(), verdict=verdict, sentences=sentences)
