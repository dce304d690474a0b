"""Results folders of many runs that have a summary and no tables."""

from rnnlab.results.store import Store
from rnnlab.support.version import RESULTS_VERSION

NUMBERS = {
    "baseline": 1 / 6,
    "threshold": 0.01,
    "read_step": 5,
    "last_step": 100,
    "decay_of": "c",
    "decay_first": -0.1,
    "decay_last": -0.05,
    "gate_of": "f",
    "gate_first": 0.5,
    "gate_last": 0.6,
    "final_loss": 0.1,
    "final_metric": 0.1,
    "solved_at": 50,
    "seconds": 1.0,
}


def setting(number, **cell):
    return {
        "task": {"kind": "adding", "length": 6},
        "cell": {"kind": "lstm", "hidden": 4, "forget_bias": number / 8, "input_bias": 0.0, **cell},
        "training": {"steps": 100, "optimizer": {"kind": "adam"}, "learning_rate": 0.005},
        "record": {"every": 10, "examples": 3},
    }


def store_runs(folder, runs, **head):
    """Store runs given as (settings, seed) that have a summary and no tables."""
    described = [
        {"id": f"{number:016x}", "seed": seed, "settings": chosen}
        for number, (chosen, seed) in enumerate(runs)
    ]
    experiment = {"name": "many", "question": "", "analysis": None, "config_folder": "."}
    folder.mkdir(parents=True)
    store = Store(folder)
    store.write_experiment(experiment | head | {"runs": described}, "name: many\n")
    ended = {"results_version": RESULTS_VERSION, "status": "finished", "summary": NUMBERS}
    for run in described:
        store.write_run(run["id"], run | ended, {})
