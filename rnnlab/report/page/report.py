"""The page of results: its data, and the file."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from rnnlab.report.findings import Findings
from rnnlab.report.page.against import against_data
from rnnlab.report.page.answer import answer_data, numbers_data
from rnnlab.report.page.captions import CAPTIONS
from rnnlab.report.page.comparison_table import comparison_of, table_data
from rnnlab.report.page.curves import curves_data
from rnnlab.report.page.drawn import drawn_of
from rnnlab.report.page.html import json_text, page_html
from rnnlab.report.page.instrument import instrument_data, of_script
from rnnlab.report.page.learning import learning_data
from rnnlab.report.page.made import made_data
from rnnlab.report.page.notes import notes_on, notes_on_settings
from rnnlab.report.page.one_number import by_setting_data
from rnnlab.report.page.settings import folder_names, settings_data, settings_of
from rnnlab.report.page.spectra import eigenvalues_data
from rnnlab.report.page.templates import render
from rnnlab.results.read import Results
from rnnlab.support.files import storage_errors, write_text
from rnnlab.support.text import printable

REPORT = "report.html"
# Bytes of all data: with plotly.js and rnnlab's scripts, a page has 6 MB at most.
BYTES, BYTES_A_NUMBER = 3_900_000, 5.4
# Numbers: of some parts, and the fewest of the curves, which have what the others leave.
ROOM_OF_LEARNING, ROOM_OF_SPECTRA, LEAST_ROOM = 40_000, 30_000, 100_000
# What the script reads; all else stands in the markup.
OF_SCRIPT = (*("settings", "steps", "curves", "against", "learning", "eigenvalues", "explore"),)
# JSON has no ∞; a number that sorts behind all others.
LATEST = 1e300


def write_report(
    results: Sequence[Results],
    path: Path,
    findings: Mapping[int, Findings],
    notes: Sequence[str] = (),
) -> Path:
    """Write the page of one results folder, or one that compares several.

    Args:
        results: of one folder each.
        path: of the page.
        findings: of the analyses that configs name, by the place of their results.
        notes: sentences for the page.

    Returns:
        The path.
    """
    text = report_html(report_data(results, findings, notes))
    with storage_errors(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text(path, text)
    return path


def report_html(data: Mapping[str, Any]) -> str:
    """The page of these data, which ``report_data`` gives."""
    decay = [curve for curve in data["curves"] if curve["group"] == "decay"]
    drawable = _drawable(data)
    body = render(
        "report.html",
        drawable=drawable,
        heat={index: data["settings"][index]["label"] for index in drawable},
        measures={own["name"]: own["label"] for own in _measures(data)},
        groups={curve["group"] for curve in data["curves"]},
        carries=sorted({curve["of"] for curve in data["curves"] if curve["group"] == "paths"}),
        quantities=_quantities(decay),
        quantity=max(decay, key=lambda curve: len(curve["steps"]), default={"name": ""})["name"],
        **data,
    )
    own = {key: data[key] for key in OF_SCRIPT}
    own["explore"] = own["explore"] and of_script(own["explore"])
    return page_html(data["title"], body, "report.js", own)


def _drawable(data: Mapping[str, Any]) -> list[int]:
    """The settings that a reader can switch on: of very many, a page holds those of some.

    Where others have curves, those that were only measured before training have points alone, which
    are always drawn.
    """
    curves = [*data["curves"], *([data["learning"]] if data["learning"] else [])]
    points = [entry for own in _measures(data) for entry in own["entries"]]
    own, other = ({i["setting"] for part in of for i in part["items"]} for of in (curves, points))
    trained = {index for index in other if not data["settings"][index]["beforeTraining"]}
    return sorted(own | trained)


def _measures(data: Mapping[str, Any]) -> list[dict[str, Any]]:
    return data["against"]["measures"] if data["against"] else []


def _quantities(decay: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """The label of each curve in the list of quantities.

    A part of the state may have a distance in some settings, and t alone in others.
    """
    many = Counter(curve["short"] for curve in decay)
    where = {c["name"]: f", {c['xLabel']}" if many[c["short"]] > 1 else "" for c in decay}
    return {curve["name"]: curve["short"] + where[curve["name"]] for curve in decay}


def report_data(
    results: Sequence[Results],
    findings: Mapping[int, Findings],
    notes: Sequence[str] = (),
    size: int = BYTES,
) -> dict[str, Any]:
    """The data of the page, as plain JSON: of its markup and of its script.

    Arguments are those of ``write_report``, and ``size``, in bytes: curves are thinned to fit into
    it, but not to fewer than ``LEAST_ROOM`` numbers.
    """
    settings = settings_of(results)
    comparison = comparison_of(settings)
    names = folder_names(results)
    drawn = drawn_of(settings)
    several = len(results) > 1
    of_analysis = {names[index] if several else "": own for index, own in findings.items()}
    data: dict[str, Any] = {
        "title": " + ".join(dict.fromkeys(one.name for one in results)),
        "question": _question(results),
        "answer": answer_data(of_analysis, comparison),
        "numbers": numbers_data(of_analysis, comparison),
        "notes": [],
        "settings": settings_data(settings, list(drawn.settings)),
        "steps": [],
        "curves": [],
        "against": against_data(drawn, settings, by_setting_data(drawn)),
        "learning": learning_data(drawn, ROOM_OF_LEARNING),
        "eigenvalues": eigenvalues_data(drawn, ROOM_OF_SPECTRA),
        "table": table_data(comparison),
        "captions": CAPTIONS,
        "made": made_data(results),
        "explore": instrument_data(list(drawn.settings.values())),
    }
    left = size - len(json_text(clean(data)).encode())
    curves = curves_data(drawn, max(LEAST_ROOM, int(left / BYTES_A_NUMBER)))
    data["curves"] = told_apart(curves)
    data["steps"] = _steps(data["curves"])
    of_runs = [*notes_on(results, names), *notes_on_settings(settings)]
    data["notes"] = [*notes, *of_runs, *drawn.notes]
    return clean(data)


def told_apart(curves: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Curves of which no two in a group have one name, though cells carry c, or h alone."""
    seen: set[tuple[str, str]] = set()
    many = Counter((curve["group"], curve["short"]) for curve in curves)
    for curve in curves:
        if many[curve["group"], curve["short"]] > 1 and curve["of"]:
            curve["short"] += f" of {curve['of']}"
        while (curve["group"], curve["name"]) in seen:
            curve["name"] += " *"
        seen.add((curve["group"], curve["name"]))
    return list(curves)


def _question(results: Sequence[Results]) -> str:
    questions = dict.fromkeys(one.question for one in results if one.question)
    if len(questions) < 2:
        return "".join(questions)
    return " ".join(f"{one.name}: {one.question}" for one in results if one.question)


def _steps(curves: list[dict[str, Any]]) -> list[int]:
    """The steps of the slider: those of the curve that has the most."""
    return max((curve["steps"] for curve in curves), key=len, default=[])


def clean(value: Any) -> Any:
    """Plain JSON: no NaN, no ∞, and texts without control characters, such as those of bidi."""
    if isinstance(value, Mapping):
        return {printable(str(key)): clean(own) for key, own in value.items()}
    if isinstance(value, list | tuple):
        return [clean(own) for own in value]
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, np.generic):
        return clean(value.item())
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else math.copysign(LATEST, value)
    return value
