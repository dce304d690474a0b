"""Results as a notebook shows them: a summary, a small table and the main figure, as HTML."""

import base64
import io
from collections.abc import Callable, Sequence
from html import escape
from pathlib import Path
from typing import cast

import matplotlib.pyplot as plt

from rnnlab.config.labels import told_once, varying_keys
from rnnlab.report.comparison_views import View, comparison_views
from rnnlab.report.figures.gradient_decay import gradient_decay_figure, shown_steps
from rnnlab.report.figures.style import own_style
from rnnlab.results.comparison import compare
from rnnlab.results.read import Results
from rnnlab.results.stored_run import ENDED
from rnnlab.support.text import printable

MOST_ROWS, PIXELS_PER_INCH = 20, 110


def results_html(results: Results) -> str:
    """Name, question, runs by status, the outcome of each setting, a figure, and what all share.

    A part that cannot be made is left out, and a line says why.
    """
    made = (
        f"<strong>{_text(results.name)}</strong>",
        _text(results.question),
        _text(results.counted()),
        *(_tried(part, results) for part in (_comparison, _figure, _settings)),
    )
    return "\n".join(f"<div>{part}</div>" for part in made if part)


def _text(text: object) -> str:
    """Escape a text for HTML, and isolate its writing direction."""
    return f"<bdi>{escape(printable(str(text)))}</bdi>"


def _tried(part: Callable[[Results], str], results: Results) -> str:
    """A notebook would show a traceback in place of the results."""
    try:
        return part(results)
    except Exception as error:
        why = f"{type(error).__name__}: {error}".splitlines()[0][:300]
        return f"<em>no {_text(part.__name__.strip('_'))}: {_text(why)}</em>"


def _comparison(results: Results) -> str:
    if not results.runs["status"].isin(ENDED).any():
        return ""
    outcome = comparison_views(compare(results), "outcome")[0]
    left_out = len(outcome.rows) - MOST_ROWS
    more = f" {left_out} more settings are not shown." if left_out > 0 else ""
    table = _table(outcome, outcome.rows[:MOST_ROWS])
    return f"{table}<small>{_text(outcome.caption + more)}</small>"


def _table(view: View, rows: Sequence[Sequence[str]]) -> str:
    head = "".join(f'<th scope="col">{_text(column)}</th>' for column in view.columns)
    body = "".join(f"<tr>{''.join(f'<td>{_text(cell)}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _figure(results: Results) -> str:
    """That of the analysis as it was last drawn, or else the decay of the gradient."""
    if not results.runs["status"].isin(ENDED).any():
        return ""
    stored = _of_analysis(results)
    picture = stored.read_bytes() if stored is not None else _decay(results)
    encoded = base64.b64encode(picture).decode()
    name = stored.stem if stored is not None else "gradient_decay"
    source = f"data:image/png;base64,{encoded}"
    return f'<img alt="{escape(name)}" style="max-width:100%" src="{source}">'


def _of_analysis(results: Results) -> Path | None:
    """The figure that a claim draws has the name of the claim's file."""
    store = results.stores[0]
    reference = store.experiment()["analysis"]
    if reference is None or len(results.stores) > 1:
        return None
    stem = Path(str(reference).partition(".py:")[0]).name
    path = store.folder / "figures" / f"{stem}.png"
    return path if path.is_file() else None


def _decay(results: Results) -> bytes:
    with own_style():
        figure = gradient_decay_figure(results.gradients, shown_steps(results.gradients))
        try:
            file = io.BytesIO()
            figure.savefig(file, format="png", dpi=PIXELS_PER_INCH)
        finally:
            plt.close(figure)
    return file.getvalue()


def _settings(results: Results) -> str:
    """List the options on which all runs agree; the labels of the settings tell the others."""
    keys = [column for column in results.runs.columns if "." in column]
    rows = cast(list[dict[str, object]], results.runs[keys].to_dict("records"))
    varying = varying_keys(rows)
    shared = {key: value for key, value in told_once(rows[0]).items() if key not in varying}
    listed = "".join(f"<li>{_text(f'{key} = {value}')}</li>" for key, value in shared.items())
    return f"<details><summary>settings of all runs</summary><ul>{listed}</ul></details>"
