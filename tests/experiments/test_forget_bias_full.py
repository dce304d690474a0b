"""The claim about the forget bias, on made-up results."""

import io
from types import SimpleNamespace

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from rnnlab.config.labels import flatten, label_settings
from rnnlab.config.sweep import load_experiment
from rnnlab.report.claims.evidence import numbers_frame
from rnnlab.report.claims.learning import EARLIER
from rnnlab.report.claims.words import estimate
from rnnlab.report.figures.against_forget_bias import against_forget_bias
from rnnlab.results.intervals import earlier_interval, t_interval
from rnnlab.support.bundled import folder
from rnnlab.support.csv_text import csv_text
from rnnlab.support.plugins import load_analysis

FORGET, NORM = "mean f_t before training", "‖∂c_t/∂c_{t−1}‖₂ before training"
RADIUS = "spectral radius of ∂(h, c)_t/∂(h, c)_{t−1} before training"
LEFT = "log10 of the gradient left at the first step before training"
BIASES = (-1, 0, 1, 3, 6)
GOOD_NORM = {-1: 0.3, 0: 0.6, 1: 0.8, 3: 0.96, 6: 0.995}
GOOD_LEFT = {-1: -9.0, 0: -6.0, 1: -4.0, 3: -1.5, 6: -0.2}
GOOD_SOLVED = {-1: None, 0: None, 1: 900, 3: 700, 6: 500}


def part(name):
    return load_analysis(f"forget_bias.py:{name}", "analysis", folder("configs"))


def runs(seeds):
    """Untied and tied, with chrono, on two tasks."""
    rows = []
    for task in ("adding", "copy"):
        for bias in (*BIASES, "chrono"):
            for tied in (0.0, "tied"):
                name = f"{task}, b_f " + (f"= {bias}" if bias != "chrono" else "chrono to 9")
                name += ", b_i = −b_f" if tied else ""
                for seed in range(seeds):
                    cell = {"cell.forget_bias": bias, "cell.input_bias": tied}
                    row = {"run": f"{name} {seed}", "setting": name, "seed": seed}
                    rows.append(row | cell | {"task.kind": task, "training.steps": 1000})
    frame = pd.DataFrame(rows)
    names = list(dict.fromkeys(frame["setting"]))
    return frame.assign(setting=pd.Categorical(frame["setting"], names, ordered=True))


def by_bias(frame, values):
    return frame["cell.forget_bias"].map(values | {"chrono": values[6]}).astype(float)


def before(norm=GOOD_NORM, left=GOOD_LEFT, noise=1e-3, seeds=20):
    frame = runs(seeds)
    jitter = noise * np.random.default_rng(0).normal(size=(3, len(frame)))
    forget = 1 / (1 + np.exp(-by_bias(frame, dict(zip(BIASES, BIASES, strict=True)))))
    left = by_bias(frame, left) + jitter[1]
    found = frame.assign(gate_first=forget, **{FORGET: forget, LEFT: left})
    if norm:
        found = found.assign(**{NORM: by_bias(frame, norm) + jitter[0], RADIUS: 0.5})
    return found


def ended(solved=GOOD_SOLVED, noise=1, seeds=6):
    frame = runs(seeds)
    jitter = noise * np.random.default_rng(0).normal(size=len(frame))
    return frame.assign(solved_at=by_bias(frame, solved) + jitter)


def numbers(norm=GOOD_NORM, left=GOOD_LEFT, solved=GOOD_SOLVED, noise=1e-3, late=1, seeds=6):
    return numbers_frame(
        [
            *part("at_start")(before(norm, left, noise)),
            *part("learning")(ended(solved, late, seeds)),
        ]
    )


def settings():
    """Those that were trained, and the same measured before it."""
    rows = runs(seeds=1)
    return pd.concat([rows.assign(before_training=is_before) for is_before in (False, True)])


def decide(numbers):
    return part("analyse").decide(numbers, settings())


@pytest.mark.parametrize(
    ("options", "answers"),
    [
        ({}, ("supported",) * 4),
        ({"norm": GOOD_NORM | {0: 1.2}}, ("refuted", "supported", "supported", "supported")),
        ({"norm": GOOD_NORM | {6: 1.2}}, ("refuted", "refuted", "supported", "supported")),
        ({"norm": GOOD_NORM | {6: 0.9}}, ("supported", "refuted", "supported", "supported")),
        ({"norm": GOOD_NORM | {3: 1.0}}, ("undecided", "supported", "supported", "supported")),
        ({"norm": None}, ("undecided", "undecided", "supported", "supported")),
        ({"left": GOOD_LEFT | {6: -2.0}}, ("supported", "supported", "refuted", "supported")),
        ({"left": GOOD_LEFT | {1: -7.0}}, ("supported", "supported", "refuted", "supported")),
        ({"left": GOOD_LEFT | {6: -1.0}}, ("supported", "supported", "undecided", "supported")),
        ({"solved": GOOD_SOLVED | {6: None}}, ("supported", "supported", "supported", "refuted")),
        (
            {"solved": {-1: 1, 0: 100, 1: 900, 3: 900, 6: 900}},
            ("supported", "supported", "supported", "refuted"),
        ),
        (
            {"solved": dict.fromkeys(BIASES, 500), "late": 100},
            ("supported", "supported", "supported", "undecided"),
        ),
        # Not shown to be later than b_f = 1, and not earlier either.
        ({"solved": {-1: None, 0: None, 1: 500, 3: 500, 6: 500}, "late": 100}, ("supported",) * 4),
        ({"seeds": 3}, ("supported", "supported", "supported", "undecided")),
    ],
)
def test_each_part_on_each_side_and_the_fence(options, answers):
    table = numbers(**options)
    parts = part("parts")(table, settings())
    assert tuple(own.answer(table) for own in parts) == answers
    expected = next((a for a in ("refuted", "undecided") if a in answers), "supported")
    verdict = decide(table)
    assert verdict.answer == expected
    stored = pd.read_csv(io.StringIO(csv_text(table)))
    assert decide(stored) == verdict


