"""Results folders whose numbers are made up, for tests of what reads them."""

import numpy as np
import pandas as pd
from safetensors.numpy import save

from rnnlab.results.store import Store
from rnnlab.results.summary import summary_columns
from rnnlab.support.files import parquet_bytes
from rnnlab.support.version import RESULTS_VERSION

TIME, EVERY, STEPS = 6, 10, 100


def settings(**cell):
    return {
        "task": {"kind": "adding", "length": TIME},
        "cell": {"kind": "lstm", "hidden": 4, "input_bias": 0.0, **cell},
        "training": {"steps": STEPS, "optimizer": {"kind": "adam"}},
        "record": {"every": EVERY, "examples": 3},
    }


def summary(**numbers):
    base = {
        "baseline": 1 / 6,
        "threshold": 0.01,
        "metric": "squared error",
        "read_step": TIME - 1,
        "last_step": STEPS,
        "decay_of": "c",
        "decay_first": -0.1,
        "decay_last": -0.05,
        "gate_of": "f",
        "gate_first": 0.5,
        "gate_last": 0.6,
        "final_loss": 0.1,
        "final_metric": 0.1,
    }
    assert set(base | numbers) <= set(summary_columns())
    return base | numbers


def tables(forget_bias):
    """c decays by σ(forget_bias) a step in the top one of two layers; all else is another."""
    forget = 1 / (1 + np.exp(-float(forget_bias)))
    steps = np.arange(0, STEPS + 1, EVERY)
    grid = pd.MultiIndex.from_product([steps, range(TIME), [0, 1]], names=["step", "t", "layer"])
    base = grid.to_frame(index=False)
    log10 = np.log10(forget) * (TIME - 1 - base["t"])
    below = 20.0 * (base["layer"] == 0)

    def adjoints(quantity, shift):
        norms = {f"log10_{name}": log10 - below - shift for name in ("mean", "q10", "q50", "q90")}
        return base.assign(quantity=quantity, **norms, zero_fraction=0.0)

    def gate(name, mean):
        mean = np.where(base["layer"] == 0, mean / 2, mean)
        values = {"mean": mean, "std": 0.1, "q10": 0.1, "q90": 0.9}
        return base.assign(gate=name, **values, below_0_1=0.0, above_0_9=0.0)

    loss = np.linspace(1, 0.001, STEPS + 1)
    return {
        "training": pd.DataFrame({"step": np.arange(STEPS + 1), "loss": loss}),
        "gradients": pd.concat([adjoints("h", 5.0), adjoints("c", 0.0)], ignore_index=True),
        "gates": pd.concat([gate("i", 0.3), gate("f", forget), gate("o", 0.4)], ignore_index=True),
    }


def files(settings):
    """What such a run is stored as."""
    params = {"cell.W_f": np.zeros((2, 4), np.float32)}
    made = tables(settings["cell"]["forget_bias"])
    content = {f"{name}.parquet": parquet_bytes(table) for name, table in made.items()}
    return content | {"params.safetensors": save(params)}


def write(folder, runs, config_folder=".", files_of=files, analysis=None):
    """Store runs given as (settings, seed, status, summary); status "missing" stores nothing.

    ``files_of`` gives the files of a run by its settings.
    """
    store = Store(folder)
    described = [
        {"id": f"{index:016x}", "seed": seed, "settings": chosen}
        for index, (chosen, seed, _, _) in enumerate(runs)
    ]
    experiment = {
        "name": "made_up",
        "question": "Is it so?",
        "analysis": analysis,
        "config_folder": config_folder,
        "runs": described,
    }
    store.write_experiment(experiment, "name: made_up\n")
    for head, (chosen, _, status, numbers) in zip(described, runs, strict=True):
        run = head | {"results_version": RESULTS_VERSION, "status": status, "summary": numbers}
        if status == "failed":
            store.write_run(head["id"], run | {"error": "ValueError: no"}, {"error.txt": b"Trace"})
        elif status != "missing":
            store.write_run(head["id"], run, files_of(chosen))
    return store
