"""Text from strangers shows as it is, or harmlessly, wherever it ends up."""

import io
import re
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd
import pytest
from rich.console import Console
from stored_runs import setting, store_runs

from rnnlab.config.labels import labels
from rnnlab.report.figures.palette import category
from rnnlab.report.figures.seeds import seed_lines
from rnnlab.report.figures.style import (
    figure_legend,
    log10_of_gradient,
    panel_for_each,
    panels,
    safe_name,
    symbol,
    title_label,
)
from rnnlab.report.tables import comparison_tables, overview
from rnnlab.results.comparison import compare
from rnnlab.results.read import load
from rnnlab.support.csv_text import csv_text
from rnnlab.support.terminal import plain, plain_table
from rnnlab.support.text import printable

HOSTILE = [
    "[bold]x[/bold]",
    "[/]",
    "[link=file:///etc/passwd]x[/link]",
    "\x1b[2J\x1b]0;owned\x07",
    "\x9b31m",
    "a\rb\bc\x00",
    "$",
    "$$",
    "$x",
    r"$\frac{$",
    r"\$",
    r"\\$\$ $b_f$",
    r"$\frac{1}{",
    "b_f = $ 1",
    "$" * 99,
    "\\" * 99 + "$",
    "<script>alert(1)</script>&amp;",
    "x" * 5000,
    "ab\u202ecd\u2066",
    "\u2028\u2029\u0085",
    "_hidden",
    "{}%s{0}",
    "=1+1",
    "",
    " ",
    "\n\n",
    "\ud800",
]


def flat(**more):
    return {"cell.kind": "lstm", "cell.forget_bias": 1.0, **more}


def hostile_labels():
    return labels([flat(**{"task.x": text}) for text in HOSTILE])


def test_printable_escapes_what_steers_a_terminal_and_nothing_else():
    assert printable("\x1b[2J\u202e\x00\ud800") == r"\x1b[2J\u202e\x00\ud800"
    plain_text = "b_f = −1, ‖∂c‖ Почему 为什么\u3000é 🙂\nnext line"
    assert printable(plain_text) == plain_text


def test_labels_of_hostile_values_are_short_lines_that_differ():
    names = hostile_labels()
    assert len(set(names)) == len(HOSTILE)
    for name in names:
        assert name.isprintable()
        assert len(name) < 140


def test_labels_of_hostile_keys_and_kinds():
    settings = [
        {"cell.kind": f"{text}.py:{text}", f"cell.{text}": 1, "cell.forget_bias": "chrono"}
        for text in HOSTILE
    ]
    assert all(name.isprintable() for name in labels(settings))


def test_long_labels_that_begin_alike_are_told_apart():
    settings = [flat(**{"task.x": "y" * 5000 + end}) for end in ("a", "b")]
    assert [name[-3:] for name in labels(settings)] == [" #1", " #2"]


def test_chrono_without_a_time_scale_has_a_label():
    settings = [flat(), flat() | {"cell.forget_bias": "chrono"}]
    assert labels(settings) == ["b_f = 1", "b_f chrono"]


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: ascii(text)[:20])
def test_tables_show_text_as_it_is(text):
    console = Console(file=io.StringIO(), width=200, force_terminal=True, color_system="truecolor")
    console.print(plain(text))
    console.print(plain_table(text, ["setting"], [[text]], text))
    without_styles = re.sub(r"\x1b\[[0-9;]*m", "", console.file.getvalue())
    assert all(c.isprintable() or c == "\n" for c in without_styles)
    assert without_styles.count(printable(text)[:30].strip()) >= 3


