"""The set-up of an experiment in words."""

from rnnlab.cells import CELLS
from rnnlab.config.labels import Flat, flatten, kind_name
from rnnlab.config.sweep import Experiment


def set_up(experiment: Experiment) -> str:
    """Runs, cells, tasks, training and seeds, in words."""
    settings = [flatten(own.resolved) for own in experiment.settings]
    words = [f"{len(experiment.runs)} runs: {differing(settings, 'cell.kind')}"]
    layers = differing(settings, "cell.layers")
    many = "" if layers == "1" else "s"
    words.append(f"{layers} layer{many} of {differing(settings, 'cell.hidden')} units")
    for kind in dict.fromkeys(flat["task.kind"] for flat in settings):
        own = [flat for flat in settings if flat["task.kind"] == kind]
        lengths, alphabet = differing(own, "task.length"), differing(own, "task.alphabet")
        words.append(f"{kind}, T = {lengths}" if lengths else kind)
        if alphabet:
            words[-1] += f" ({differing(own, 'task.symbols')} symbols, alphabet of {alphabet})"
    steps, optimizer, rate, batch = (
        differing(settings, f"training.{key}")
        for key in ("steps", "optimizer", "learning_rate", "batch")
    )
    trained = f"{steps} updates of {optimizer} at {rate}, batches of {batch}"
    words.append("before training" if steps == "0" else trained)
    return "; ".join([*words, f"{len(experiment.config.seed_list())} seeds"])


def differing(settings: list[Flat], key: str) -> str:
    """The different values that settings have, in order."""
    values = {flat[key]: None for flat in settings if key in flat}
    written = (f"{value:g}" if isinstance(value, float) else str(value) for value in values)
    return ", ".join(kind_name(value) if value in CELLS else value for value in written)
