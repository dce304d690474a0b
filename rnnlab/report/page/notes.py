"""What a reader should know before trusting a page: what is missing, failed, mixed, left out."""

from collections.abc import Sequence

from rnnlab.report.figures.biases import number
from rnnlab.report.page.measured import MOST, choice_of
from rnnlab.report.page.settings import Setting
from rnnlab.results.read import Results
from rnnlab.results.runs import environments, mixtures_of

# Of each status of a run that is not finished: what it means for the page.
STATUSES = {
    "missing": "missing",
    "failed": "failed, and left out",
    "damaged": "damaged, and left out",
    "diverged": "diverged: it counts as unsolved, and its curves end early",
}
MOST_ERRORS = 3


def notes_on(results: Sequence[Results], names: Sequence[str]) -> list[str]:
    """Sentences on the runs of each results folder, and on their environments.

    Args:
        results: of the page.
        names: of their folders.
    """
    notes = []
    for one, name in zip(results, names, strict=True):
        title = f"{name}: " if len(results) > 1 else ""
        notes += [f"{title}{note}" for note in _of_runs(one)]
    records = [one.stored_run(run).record for one in results for run in one.runs["run"]]
    return [*notes, *(f"{mixture}." for mixture in mixtures_of(environments(records)))]


def _of_runs(results: Results) -> list[str]:
    runs = results.runs
    notes = []
    for status, meaning in STATUSES.items():
        own = runs[runs["status"] == status]
        if len(own):
            notes.append(f"{len(own)} of {len(runs)} runs: {meaning}.")
        for _, run in own[own["error"].notna()][:MOST_ERRORS].iterrows():
            error = str(run["error"]).splitlines()[0]
            notes.append(f"{run['setting']}, seed {run['seed']}, {status}: {error}")
    return notes


def notes_on_settings(settings: Sequence[Setting]) -> list[str]:
    """Sentences on settings of several layers, measured before training, or not in Explore."""
    notes = []
    if any(number(setting.values.get("cell.layers")) > 1 for setting in settings):
        notes.append("Of cells in several layers, curves and eigenvalues are of the top layer.")
    offered = sum(bool(s.ended) and choice_of(s.values) is not None for s in settings)
    if offered > MOST:
        notes.append(
            f"Explore offers {MOST} of {offered} settings that it can show, evenly over the sweep."
        )
    before = [s.before for s in settings if s.before] + [s for s in settings if s.is_before]
    if before:
        seeds = {int(seed) for setting in before for seed in setting.runs["seed"]}
        notes.append(
            f"{len(before)} settings were measured before training, with {len(seeds)} seeds: "
            "numbers before training against a setting are of these seeds."
        )
    return notes
