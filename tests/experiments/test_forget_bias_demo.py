"""The demo: its sentences, answer, key numbers and figure, on made-up runs; and its config."""

import math
from types import SimpleNamespace

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from rnnlab.config.labels import flatten, label_settings
from rnnlab.config.sweep import load_experiment
from rnnlab.report.claims.evidence import numbers_frame
from rnnlab.report.claims.words import in_words
from rnnlab.report.figures.paths_and_learning import paths_and_learning
from rnnlab.results.intervals import median_interval, t_interval
from rnnlab.support.bundled import folder
from rnnlab.support.plugins import in_folders, load

BIASES = (0, 1, 5, "chrono")
NORM = {0: 0.8, 1: 1.0, 5: 1.2, "chrono": 1.1}
SOLVED = {0: None, 1: 900, 5: None, "chrono": 700}
# Norms of b_f = 0, 1 and 5, f_t and norm of b_f = 5, gains of b_f = 1 and 5 over b_f = 0.
JUDGED = 3 + 2 + 2


def part(name):
    find = in_folders(folder("experiments"))
    return load(f"forget_bias_demo.py:{name}", "analysis", find).value


def settings(seeds, ties=(0.0, "tied")):
    rows = []
    for bias in BIASES:
        for tie in ties:
            name = "b_f chrono to 9" if bias == "chrono" else f"b_f = {bias}"
            name += ", b_i = −b_f" if tie else ""
            cell = {"cell.forget_bias": bias, "cell.input_bias": tie, "cell.t_max": math.nan}
            rows += [
                {"run": f"{name} {seed}", "setting": name, "seed": seed, **cell}
                for seed in range(seeds)
            ]
    frame = pd.DataFrame(rows)
    names = list(dict.fromkeys(frame["setting"]))
    return frame.assign(setting=pd.Categorical(frame["setting"], names, ordered=True))


def before(ties=(0.0, "tied")):
    """Tied settings have a norm of 1, the direct part is half of it."""
    frame = settings(20, ties)
    jitter = 1e-3 * np.random.default_rng(0).normal(size=len(frame))
    norm = frame["cell.forget_bias"].map(NORM).mask(frame["cell.input_bias"] == "tied", 1.0)
    norm = norm.astype(float) + jitter
    columns = {"FORGET": norm / 2, "NORM": norm, "LEFT": 10 * np.log10(norm)}
    columns |= {"DIRECT": norm / 2, "INDIRECT": norm / 2}
    return frame.assign(**{part(name): values for name, values in columns.items()})


def trained(ties=(0.0, "tied")):
    """Tied runs solve the task at step 500, 501, …; the others as ``SOLVED``."""
    frame = settings(6, ties).assign(**{"training.steps": 1000})
    at = frame["cell.forget_bias"].map(SOLVED).astype(float)
    at = at.mask(frame["cell.input_bias"] == "tied", 500.0) + frame["seed"]
    return frame.assign(solved_at=at, status="finished")


def numbers(ties=(0.0, "tied")):
    return numbers_frame([*part("at_start")(before(ties)), *part("learning")(trained(ties))])


@pytest.fixture(autouse=True)
def _close():
    yield
    plt.close("all")


def interval(quantity, setting, form=".3g"):
    frame = before()
    values = frame.loc[frame["setting"] == setting, part(quantity)]
    return in_words(t_interval(values, JUDGED), form)


def test_three_sentences_with_intervals():
    found = [*part("of_one_step")(numbers(), before()), *part("of_learning")(numbers(), trained())]
    solved = in_words(median_interval(range(500, 506)), ".0f")
    assert found == [
        "b_f sets the forget gate: before training its mean f_t is "
        f"{interval('FORGET', 'b_f = 0')} with b_f = 0, and {interval('FORGET', 'b_f = 5')} with "
        "b_f = 5.",
        "∂c_t/∂c_{t−1} is f_t plus paths through h_{t−1}: with b_f = 5 its norm is "
        f"{interval('NORM', 'b_f = 5')}, and above 1 some gradients grow; with b_i = −b_f as well "
        f"it is {interval('NORM', 'b_f = 5, b_i = −b_f')}.",
        "With b_f = 0, 1, 5 alone 0, 6, 0 of 6 runs solve the task; 6 of 6 runs do with b_f = 0, "
        f"b_i = −b_f, at step {solved} (median).",
    ]


def test_sentences_without_ties_and_where_nothing_is_solved():
    untied = (0.0,)
    runs = trained(untied)
    found = part("of_learning")(numbers(untied), runs)
    at = in_words(median_interval(range(900, 906)), ".0f")
    assert found == [
        "With b_f = 0, 1, 5 alone 0, 6, 0 of 6 runs solve the task; 6 of 6 runs do with b_f = 1, "
        f"at step {at} (median)."
    ]
    assert part("of_one_step")(numbers(untied), before(untied))[1].endswith("some gradients grow.")
    none = runs.assign(solved_at=math.nan)
    unsolved = numbers_frame(part("learning")(none))
    one_less = none.iloc[1:]
    assert part("of_learning")(unsolved, one_less) == [
        "With b_f = 0, 1, 5 alone 0 of 5, 0 of 6, 0 of 6 runs solve the task."
    ]
    one = runs[runs["setting"] == "b_f = 1"]
    assert part("of_learning")(numbers(untied), one) == []
    assert part("of_one_step")(numbers(untied), one) == []