def test_tied_settings_are_not_judged():
    """Not even where they are wrong in every part; they are told."""
    frame = before()
    tied = frame["cell.input_bias"] == "tied"
    found = frame.assign(**{NORM: frame[NORM].mask(tied, 3.0), LEFT: frame[LEFT].mask(tied, -20.0)})
    table = numbers_frame([*part("at_start")(found), *part("learning")(ended())])
    assert decide(table).answer == "supported"
    lines = part("not_judged")(table, found)
    assert lines[0].startswith(
        "not judged, adding, b_f = 6, b_i = −b_f: norm 3.000 [3.000, 3.000], 10^(-20.0 "
    )
    assert len(lines) == 2


def test_numbers():
    table = numbers(noise=0.0)
    gain = estimate(table, LEFT, "copy, b_f = 3 − copy, b_f = 0")
    assert gain.mean == pytest.approx(4.5)
    frame = before()
    own = frame.loc[frame["setting"] == "copy, b_f = 6", LEFT]
    # On each of two tasks: 5 norms, 2 of the greatest b_f, 3 gains.
    assert estimate(numbers(), LEFT, "copy, b_f = 6") == t_interval(own, comparisons=20)
    shares = table[table["quantity"] == EARLIER]
    assert len(shares) == 2 * (3 + 2)
    found = estimate(table, EARLIER, "adding, b_f = 1 − adding, b_f = 0")
    assert found == earlier_interval(range(6), [np.nan] * 6, comparisons=10)
    assert decide(table).evidence.endswith(
        "earlier than b_f = 0 in 6 of 6 settings, later in 0, later than b_f = 1 in 0 of 4"
    )


def test_nothing_measured_is_undecided():
    assert decide(numbers_frame([])).answer == "undecided"


def test_one_step_and_what_is_left_of_jacobians():
    """Of the top one of two layers, at step 0."""
    t = np.arange(4)
    tables = []
    for layer, size in ((0, 9.0), (1, 0.5)):
        for step in (0, 10):
            columns = {"t": t, "layer": layer, "step": step, "log10_sensitivity": t - 3.0 - step}
            sizes = {"total_spectral": size * t, "spectral_radius": 0.1 * t}
            tables.append(pd.DataFrame(columns | sizes).assign(run="a", setting="b_f = 1", seed=0))
    row = {"run": "a", "setting": "b_f = 1", "seed": 0, "status": "finished", "gate_first": 0.7}
    row["solved_at"] = None
    missing = row | {"run": "b", "status": "missing", "gate_first": None}
    results = SimpleNamespace(
        runs=pd.DataFrame([row, missing]), jacobians=pd.concat(tables), has_jacobians=True
    )
    (found,) = part("before_training")(results).to_dict("records")
    assert (found[FORGET], found[NORM], found[LEFT]) == (0.7, 0.5 * 2, -3.0)
    assert found[RADIUS] == pytest.approx(0.2)


def test_figure():
    """A row for each task; open marks of unsolved runs; chrono as a level."""
    figure = against_forget_bias(before(), ended(noise=0), NORM, LEFT)
    assert len(figure.axes) == 6
    unsolved = [m for m in figure.axes[2].get_lines() if m.get_markerfacecolor() == "none"]
    counts = [int(text.get_text()) for text in figure.axes[2].texts]
    assert [len(m.get_xdata()) for m in unsolved] == [1] * len(counts)
    assert sum(counts) == 24
    assert len(figure.legends[0].get_texts()) == 5
    plt.close(figure)


def test_settings_are_called_alike_before_and_in_training():
    experiment = load_experiment("forget_bias_full")
    trained, before = (
        pd.DataFrame([flatten(settings.resolved) for settings in own.settings]).assign(
            setting=label_settings([settings.resolved for settings in own.settings])
        )
        for own in (experiment, experiment.before_training)
    )
    assert set(trained["setting"]) < set(before["setting"])
    judged = part("untied")(before)
    assert judged == part("untied")(trained)
    assert [list(own) for own in judged] == [list(range(-2, 7))] * 2
