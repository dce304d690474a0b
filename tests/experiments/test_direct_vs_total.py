"""The claim about the direct path, on made-up results."""

import io
from types import SimpleNamespace

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from rnnlab.report.claims.evidence import numbers_frame
from rnnlab.report.claims.words import estimate
from rnnlab.support.bundled import folder
from rnnlab.support.csv_text import csv_text
from rnnlab.support.plugins import load_analysis

TIME = 12
USUAL, OTHER = "b_f = 1, recurrent_gain = 1", "b_f = 5, b_i = −b_f, recurrent_gain = 2"
STARTS = {USUAL: (1.0, 0.0, 1.0), OTHER: (5.0, "tied", 2.0)}
SHARE = "share of the indirect paths before training"
ERROR = "log10 ‖∂c_T/∂c_0‖₂ − log10 max Π f_t before training"


def part(name):
    return load_analysis(f"direct_vs_total.py:{name}", "analysis", folder("configs"))


def cell(setting):
    """What the setting sets."""
    keys = ("cell.forget_bias", "cell.input_bias", "cell.recurrent_gain")
    options = dict(zip(keys, STARTS[setting], strict=True))
    return options | {"cell.recurrent_kernel": "orthogonal"}


def decide(numbers, names=(USUAL, OTHER)):
    rows = [{"setting": name, "before_training": True} | cell(name) for name in names]
    return part("analyse").decide(numbers, pd.DataFrame(rows))


def results(sizes, steps=(0,), seeds=20, noise=1e-3):
    """Runs with a share of the indirect paths, and an error that grows to so many decades."""
    rng = np.random.default_rng(0)
    runs, tables = [], []
    for setting, (share, error) in sizes.items():
        for seed in range(seeds):
            run = {"run": f"{setting} {seed}", "setting": setting, "seed": seed}
            runs.append(run | {"status": "finished"} | cell(setting))
            t = np.arange(TIME)
            back = TIME - 1 - t
            for step in steps:
                true = -0.1 * back
                shares = np.where(t == 0, 0, share + noise * rng.normal())
                short = (error + noise * rng.normal()) * back / (TIME - 1)
                table = {"step": step, "t": t, "layer": 0, "share": shares}
                table |= {"log10_sensitivity": true, "log10_excess": short}
                table |= {f"{path}_frobenius": 0.1 for path in ("direct", "f", "i", "g")}
                tables.append(pd.DataFrame(table).assign(**run))
    frame = pd.concat(tables, ignore_index=True)
    frame["setting"] = pd.Categorical(frame["setting"], list(sizes), ordered=True)
    return SimpleNamespace(runs=pd.DataFrame(runs), jacobians=frame)


def judged(sizes, **options):
    return numbers_frame(part("judged")(part("of_top_layer")(results(sizes, **options))))


@pytest.mark.parametrize(
    ("usual", "other", "options", "answer"),
    [
        ((0.01, 0.1), (0.01, -0.1), {}, "supported"),
        ((0.01, 0.1), (0.2, 3.0), {}, "undecided"),
        ((0.01, 0.1), (0.01, 0.3), {}, "undecided"),
        ((0.2, 0.1), (0.01, 0.1), {}, "refuted"),
        ((0.01, 3.0), (0.01, 0.1), {}, "refuted"),
        ((0.01, -3.0), (0.01, 0.1), {}, "refuted"),
        ((0.05, 0.1), (0.01, 0.1), {}, "undecided"),
        ((0.01, 0.1), (0.01, 0.1), {"noise": 0.5}, "undecided"),
        ((0.01, 0.1), (0.01, 0.1), {"seeds": 2}, "undecided"),
    ],
)
def test_each_side_and_the_fence(usual, other, options, answer):
    numbers = judged({USUAL: usual, OTHER: other}, **options)
    verdict = decide(numbers)
    assert verdict.answer == answer
    assert decide(pd.read_csv(io.StringIO(csv_text(numbers)))) == verdict


def test_numbers():
    """The share leaves t = 0 out; the error is that over the whole sequence."""
    numbers = judged({USUAL: (0.2, 3.0), OTHER: (0.01, 0.1)}, noise=0.0)
    assert estimate(numbers, SHARE, USUAL).mean == pytest.approx(0.2)
    assert estimate(numbers, ERROR, USUAL).mean == pytest.approx(3.0)
    assert decide(numbers).evidence == (
        f"at {USUAL} the other terms are a share of 0.200 [0.200, 0.200] of one step, and over the "
        "sequence the gradient is 10^(3.00 [3.00, 3.00]) times Π f_t; negligible in 1 of 2 "
        f"settings ({OTHER})"
    )


def test_without_the_usual_setting_nothing_is_decided():
    for names in ((OTHER,), (USUAL, OTHER)):
        verdict = decide(judged({OTHER: (0.01, 0.1)}), names)
        assert (verdict.answer, verdict.evidence) == ("undecided", f"{USUAL} was not measured")


def test_a_setting_that_was_not_run_leaves_it_undecided():
    verdict = decide(judged({USUAL: (0.01, 0.1)}))
    assert verdict.answer == "undecided"
    assert verdict.evidence.endswith(f"negligible in 1 of 2 settings ({USUAL})")
    assert decide(judged({USUAL: (0.01, 0.1)}), [USUAL]).answer == "supported"


def test_text_and_figure():
    sizes = {USUAL: (0.2, 3.0), OTHER: (0.01, 0.1)}
    of_top_layer = part("of_top_layer")
    before = of_top_layer(results(sizes, noise=0.0))
    made = results(sizes, steps=(0, 50, 100), seeds=7, noise=0.0)
    made.runs.loc[0, "status"] = "diverged"
    trained = of_top_layer(made)
    assert trained["run"].nunique() == 13
    numbers = numbers_frame(
        [*part("judged")(before), *part("paths")(before), *part("at_end")(trained)]
    )
    first, second, third = part("text")(numbers).splitlines()
    assert first == (
        f"{USUAL}: indirect share 0.200 [0.200, 0.200], Π f_t off by 3.00 [3.00, 3.00] decades "
        "before training, "
        "0.200 [0.200, 0.200] and 3.00 [3.00, 3.00] at its end"
    )
    assert second.startswith(f"{USUAL}: sizes ‖·‖_F/√n of the paths of one step: f_t 0.100 [")
    assert third.startswith(OTHER)
    figure = part("figure")(before, trained)
    assert len(figure.axes) == 4
    share = figure.axes[0].get_lines()[0]
    assert list(share.get_xdata()) == [0, 50, 100]
    assert share.get_ydata() == pytest.approx([0.2] * 3)
    plt.close(figure)
