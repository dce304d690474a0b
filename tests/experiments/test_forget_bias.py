"""The claim about the forget bias on made-up results without Jacobians."""

import math

import matplotlib.pyplot as plt
import pytest
from made_up import TIME, settings, summary, write

from rnnlab.results.read import load
from rnnlab.support.bundled import folder
from rnnlab.support.plugins import load_analysis


@pytest.fixture
def findings(tmp_path):
    runs = [
        (settings(forget_bias=0.0), 0, "finished", summary(decay_first=-0.3)),
        (settings(forget_bias=0.0), 1, "finished", summary(decay_first=-0.1, solved_at=70)),
        (settings(forget_bias=2.0), 0, "finished", summary(decay_first=0.2, solved_at=50)),
        (settings(forget_bias=2.0), 1, "missing", {}),
        (settings(forget_bias=3.0), 0, "failed", {}),
    ]
    write(tmp_path / "made_up", runs)
    analyse = load_analysis("forget_bias.py:analyse", "analysis", folder("configs"))
    yield analyse(load(tmp_path / "made_up"))
    plt.close("all")


def test_sentences(findings):
    assert findings.text.splitlines() == [
        "b_f = 0: mean f_t 0.500 before training, where the gradient shrinks by 0.2000 decades a "
        "step going back; solved in 1 of 2 runs.",
        "b_f = 2: mean f_t 0.500 before training, where the gradient grows by 0.2000 decades a "
        "step going back; solved in 1 of 1 runs, at step 50 (median).",
    ]


def test_only_runs_that_ended_are_drawn(findings):
    ax = findings.figures["forget_bias"].axes[2]
    solved = [list(m.get_xdata()) for m in ax.get_lines() if m.get_markerfacecolor() != "none"]
    unsolved = [m.get_ydata()[0] for m in ax.get_lines() if m.get_markerfacecolor() == "none"]
    assert [[x for x in xs if x == x] for xs in solved[:3]] == [[70], [50], []]
    assert unsolved == [0]
    assert [text.get_text() for text in ax.texts] == ["1"]


def test_it_says_what_it_cannot_judge(findings):
    """f_t and gradients of its few seeds; ∂c_t/∂c_{t−1} itself is not recorded."""
    found = findings.numbers.set_index(["quantity", "of"])["value"]
    assert found["mean f_t before training", "b_f = 0"] == 0.5
    left = "log10 of the gradient left at the first step before training"
    assert found[left, "b_f = 0"] == pytest.approx((TIME - 1) * math.log10(0.5))
    assert found["share solved", "b_f = 2"] == 1
    assert findings.verdict.answer == "undecided"
    evidence = findings.verdict.evidence
    assert "(a) in (0, 1) undecided: ∂c_t/∂c_{t−1} was not recorded; " in evidence
    assert "the other paths were not recorded; " in evidence
