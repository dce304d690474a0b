"""The claim about vanishing gradients, on made-up results."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from rnnlab.bundled import folder
from rnnlab.evidence import estimate, numbers_frame
from rnnlab.plugins import load_analysis

TIME, SEEDS = 50, 20


def part(name):
    return load_analysis(f"vanishing.py:{name}", "analysis", folder("configs"))


def results(decays, bend=0.0, noise=1e-3, tasks=("adding", "copy")):
    """Runs of no step whose log10 norms fall by so many decades a step, by kernel and cell."""
    rng = np.random.default_rng(0)
    runs, frames = [], []
    for task in tasks:
        for kernel in ("uniform", "orthogonal"):
            for cell, decay in decays.items():
                for seed in range(SEEDS):
                    run = f"{task} {kernel} {cell} {seed}"
                    options = {"cell.kind": cell}
                    options |= {
                        "lstm": {"cell.forget_bias": 1.0},
                        "gru": {"cell.update_bias": 0.0},
                    }.get(cell, {})
                    options |= {"cell.recurrent_kernel": kernel, "task.kind": task}
                    options |= {"task.length": 200}
                    runs.append({"run": run, "seed": seed, **options})
                    back = np.arange(TIME)[::-1]
                    log10 = (decay + noise * rng.normal()) * back + bend * np.sin(back)
                    frame = {"run": run, "seed": seed, "setting": "any", "step": 0, "layer": 0}
                    frame |= {"quantity": "h", "t": np.arange(TIME), "distance": back}
                    frames.append(pd.DataFrame(frame | {"log10_mean": log10}))
    return SimpleNamespace(runs=pd.DataFrame(runs), gradients=pd.concat(frames))


def judged(**options):
    before = part("of_cells")(results(**options))
    return numbers_frame(part("judged")(before))


@pytest.mark.parametrize(
    ("decays", "options", "answer"),
    [
        ({"rnn": -0.3, "lstm": -0.1, "gru": -0.1}, {}, "supported"),
        ({"rnn": -0.3, "lstm": -0.1, "gru": -0.3}, {}, "undecided"),
        ({"rnn": -0.1, "lstm": -0.3, "gru": -0.05}, {}, "refuted"),
        ({"rnn": 0.1, "lstm": 0.2, "gru": 0.2}, {}, "refuted"),
        ({"rnn": -0.01, "lstm": 0.2, "gru": 0.2}, {"noise": 0.05}, "undecided"),
        ({"rnn": -0.3, "lstm": -0.1, "gru": -0.1}, {"bend": 20.0}, "refuted"),
    ],
)
def test_each_side_and_the_fence(decays, options, answer):
    assert part("decide")(judged(decays=decays, **options)).answer == answer


def test_numbers():
    numbers = judged(decays={"rnn": -0.3, "lstm": -0.1, "gru": -0.2}, noise=0.0)
    name = "adding, T = 200: GRU, b_z = 0, recurrent_kernel = uniform − RNN, recurrent_kernel = "
    name += "uniform"
    found = estimate(numbers, "decades per step before training", name)
    assert found.mean == pytest.approx(0.1)
    text = part("decide")(numbers).evidence
    assert "RNN, uniform: halved every 1 [1, 1] and 1 [1, 1] steps; " in text
    assert "Fails" not in text


def test_the_evidence_names_what_refutes():
    decays = {"rnn": -0.3, "lstm": -0.1, "gru": -0.4}
    found = part("decide")(judged(decays=decays))
    assert found.answer == "refuted"
    assert found.evidence.endswith(
        "Fails: GRU, b_z = 0, uniform more slowly than the RNN; "
        "GRU, b_z = 0, orthogonal more slowly than the RNN."
    )
    one_task = part("decide")(judged(decays=decays, tasks=["copy"]))
    assert one_task.answer == "refuted"
    assert "Undecided: RNN, uniform decays; " in one_task.evidence
