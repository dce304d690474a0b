"""Results folders of many runs that have a summary and no tables."""

from made_up import summary

from rnnlab.results.store import Store
from rnnlab.support.version import RESULTS_VERSION

NUMBERS = summary(solved_at=50, seconds=1.0)


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
