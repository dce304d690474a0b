"""The numbers of docs/jacobian.md, computed again from the equations, with numpy in float64."""

import re
from itertools import pairwise
from pathlib import Path

import jax
import numpy as np
import pytest
from scipy.special import expit

from rnnlab.config.sweep import load_experiment
from rnnlab.gradients.theory import critical_gain
from rnnlab.training.objective import Objective
from rnnlab.training.program import EVALUATION_EXAMPLES, random_streams

PAGE = Path(__file__).parents[2] / "docs" / "jacobian.md"
EXAMPLES = 4


def states(p, x):
    """i, f, g, o, c of every step of one example, and the c and h before each."""
    h = c = np.zeros(len(p["bias_f"]))
    for x_t in x:
        i, f, o = (expit(x_t @ p[f"W_{k}"] + h @ p[f"U_{k}"] + p[f"bias_{k}"]) for k in "ifo")
        g = np.tanh(x_t @ p["W_g"] + h @ p["U_g"] + p["bias_g"])
        before = c
        c = f * c + i * g
        h = o * np.tanh(c)
        yield i, f, g, o, c, before


def measured(p, x):
    """Mean share of the indirect path, log10 of the total and of the direct product, T to 0."""
    steps = list(states(p, x))
    n = len(steps[0][0])
    U = {k: p[f"U_{k}"].T for k in "ifgo"}
    shares, product = [], np.eye(2 * n)
    for (*_, o_before, c_before, _), (i, f, g, o, c, before) in pairwise(steps):
        by_h = (before * f * (1 - f))[:, None] * U["f"] + (g * i * (1 - i))[:, None] * U["i"]
        by_h = by_h + (i * (1 - g**2))[:, None] * U["g"]
        indirect = by_h * (o_before * (1 - np.tanh(c_before) ** 2))
        shares.append(np.linalg.norm(indirect) / np.linalg.norm(np.diag(f) + indirect))
        slope = o * (1 - np.tanh(c) ** 2)
        h_by_h = (np.tanh(c) * o * (1 - o))[:, None] * U["o"] + slope[:, None] * by_h
        jacobian = np.block([[h_by_h, np.diag(slope * f)], [by_h, np.diag(f)]])
        product = jacobian @ product
    *_, o, c, _ = steps[0]
    total = product[n:, n:] + product[n:, :n] * (o * (1 - np.tanh(c) ** 2))
    direct = np.sum([np.log10(f) for _, f, *_ in steps[1:]], axis=0).max()
    return np.mean(shares), np.log10(np.linalg.norm(total, 2)), direct


@pytest.fixture(scope="module")
def found():
    """By (b_f, tied, gain): share, log10 total, log10 direct, medians over seeds."""
    rows = {}
    for run in load_experiment("direct_vs_total", {"seeds": 3}).runs:
        cell, streams = run.settings.cell, random_streams(run.seed)
        objective = Objective(cell, run.settings.task)
        params = jax.tree.map(np.float64, objective.init(streams.init)["cell"])
        drawn = objective.sample(streams.evaluation, EVALUATION_EXAMPLES).inputs
        inputs = np.asarray(drawn, np.float64)[:, :EXAMPLES]
        of_run = np.mean([measured(params, inputs[:, e]) for e in range(EXAMPLES)], axis=0)
        key = (cell.forget_bias, cell.input_bias == "tied", cell.recurrent_gain)
        rows.setdefault(key, []).append([*of_run, of_run[1] - of_run[2]])
    return {key: np.median(values, axis=0) for key, values in rows.items()}


def test_the_table(found):
    rows = re.findall(r"^\| b_f = (\d)(, b_i = −b_f)? \| (.*) \|$", PAGE.read_text("utf-8"), re.M)
    table = {
        (float(b_f), bool(tied), gain): tuple(map(float, cell.split(" / ")))
        for b_f, tied, cells in rows
        for gain, cell in zip((0.1, 1.0, 2.0), cells.split(" | "), strict=True)
    }
    assert table.keys() == found.keys()
    for key, (share, short) in table.items():
        assert share == pytest.approx(found[key][0], abs=6e-4), key
        assert short == pytest.approx(found[key][3], abs=6e-3), key


def test_the_sentences(found):
    tied, small, usual, none, large = (
        found[key]
        for key in ((5, True, 1), (0, False, 0.1), (1, False, 1), (0, False, 1), (5, False, 1))
    )
    text = " ".join(PAGE.read_text("utf-8").split())
    for sentence in (
        f"share is {100 * tied[0]:.1f} % at gain 1, and Π f is right to a third "
        f"({tied[3]:.2f} decades)",
        f"At gain 0.1 and b_f = 0 it is {100 * small[0]:.1f} %, and Π f is {small[3]:.2f} decades "
        f"off where the gradient has shrunk by {-small[1]:.0f}",
        f"At b_f = 1 and gain 1 the indirect paths are {100 * usual[0]:.0f} % of one step",
        "make the gradient 10⁸ times",
        f"leave 10^−{-usual[2]:.1f} of it, and {100 * 10 ** usual[1]:.0f} % remain",
        f"At b_f = 0 Π f is {none[3]:.1f} decades off",
        f"At b_f = 5 the share is only {100 * large[0]:.0f} %",
        f"*grows*, to 10^{large[1]:.1f} over 99 steps",
        f"{critical_gain(5.0):.3f} at b_f = 5",
    ):
        assert sentence in text
    assert 10 ** tied[3] == pytest.approx(4 / 3, abs=0.02)
    assert usual[3] == pytest.approx(8, abs=0.5)
    for b_f in (0.0, 3.0, 5.0):
        assert critical_gain(b_f, b_i=-b_f) == pytest.approx(2)
