"""Figures look the same whatever the user has set for Matplotlib; one that fails costs no other."""

import os

import matplotlib
import matplotlib.pyplot as plt
import pandas as pd
import pytest
from in_process import rnnlab as command
from matplotlib.figure import Figure

from rnnlab.report.figures.learning_curves import learning_curves_figure
from rnnlab.report.figures.standard import STANDARD, Standard
from rnnlab.report.figures.style import not_used, own_style
from rnnlab.report.findings import Findings, write_findings

CONFIG = """
task: {kind: adding, length: 4}
cell: {kind: lstm, hidden: 3}
training: {steps: 3, batch: 4}
record: {every: 2, examples: 2}
"""
ODD = {
    "text.usetex": True,
    "axes.facecolor": "pink",
    "axes.xmargin": 0.3,
    "font.family": "no such font",
    "font.size": 30,
    "savefig.bbox": "tight",
    "savefig.facecolor": "red",
    "savefig.dpi": 20,
    "figure.dpi": 37,
    "lines.linewidth": 9,
    "legend.frameon": True,
    "mathtext.fontset": "custom",
}


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    folder = tmp_path_factory.mktemp("style")
    (folder / "tiny.yaml").write_text(CONFIG)
    assert command("run", "tiny.yaml", "--workers", 0, cwd=folder)[0] == 0
    return folder


def pictures(folder):
    return {path.name: path.read_bytes() for path in folder.glob("results/tiny/figures/*.png")}


def test_the_users_settings_change_no_figure(stored):
    usual = pictures(stored)
    with plt.rc_context(ODD):
        code, said = command("plot", "results/tiny", cwd=stored)
    assert code == 0, said
    assert usual
    assert pictures(stored) == usual


def test_a_matplotlibrc_is_named(monkeypatch, tmp_path):
    assert not_used() == []
    monkeypatch.setattr(matplotlib, "matplotlib_fname", lambda: str(tmp_path / "matplotlibrc"))
    (line,) = not_used()
    assert line.startswith(f"{tmp_path / 'matplotlibrc'} is not used: ")


def test_figures_of_commands_need_no_display(stored, monkeypatch):
    monkeypatch.setenv("MPLBACKEND", "no such")
    command("list", cwd=stored)
    assert os.environ["MPLBACKEND"] == "agg"


def test_a_figure_that_cannot_be_saved_costs_one_line_and_no_other(tmp_path):
    with own_style():
        good, bad = plt.figure(), plt.figure()

    def fail(path):
        raise RuntimeError("latex was not able to process\n" + "a long log\n" * 400)

    bad.savefig = fail
    said = []
    figures = {"bad": bad, "good": good}
    written = write_findings(Findings(pd.DataFrame(), figures), tmp_path, tell=said.append)
    bad_path = tmp_path / "figures/bad.png"
    assert said == [f"{bad_path}: not drawn: RuntimeError: latex was not able to process"]
    assert tmp_path / "figures/good.png" in written
    assert {path.name for path in tmp_path.glob("figures/*")} == {"good.png", "CAPTIONS.md"}
    assert not plt.get_fignums()


@pytest.fixture
def failing(monkeypatch):
    """One of the standard figures cannot be drawn."""

    def fail(results) -> Figure:
        return learning_curves_figure(None, None)

    monkeypatch.setitem(STANDARD, "learning_curves", Standard(fail))
    yield
    plt.close("all")


def test_a_figure_that_cannot_be_drawn_costs_one_line_and_no_other(stored, failing):
    usual = set(pictures(stored))
    code, said = command("plot", "results/tiny", "--out", "drawn", cwd=stored)
    assert code == 0
    (line,) = (line for line in said.splitlines() if "not drawn" in line)
    assert line.startswith("drawn/figures/learning_curves.png: not drawn: ")
    drawn = {path.name for path in (stored / "drawn/figures").glob("*.png")}
    assert drawn == usual - {"learning_curves.png"}
    assert "learning_curves" not in (stored / "drawn/figures/CAPTIONS.md").read_text()
    assert not plt.get_fignums()


def test_a_figure_that_cannot_be_drawn_keeps_no_table_from_being_printed(stored, failing):
    code, said = command("run", "tiny.yaml", "--workers", 0, "--no-report", cwd=stored)
    assert code == 0
    assert "final_loss" in said or "loss" in said
    assert "LSTM" in said
    assert "learning_curves.png: not drawn: " in said


def test_an_analysis_that_fails_keeps_no_table_from_being_printed(stored):
    (stored / "own.py").write_text("def analyse(results):\n    raise ValueError('no figure')\n")
    (stored / "own.yaml").write_text(CONFIG + "analysis: own.py:analyse\n")
    usual = command("run", "tiny.yaml", "--workers", 0, "--no-report", cwd=stored)[1]
    code, said = command("run", "own.yaml", "--workers", 0, "--no-report", cwd=stored)
    assert code == 2
    assert "own.py:analyse fails, line 2" in said
    table = [line for line in usual.splitlines() if "LSTM" in line]
    assert table
    assert set(table) <= set(said.splitlines())
