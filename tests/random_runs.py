"""Results folders of runs with every table, whose numbers are drawn at random."""

import zlib

import made_up
import numpy as np
import pandas as pd

from rnnlab.results.store import Store
from rnnlab.support.files import parquet_bytes
from rnnlab.support.version import RESULTS_VERSION

PATHS = ("direct", "f", "i", "indirect", "total")


def settings(bias=0.0, length=7, steps=30, every=10, **more):
    return {
        "task": {"kind": "adding", "length": length},
        "cell": {"kind": "lstm", "hidden": 4, "forget_bias": bias, "input_bias": 0.0, **more},
        "training": {"steps": steps, "optimizer": {"kind": "adam"}},
        "record": {"every": every, "examples": 3},
    }


def grid(random, steps, length, layers, names, column):
    keys = [("step", steps), ("t", range(length)), ("layer", range(layers)), (column, names)]
    index = pd.MultiIndex.from_product([v for _, v in keys], names=[k for k, _ in keys])
    return index.to_frame(index=False), lambda: random.normal(size=len(index)).astype(np.float32)


def tables(key, length, steps, layers=1, jacobians=True, parts=("c", "h"), gates=("f", "i", "o")):
    """Every table of a run; a tenth of the norms read zero."""
    random = np.random.default_rng(zlib.crc32(key.encode()))
    base, draw = grid(random, steps, length, layers, parts, "quantity")
    zero = random.choice([0.0, 0.5, 1.0], size=len(base), p=[0.8, 0.1, 0.1])
    norms = pd.Series(draw()).mask(zero == 1)
    found = {"gradients": base.assign(log10_mean=norms, zero_fraction=zero)}
    base, draw = grid(random, steps, length, layers, gates, "gate")
    found["gates"] = base.assign(mean=draw())
    loss = np.exp(random.normal(size=steps[-1] + 1)).astype(np.float32)
    found["training"] = pd.DataFrame({"step": np.arange(steps[-1] + 1), "loss": loss})
    if not jacobians:
        return found
    ends = sorted({steps[0], steps[-1]})
    base, draw = grid(random, ends, length, layers, ["c"], "quantity")
    numbers = {f"{path}_spectral": draw() for path in PATHS}
    more = ("share", "spectral_radius", "log10_sensitivity", "log10_stack_sensitivity")
    zero = random.choice([0.0, 1.0], size=len(base), p=[0.9, 0.1])
    found["jacobians"] = base.assign(**numbers, **{k: draw() for k in more}, zero_fraction=zero)
    base, draw = grid(random, ends, 1, layers, range(6), "index")
    found["eigenvalues"] = base.drop(columns="index").assign(
        t=length // 2, real=draw(), imag=draw(), ring_centre=0.5, ring_radius=0.25
    )
    base, draw = grid(random, ends, 1, 1, range(3), "index")
    tall = [base.assign(example=example, exponent=draw(), asymptotic=draw()) for example in (0, 1)]
    found["lyapunov"] = pd.concat(tall).drop(columns=["t", "layer"])
    return found


def summary(settings, **numbers):
    own = {
        "baseline": 0.2,
        "read_step": settings["task"]["length"] - 1,
        "last_step": settings["training"]["steps"],
    }
    return made_up.summary(**own | numbers)


def store(folder, runs, name="random", question="Is it so?", analysis=None, config="name: x\n"):
    """Store runs given as (settings, seed, status, options of ``tables`` and of ``summary``).

    Returns:
        The tables of each run, by setting's number of its first occurrence and seed, as read again.
    """
    kept = Store(folder)
    ids = [f"{zlib.crc32(repr((name, *run[:2])).encode()):016x}" for run in runs]
    described = [
        {"id": id, "seed": seed, "settings": own}
        for id, (own, seed, *_) in zip(ids, runs, strict=True)
    ]
    experiment = {"name": name, "question": question, "analysis": analysis, "config_folder": "."}
    kept.write_experiment(experiment | {"runs": described}, config)
    distinct = []
    found = {}
    for head, (own, seed, status, options) in zip(described, runs, strict=True):
        if own not in distinct:
            distinct.append(own)
        numbers = options.get("summary", {})
        ended = {"results_version": RESULTS_VERSION, "status": status, **options.get("record", {})}
        ended["summary"] = summary(own, **numbers)
        if status == "failed":
            failed = head | ended | {"error": options.get("error", "ValueError: no")}
            kept.write_run(head["id"], failed, {"error.txt": b"Trace"})
        elif status != "missing":
            made = tables(
                head["id"],
                own["task"]["length"],
                options.get("steps", [*range(0, own["training"]["steps"] + 1, 10)]),
                **options.get("tables", {}),
            )
            contents = {f"{table}.parquet": parquet_bytes(rows) for table, rows in made.items()}
            kept.write_run(head["id"], head | ended, contents)
            found[distinct.index(own), seed] = made
    return found
