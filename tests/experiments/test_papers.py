"""Published results against made-up ones, on each side of every rule."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import save_file

from rnnlab.config.model import load_config
from rnnlab.config.sweep import load_experiment
from rnnlab.report.claims.evidence import numbers_frame
from rnnlab.report.claims.published import by_cell_and_length, losses_of_baseline
from rnnlab.report.claims.words import estimate
from rnnlab.results.intervals import paired_ratio_interval
from rnnlab.support.bundled import config_names, folder
from rnnlab.support.plugins import load_analysis

PAPERS = [name for name in config_names() if name.startswith("papers/")]


def part(paper, name):
    return load_analysis(f"papers/{paper}.py:{name}", "analysis", folder("configs") / "papers")


def constant(paper, name):
    return part(paper, "measure").__globals__[name]


def decide(paper, numbers):
    return part(paper, "analyse").decide(numbers, settings=pd.DataFrame())


@pytest.mark.parametrize("name", PAPERS)
def test_configs(name):
    experiment = load_experiment(name)
    assert experiment.config.name == name.removeprefix("papers/")
    assert len(experiment.config.seed_list()) >= 5
    assert len(experiment.settings) >= 2


def test_every_row_has_a_config_and_a_reduced_one_where_it_trains():
    rows = {name.removesuffix("_reduced") for name in PAPERS}
    assert {row.partition("_")[0] for row in rows} == {
        f"papers/{paper}"
        for paper in ("arjovsky2016", "bai2018", "jozefowicz2015", "pascanu2013", "tallec2018")
    }
    for row in rows:
        trains = load_config(row)[0].training["steps"] if "tallec2018_adding" not in row else 1
        assert (f"{row}_reduced" in PAPERS) == bool(trains)


@pytest.mark.parametrize("name", PAPERS)
def test_what_a_config_runs_is_in_the_published_table(name):
    experiment = load_experiment(name)
    paper = experiment.config.analysis.removeprefix("papers/").partition(".")[0]
    published = [result.of for result in constant(paper, "PUBLISHED")]
    for settings in experiment.settings:
        task = settings.resolved["task"]
        if "digits" in task:
            assert any(of.endswith(f"≤ {task['digits']} digits") for of in published)
        elif paper != "pascanu2013":
            assert any(f"T = {task['length']}," in f"{of}," for of in published)


# Tallec & Ollivier 2018


def learning(task, length, standard, chrono, end=1000):
    """Runs whose loss falls from 1 to 0 at these steps, by bias; None: it does not."""
    runs, frames = [], []
    for bias, steps in {1.0: standard, "chrono": chrono}.items():
        for seed, step in enumerate(steps):
            run = f"{bias} {seed}"
            row = {"run": run, "seed": seed, "status": "finished", "cell.forget_bias": bias}
            row |= {"solved_at": None}
            row |= {"task.kind": task, "task.length": length, "training.steps": end}
            runs.append(row | {"baseline": 1.0, "threshold": 0.01})
            loss = np.arange(end + 1) < (end + 1 if step is None else step)
            frame = {"run": run, "seed": seed, "setting": "x", "step": np.arange(end + 1)}
            frames.append(pd.DataFrame(frame | {"loss": loss.astype(float)}))
    return part("tallec2018", "learning")(pd.DataFrame(runs), pd.concat(frames))


def tallec(*args):
    return numbers_frame(part("tallec2018", "measured")(learning(*args)))


SLOW, FAST = [700, 710, 720, 730, 740, 750, 760], [100, 90, 80, 70, 100, 90, 80]


@pytest.mark.parametrize(
    ("run", "answer"),
    [
        (("adding", 750, SLOW, FAST), "supported"),
        (("adding", 200, SLOW, FAST), "supported"),
        (("adding", 750, [200] * 7, FAST), "refuted"),
        (("adding", 200, [200] * 7, FAST), "supported"),
        (("adding", 200, FAST, SLOW), "refuted"),
        (("adding", 200, [*FAST[:4], *SLOW[4:]], [*SLOW[:4], *FAST[4:]]), "undecided"),
        (("adding", 750, [None] * 7, FAST), "supported"),
        (("adding", 750, [None] * 7, [None] * 7), "undecided"),
        (("adding", 750, FAST, [None] * 7), "refuted"),
        (("adding", 750, SLOW[:3], FAST[:3]), "undecided"),
        (("copy", 500, [None] * 7, FAST), "supported"),
        (("copy", 50, SLOW, FAST), "supported"),
        (("copy", 500, SLOW, [*FAST[:5], None, None]), "undecided"),
        (("copy", 500, SLOW, [None] * 7), "refuted"),
    ],
)
def test_tallec(run, answer):
    assert decide("tallec2018", tallec(*run)).answer == answer


def test_tallec_numbers():
    """A mean of 50 losses is below 0.01 with the 50th zero, and below 0.9 with the sixth."""
    found = tallec("adding", 750, SLOW, FAST)
    steps, than = np.array(SLOW) + 49, np.array(FAST) + 49
    name = "steps of b_f = 1 / steps of chrono"
    assert estimate(found, name, "adding, T = 750") == paired_ratio_interval(steps, than)
    assert estimate(found, "learned at step", "adding, T = 750, chrono").mean == 90 + 49
    copied = tallec("copy", 500, SLOW, [*FAST[:5], None, None])
    assert estimate(copied, "share that learned", "copy, T = 500, chrono").mean == 5 / 7
    assert estimate(copied, "learned at step", "copy, T = 500, b_f = 1").mean == 730 + 5


# Bai et al. 2018 and Arjovsky et al. 2016


def losses(task, length, baseline, **finals):
    """Runs that end with these losses, by cell; None: diverged."""
    rows = [
        {"run": f"{cell} {seed}", "seed": seed, "status": "finished", "cell.kind": cell}
        | {"task.kind": task, "task.length": length, "baseline": baseline, "final_loss": loss}
        for cell, several in finals.items()
        for seed, loss in enumerate(several)
    ]
    runs = pd.DataFrame(rows).assign(solved_at=None)
    return runs.assign(status=runs["status"].mask(runs["final_loss"].isna(), "diverged"))


def training(runs):
    """Losses of 10 steps, then for 250 those at the end."""
    return pd.concat(
        pd.DataFrame({"run": run, "step": range(260), "loss": [9.0] * 10 + [loss] * 250})
        for run, loss in zip(runs["run"], runs["final_loss"].fillna(9.0), strict=True)
    )


def bai(*args, **finals):
    runs = part("bai2018", "named")(losses(*args, **finals))
    return numbers_frame(losses_of_baseline(runs, training(runs), 3))


FLAT = np.array([0.98, 0.99, 1.0, 1.0, 1.01, 1.02, 0.97, 1.0])


@pytest.mark.parametrize(
    ("lstm", "gru", "rnn", "answer"),
    [
        (FLAT / 6, FLAT * 1e-3, FLAT / 6, "supported"),
        (FLAT * 1e-3, FLAT * 1e-3, FLAT / 6, "refuted"),
        (FLAT / 6, FLAT / 6, FLAT / 6, "refuted"),
        (FLAT / 6, [1e-3] * 4 + [1 / 6] * 4, FLAT / 6, "undecided"),
        (FLAT / 6, FLAT * 1e-3, [*FLAT[:7] / 6, None], "undecided"),
    ],
)
def test_bai_adding(lstm, gru, rnn, answer):
    numbers = bai("adding", 600, 1 / 6, lstm=lstm, gru=gru, rnn=rnn)
    assert decide("bai2018", numbers).answer == answer


@pytest.mark.parametrize(
    ("length", "gru", "answer"),
    [(1000, FLAT, "supported"), (200, FLAT, "supported"), (1000, FLAT * 0.8, "refuted")],
)
def test_bai_copy(length, gru, answer):
    numbers = bai("copy", length, 2.0, lstm=2 * FLAT, gru=2 * gru, rnn=2 * FLAT)
    assert decide("bai2018", numbers).answer == answer


def arjovsky(decay, **finals):
    """At T = 200, with norms, of runs that only measure, by so many decades a step back."""
    runs = by_cell_and_length(losses("copy", 200, 0.5, **finals), ("RNN", "LSTM"))
    started = runs.assign(run="before " + runs["run"].astype(str))
    rng = np.random.default_rng(0)
    frames = []
    for run, seed in zip(started["run"], started["seed"], strict=True):
        back = np.arange(20)[::-1]
        log10 = (decay + 1e-3 * rng.normal()) * back
        frame = {"run": run, "seed": seed, "setting": "x", "step": 0, "quantity": "h"}
        frames.append(pd.DataFrame(frame | {"distance": back, "log10_mean": log10}))
    return part("arjovsky2016", "measured")(runs, training(runs), started, pd.concat(frames))


@pytest.mark.parametrize(
    ("decay", "lstm", "answer"),
    [
        (-0.2, FLAT / 2, "supported"),
        (0.2, FLAT / 2, "refuted"),
        (0.0, FLAT / 2, "undecided"),
        (-0.2, FLAT / 4, "refuted"),
        (-0.2, [0.5] * 6 + [0.2] * 2, "undecided"),
    ],
)
def test_arjovsky(decay, lstm, answer):
    numbers = arjovsky(decay, rnn=FLAT / 2, lstm=lstm)
    assert decide("arjovsky2016", numbers).answer == answer
    found = estimate(numbers, constant("arjovsky2016", "DECAY"), "RNN, T = 200")
    assert found.mean == pytest.approx(decay, abs=2e-3)


# Jozefowicz et al. 2015


def accuracies(digits, one, zero, status="finished"):
    rows = [
        {"run": f"{bias} {seed}", "seed": seed, "status": status, "cell.forget_bias": bias}
        | {"task.digits": digits, "final_metric": accuracy}
        for bias, several in {0.0: zero, 1.0: one}.items()
        for seed, accuracy in enumerate(several)
    ]
    return part("jozefowicz2015", "measured")(
        part("jozefowicz2015", "finished")(pd.DataFrame(rows))
    )


NOISE = np.array([-0.01, 0.0, 0.01, 0.02, -0.02, 0.0, 0.01])
APART = np.array([0.009, 0.010, 0.011, 0.010, 0.012, 0.008, 0.010])


@pytest.mark.parametrize(
    ("digits", "level", "difference", "answer"),
    [
        (8, 0.90, APART, "supported"),
        (8, 0.70, APART, "refuted"),
        (3, 0.70, APART, "supported"),
        (8, 0.90, -APART, "refuted"),
        (3, 0.70, NOISE, "undecided"),
    ],
)
def test_jozefowicz(digits, level, difference, answer):
    numbers = accuracies(digits, level + NOISE + difference, level + NOISE)
    assert decide("jozefowicz2015", numbers).answer == answer


def test_jozefowicz_numbers():
    numbers = accuracies(3, 0.8 + NOISE + APART, 0.8 + NOISE)
    of = "b_f = 1, ≤ 3 digits − b_f = 0, ≤ 3 digits"
    found = estimate(numbers, "next-step accuracy", of)
    assert found == pytest.approx((0.010, 0.008, 0.012))


# Pascanu et al. 2013


def gains(tmp_path, rows):
    """Runs with such a recurrent kernel and growth per step back."""
    runs, frames = [], []
    for index, (kernel, growth) in enumerate(rows):
        file = tmp_path / f"{index}.safetensors"
        save_file({"cell.U_h": np.asarray(kernel, np.float32)}, file)
        runs.append({"run": str(index), "status": "finished", "cell.recurrent_kernel": "any"})
        t = np.arange(11)
        frame = {"run": str(index), "seed": index, "setting": "x", "layer": 0, "step": 0, "t": t}
        frames.append(pd.DataFrame(frame | {"log10_sensitivity": growth * (10.0 - t)}))
    return SimpleNamespace(
        runs=pd.DataFrame(runs),
        jacobians=pd.concat(frames),
        file_of=lambda run, name: tmp_path / f"{run}.safetensors",
    )


def diagonal(largest):
    return np.diag([0.1, largest]) @ [[0.6, 0.8], [-0.8, 0.6]]


SMALL = (diagonal(0.5), -0.4)
LARGE = [(diagonal(2.0), 0.2), (diagonal(4.0), -0.1)]


@pytest.mark.parametrize(
    ("rows", "answer"),
    [
        ([SMALL] * 6 + LARGE * 6, "supported"),
        ([SMALL] * 6 + LARGE * 6 + [(diagonal(0.9), 0.1)], "refuted"),
        ([SMALL] * 6 + LARGE[:1] * 6, "undecided"),
        ([SMALL] * 6 + LARGE[1:] * 6, "undecided"),
        ([SMALL] * 6 + LARGE * 6 + [(diagonal(0.5), -0.1)], "refuted"),
    ],
)
def test_pascanu(tmp_path, rows, answer):
    runs = part("pascanu2013", "measured")(gains(tmp_path, rows))
    numbers = numbers_frame(part("pascanu2013", "judged")(runs))
    assert decide("pascanu2013", numbers).answer == answer


def test_pascanu_numbers(tmp_path):
    runs = part("pascanu2013", "measured")(gains(tmp_path, [SMALL, *LARGE]))
    assert runs["singular"].tolist() == pytest.approx([0.5, 2, 4])
    assert runs["growth"].tolist() == pytest.approx([-0.4, 0.2, -0.1])
    slack = 10 * (-0.4 - np.log10(0.5))
    assert runs["excess"].tolist() == pytest.approx([max(0, slack), 0, 0], abs=1e-6)
    numbers = numbers_frame(part("pascanu2013", "judged")(runs))
    assert estimate(numbers, "least largest singular value", "runs that explode").mean == 2
