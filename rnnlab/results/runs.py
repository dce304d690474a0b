"""The runs of an experiment as one data frame, with one row per run."""

import contextlib
from typing import Any

import pandas as pd

from rnnlab.config.labels import flatten, label_each
from rnnlab.results.store import Store
from rnnlab.results.summary import summary_columns
from rnnlab.support.checksums import Damaged


def wanted_runs(
    store: Store, experiment: dict[str, Any], every_config: bool
) -> list[dict[str, Any]]:
    """The definition of each run, without damaged runs of earlier configs."""
    runs = list(experiment["runs"])
    if every_config:
        of_config = {run["id"] for run in runs}
        for run_id in store.run_ids():
            if run_id not in of_config:
                with contextlib.suppress(Damaged):
                    runs.append(store.read_run(run_id))
    return runs


def runs_frame(records: list[dict[str, Any]]) -> pd.DataFrame:
    """Make a data frame with one row per run, see ``Results.runs``."""
    flat = [flatten(record["settings"]) for record in records]
    names = label_each(flat)
    rows = [
        {
            "run": record["id"],
            "setting": name,
            "seed": record["seed"],
            "status": record["status"],
            "error": record.get("error"),
            **settings,
            **dict.fromkeys(summary_columns()),
            **record.get("summary", {}),
        }
        for record, settings, name in zip(records, flat, names, strict=True)
    ]
    frame = pd.DataFrame(rows)
    frame["setting"] = pd.Categorical(frame["setting"], list(dict.fromkeys(names)), ordered=True)
    return frame


def mixtures_of(environments: dict[str, set[str]]) -> list[str]:
    """A sentence for each part of the environment on which runs differ."""
    return [
        f"mixed results: {name} is {', '.join(sorted(values))}"
        for name, values in environments.items()
        if len(values) > 1
    ]


def environments(records: list[dict[str, Any]]) -> dict[str, set[str]]:
    """The values that each part of the environment has over the stored runs."""
    values: dict[str, set[str]] = {}
    for record in records:
        made_in = record.get("environment", {})
        for name, value in (made_in | made_in.get("libraries", {})).items():
            if name not in ("libraries", "git_revision"):
                values.setdefault(name, set()).add(str(value))
    return values