def test_a_results_folder_of_hostile_text_is_shown_and_compared(tmp_path):
    texts = HOSTILE[:-1]
    runs = [(setting(1, text=text, **{text: 1}), 0) for text in texts]
    store_runs(tmp_path / "x", runs, name="[/]\x1b[2J", question="".join(texts))
    results = load(tmp_path / "x")
    table = compare(results, by="cell.text")
    console = Console(file=io.StringIO(), width=200)
    for part in (*overview(results), *comparison_tables(table, results.name)):
        console.print(part)
    shown = console.file.getvalue()
    assert all(c.isprintable() or c == "\n" for c in shown)
    assert shown.count("[/]") > 4
    assert not re.search(r"(^|,)[=+@]", csv_text(table), re.MULTILINE)


FORMULAS = ["=1+1", "+1+1", "-1+cmd|' /C calc'!A0", "@SUM(A1)", "=", "-", "−=", "\t=1", "\r=1"]


def test_csv_guards_formulas_and_leaves_numbers_and_labels():
    table = pd.DataFrame(
        {
            "setting": pd.Categorical(["=1+1", "b_f = −1", "-1"], ordered=True),
            "value": [-1.5, float("nan"), float("inf")],
            "mixed": [-1.5, "chrono", None],
            "=key": ["+1", "-inf", "@x"],
        }
    )
    assert csv_text(table) == (
        "setting,value,mixed,'=key\n'=1+1,-1.5,-1.5,+1\nb_f = −1,,chrono,-inf\n-1,inf,,'@x\n"
    )


@pytest.mark.parametrize("text", [*FORMULAS, *HOSTILE[:-1]], ids=lambda text: ascii(text)[:20])
def test_no_cell_of_a_csv_begins_a_formula(text):
    written = csv_text(pd.DataFrame({"a": [text], text: ["b"]}))
    written.encode()
    frame = pd.read_csv(io.StringIO(written), keep_default_na=False, dtype=str)
    for cell in (str(frame.columns[1]), *frame["a"]):
        assert cell[:1] not in tuple("=+-@\t\r")


def test_a_csv_of_harmless_text_is_that_of_pandas():
    table = pd.DataFrame({"setting": ["b_f = −1, b_i = −b_f", "LSTM"], "x": [1, None], "y": [0, 1]})
    assert csv_text(table) == table.to_csv(index=False)


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: ascii(text)[:20])
def test_figures_show_labels_as_they_are(text):
    (name, other) = labels([flat(**{"task.x": text}), flat(**{"task.x": 1})])
    written = [name, f"{printable(text)}, b_f = 1".replace("\n", " ")[:200]]
    figure, axes = panel_for_each([*written, other])
    for index, label in enumerate(written):
        seed_lines(axes[0], pd.DataFrame({0: [1.0, 2.0]}), category(index), label)
    figure_legend(figure, axes, written)
    figure.set_layout_engine("none")
    figure.savefig(io.BytesIO(), format="svg")
    texts = (entry.get_text().replace("\n", " ") for entry in figure.legends[0].get_texts())
    entries = [literal(text).strip() for text in texts]
    assert entries == [label.strip() for label in written]
    plt.close(figure)


@pytest.mark.parametrize("text", [*HOSTILE, "of_a_gate"], ids=lambda text: ascii(text)[:20])
def test_names_of_gates_and_states_are_typeset_and_become_file_names(text):
    figure, ((ax,),) = panels(1, 1)
    ax.set_ylabel(f"mean ${symbol(text)}_t$")
    ax.set_title(log10_of_gradient(text))
    figure.set_layout_engine("none")
    figure.savefig(io.BytesIO(), format="svg")
    plt.close(figure)
    name = f"gate_{safe_name(text)}"
    assert name == Path(name).name
    assert re.fullmatch(r"[\w.-]+", name)


def test_titles_are_not_broken_within_an_escape():
    text = "a" + "$" * 99
    lines = title_label(text, 30).split("\n")
    assert len(lines) > 1
    assert "".join(map(literal, lines)) == text
    assert all(line.count("$") == line.count(r"\$") for line in lines)


def literal(text):
    """What matplotlib shows of a label."""
    return re.sub(r"\$b_([fiz])\$", r"b_\1", text).replace(r"\$", "$")
