"""Opening results folders; any other folder is an error."""

from pathlib import Path

from rnnlab.results.store import FORMAT, Store, read_experiment
from rnnlab.support.checksums import Damaged, OtherVersion
from rnnlab.support.errors import UserError, did_you_mean
from rnnlab.support.files import storage_errors


def open_for_writing(folder: Path) -> Store:
    """Open a results folder, which may not exist yet.

    Raises:
        UserError: the folder holds something else, or results of another version.
    """
    store = Store(folder)
    with storage_errors(folder):
        if folder.exists() and not folder.is_dir():
            raise UserError(f"{folder}: is a file, not a results folder")
        has_content = folder.exists() and _has_content(folder)
    if has_content:
        try:
            _check_is_ours(store)
        except OtherVersion:
            raise
        except Damaged:
            pass  # experiment.json is rewritten
    return store


def open_for_reading(folder: Path) -> Store:
    """Open an existing results folder.

    Raises:
        UserError: the folder is missing, empty, of another version, or not a results folder.
    """
    with storage_errors(folder):
        is_folder = folder.exists() and folder.is_dir()
        has_content = is_folder and _has_content(folder)
    if not is_folder:
        siblings = [p.name for p in folder.parent.glob("*/") if (p / "experiment.json").exists()]
        raise UserError(f"{folder}: no such results folder; {did_you_mean(folder.name, siblings)}")
    if not has_content:
        raise UserError(f"{folder}: is empty; rnnlab run CONFIG --out {folder} fills it")
    store = Store(folder)
    _check_is_ours(store)
    return store


def _has_content(folder: Path) -> bool:
    return any(not path.name.startswith(".") for path in folder.iterdir())


def _check_is_ours(store: Store) -> None:
    path = store.folder / "experiment.json"
    if not path.exists() and not store.run_ids():
        raise UserError(f"{store.folder}: not a results folder of rnnlab (no experiment.json)")
    experiment = read_experiment(path)
    if experiment.get("format") != FORMAT:
        raise UserError(f"{path}: not written by rnnlab")
