"""How the results of a page were made, and how they are made again."""

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any

from rnnlab.report.page.settings import folder_names
from rnnlab.results.read import Results
from rnnlab.support.bundled import citation
from rnnlab.support.checksums import Damaged, read_sealed
from rnnlab.support.errors import UserError
from rnnlab.support.version import __version__

OWN_FILES = (
    "config.yaml",
    "experiment.json",
    "environment.json",
    "compare.csv",
    "numbers.csv",
    "verdict.json",
    "findings.txt",
)
LIBRARIES = "libraries"


def made_data(results: Sequence[Results]) -> dict[str, Any]:
    """The part ``made`` of the page's data."""
    folders = folder_names(results)
    each = list(zip(results, folders, strict=True))
    several = len(each) > 1
    configs = [_read(one, "config.yaml") for one in results]
    titles = [f"# {folder}\n" if several else "" for folder in folders]
    return {
        "command": "\n".join(_command(one, folder, several) for one, folder in each),
        "config": "\n".join(f"{t}{text}" for t, text in zip(titles, configs, strict=True)),
        "environment": [
            [f"{folder}: {name}" if several else name, value]
            for one, folder in each
            for name, value in _environment(one)
        ],
        "files": [f"{folder}/{name}" for one, folder in each for name in _files(one)],
        "cite": citation(),
        "version": __version__,
    }


def _read(results: Results, name: str) -> str:
    try:
        return (results.stores[0].folder / name).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _command(results: Results, folder: str, several: bool) -> str:
    """The command, and the files of the user's that it needs beside the config."""
    needs = sorted({file for run in results.stores[0].experiment()["runs"] for file in _own(run)})
    note = f"  # needs {', '.join(needs)}" if needs else ""
    config = f"{folder}/config.yaml" if several else "config.yaml"
    return f"rnnlab run {config}{note}"


def _own(run: dict[str, Any]) -> list[str]:
    settings = run["settings"]
    return [file for kind in ("plugins", "data") for file in settings.get(kind, {})]


def _environment(results: Results) -> list[tuple[str, str]]:
    try:
        stored = read_sealed(results.stores[0].folder / "environment.json")
    except (Damaged, UserError, OSError):
        return []
    flat = {k: v for k, v in stored.items() if k not in ("sha256", LIBRARIES)}
    flat |= stored.get(LIBRARIES, {})
    return [
        (name, value if isinstance(value, str) else json.dumps(value))
        for name, value in flat.items()
    ]


def _files(results: Results) -> list[str]:
    """The files of the folder; those of runs counted by name."""
    folder = results.stores[0].folder
    runs = [results.stored_run(run) for run in results.runs["run"]]
    counts = Counter(name for run in runs for name in run.record.get("files", ()))
    own = [name for name in OWN_FILES if (folder / name).exists()]
    return [*own, *(f"runs/*/{name} ({many})" for name, many in sorted(counts.items()))]
