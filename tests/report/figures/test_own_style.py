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
    assert [path.name for path in tmp_path.glob("figures/*")] == ["good.png"]
    assert not plt.get_fignums()


def test_a_figure_that_cannot_be_drawn_is_one_sentence(stored, monkeypatch):
    def fail(results) -> Figure:
        return learning_curves_figure(None, None)

    monkeypatch.setitem(STANDARD, "learning_curves", Standard(fail))
    code, said = command("plot", "results/tiny", cwd=stored)
    assert code == 2
    assert said.startswith("rnnlab: the figure learning_curves cannot be drawn: ")
    plt.close("all")