def test_the_answer_is_one_sentence_by_the_rules():
    found = part("answer")(numbers(), before(), trained())
    assert found == (
        "With b_f = 5 alone the norm of ∂c_t/∂c_{t−1} does not stay near one (1.2), and raising "
        "b_f can harm learning; with b_i = −b_f as well it stays near one (1); 6 of 6 runs learn "
        "the task with b_f = 5, b_i = −b_f."
    )
    assert part("answer")(numbers_frame([]), before(), trained()) == ""


def test_key_numbers():
    found = part("key_numbers")(numbers(), before(), trained())
    assert [(own.label, own.value) for own in found] == [
        ("‖∂c_t/∂c_{t−1}‖, b_f = 5", "1.200"),
        ("‖∂c_t/∂c_{t−1}‖, b_f = 5, b_i = −b_f", "1.000"),
        ("solved at step, b_f = 5, b_i = −b_f", "502"),
    ]
    assert all(own.interval and own.meaning for own in found)


def test_the_tie_is_that_of_the_same_task():
    """Settings of another task or size are not taken for the tie of this one."""
    frame = before()
    both = pd.concat([frame.assign(**{"task.kind": "a"}), frame.assign(**{"task.kind": "b"})])
    names = both["setting"].astype(str) + ", " + both["task.kind"]
    both = both.assign(setting=pd.Categorical(names, names.unique(), ordered=True))
    expected = {float(b): f"b_f = {b}, b_i = −b_f, a" for b in (0, 1, 5)}
    assert part("tied")(both) == expected


def test_sizes_of_the_parts_are_those_of_the_top_layer_before_training():
    rows = [
        {"run": "x", "setting": "s", "layer": layer, "step": step, "t": t, "direct_spectral": size,
         "indirect_spectral": 10 * size}
        for layer, step, t, size in (
            (1, 0, 0, 9.0), (1, 0, 1, 0.2), (1, 0, 2, 0.4), (0, 0, 1, 7.0), (1, 5, 1, 8.0)
        )
    ]  # fmt: skip
    results = SimpleNamespace(has_jacobians=True, jacobians=pd.DataFrame(rows))
    (found,) = part("with_parts")(pd.DataFrame({"run": ["x"]}), results).to_dict("records")
    assert (found[part("DIRECT")], found[part("INDIRECT")]) == pytest.approx((0.3, 3.0))


def drawn(ax):
    return {line.get_label(): line for line in ax.get_lines() if line.get_label()[0] != "_"}


def test_the_figure_draws_medians_over_seeds_and_every_solved_run():
    frame, runs = before(), trained()
    figure = paths_and_learning(frame, runs, part("PATHS"), part("LEFT"))
    alone, tied, left, learned = figure.axes
    for ax, tie in ((alone, 0.0), (tied, "tied")):
        own = frame[frame["cell.input_bias"] == tie]
        for name, column in zip(("total", "direct, $f_t$"), ("NORM", "DIRECT"), strict=True):
            line = drawn(ax)[name]
            medians = own.groupby("cell.forget_bias")[part(column)].median()
            assert list(line.get_xdata()) == [0, 1, 5, 6.5]
            expected = [medians[bias] for bias in BIASES]
            assert list(line.get_ydata()) == pytest.approx(expected)
    assert [tick.get_text() for tick in alone.get_xticklabels()] == ["0", "1", "5", "chrono"]
    assert set(drawn(left)) == {"$b_i$ = 0", "$b_i$ = −$b_f$"}
    marks = [list(line.get_xdata()) for line in learned.get_lines() if line.get_marker() != "None"]
    for setting, at in zip(runs["setting"].cat.categories, marks, strict=True):
        own = runs.loc[runs["setting"] == setting, "solved_at"].dropna()
        assert at == list(own)
    counts = [text.get_text() for text in learned.texts]
    assert counts == ["0 of 6", "6 of 6"] + ["6 of 6"] * 2 + ["0 of 6"] + ["6 of 6"] * 3


def test_the_figure_hides_the_panel_of_ties_where_there_are_none():
    figure = paths_and_learning(before((0.0,)), trained((0.0,)), part("PATHS"), part("LEFT"))
    assert [ax.get_visible() for ax in figure.axes] == [True, False, True, True]


def test_settings_are_called_alike_before_and_in_training():
    experiment = load_experiment("forget_bias")
    names = [
        set(label_settings([settings.resolved for settings in own.settings]))
        for own in (experiment, experiment.before_training)
    ]
    assert names[0] < names[1]
    biases = [flatten(own.resolved)["cell.forget_bias"] for own in experiment.settings]
    assert biases == [0, 1, 3, 5, 3, "chrono"]
    assert len(experiment.config.seed_list()) == 6
    assert len(experiment.before_training.config.seed_list()) == 20
