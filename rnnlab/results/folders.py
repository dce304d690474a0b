"""Opening results folders; any other folder is an error."""

from difflib import get_close_matches
from pathlib import Path

from rnnlab.results.store import FORMAT, Store, read_experiment
from rnnlab.support.checksums import Damaged, OtherVersion
from rnnlab.support.errors import UserError
from rnnlab.support.files import storage_errors
from rnnlab.support.user_files import some

EXPERIMENT, MOST_NAMED = "experiment.json", 12
NOT_OURS = f"not a results folder of rnnlab (no {EXPERIMENT})"


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
        if not _has_results(store):
            raise UserError(f"{folder}: {NOT_OURS}")
        try:
            _check_version(store)
        except OtherVersion:
            raise
        except Damaged:
            pass  # experiment.json is rewritten
    return store


def open_for_reading(folder: Path) -> Store:
    """Open an existing results folder.

    Raises:
        UserError: see ``find_store``; or the folder is damaged, or of another version.
    """
    store = find_store(folder)
    _check_version(store)
    return store


def find_store(folder: Path) -> Store:
    """An existing results folder, which may be damaged.

    Raises:
        UserError: it does not exist, is a file, empty, or not a results folder; the message names
            the nearest one.
    """
    with storage_errors(folder):
        if not folder.is_dir():
            problem = "is a file, not a results folder" if folder.exists() else "does not exist"
            raise UserError(f"{folder}: {problem}; {nearest_results(folder)}")
        if not _has_content(folder):
            raise UserError(f"{folder}: is empty; rnnlab run CONFIG --out {folder} fills it")
        if not _has_results(Store(folder)):
            raise UserError(f"{folder}: {NOT_OURS}; {nearest_results(folder)}")
    return Store(folder)


def nearest_results(folder: Path) -> str:
    """The results folders nearest to a path that is none, for the end of a message.

    They are the one in which it lies, or those in it, beside it and in ``results``.
    """
    around = [one for one in folder.parents if _is_results(one)][:1]
    places = (folder, folder.parent, Path("results"))
    found = around or [one for place in places for one in place.glob("*/") if _is_results(one)]
    names = {str(one): one.name for one in sorted(found)}
    if not names:
        return "there is no results folder near it; rnnlab run CONFIG makes one"
    close = get_close_matches(folder.name, list(names.values()), n=1, cutoff=0.5)
    nearest = [path for path, name in names.items() if name in close][:1]
    hint = f"did you mean {nearest[0]!r}? " if nearest else ""
    return f"{hint}results folders: {some(names, MOST_NAMED)}"


def _is_results(folder: Path) -> bool:
    return (folder / EXPERIMENT).is_file()


def _has_content(folder: Path) -> bool:
    return any(not path.name.startswith(".") for path in folder.iterdir())


def _has_results(store: Store) -> bool:
    return (store.folder / EXPERIMENT).exists() or bool(store.run_ids())


def _check_version(store: Store) -> None:
    path = store.folder / EXPERIMENT
    if read_experiment(path).get("format") != FORMAT:
        raise UserError(f"{path}: not written by rnnlab")
