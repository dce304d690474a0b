"""One setting: everything but the seed that determines the numbers of a run."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, ValidationError

from rnnlab.cells import CELLS, Cell
from rnnlab.cells.inheritance import holds_for
from rnnlab.cells.kernels import SHORTEST_CHRONO
from rnnlab.support import plugins
from rnnlab.support.errors import UserError, did_you_mean
from rnnlab.support.option_errors import explain, shown
from rnnlab.support.user_code import described
from rnnlab.tasks import TASKS, Task
from rnnlab.tasks.checks import check_task
from rnnlab.training.options import Record, RecordJacobians, Training

SECTIONS = ("task", "cell", "training", "record")


@dataclass(frozen=True)
class Settings:
    """Everything but the seed that determines the numbers of a run.

    Attributes:
        resolved: the options as plain data, including defaults.
        sources: the plug-in and data files that it names.
    """

    task: Task
    cell: Cell
    training: Training
    record: Record
    resolved: dict[str, Any]
    sources: dict[str, plugins.Source]


@dataclass
class _Files:
    """Finds the files that a setting names, and keeps them."""

    find: plugins.Find
    source: str
    code: dict[str, plugins.Source] = field(default_factory=dict)
    data: dict[str, plugins.Source] = field(default_factory=dict)

    def load(self, kind: str, key: str) -> Any:
        """The object that a plug-in's ``kind`` names."""
        plugin = plugins.load(kind, key, self.find)
        self.code[kind.rpartition(":")[0]] = plugin.source
        return plugin.value

    def finder(self, section: str) -> Callable[[str, str], plugins.Source]:
        """Finds data files for the keys of a section."""

        def find(file: str, key: str) -> plugins.Source:
            self.data[file] = self.find(file, f"{self.source}: {section}.{key}", is_data=True)
            return self.data[file]

        return find

    def hashes(self) -> dict[str, dict[str, str]]:
        """The files' hashes by their paths, under ``plugins`` and ``data`` if there are any.

        Local modules of plug-ins are among them; two of one path have their hashes joined.
        """
        found = {"plugins": self.code, "data": self.data}
        return {kind: _hashes(files) for kind, files in found.items() if files}


def _hashes(files: dict[str, plugins.Source]) -> dict[str, str]:
    by_path: dict[str, set[str]] = {}
    for file, source in files.items():
        for path, sha256 in source.hashes(file):
            by_path.setdefault(path, set()).add(sha256)
    return {path: "+".join(sorted(hashes)) for path, hashes in sorted(by_path.items())}


def resolve(raw: dict[str, Any], source: str, find: plugins.Find) -> Settings:
    """Check the sections of a setting, and fill in defaults.

    Args:
        raw: options by section, unchecked.
        source: the file they come from, for messages.
        find: finds plug-ins and data.

    Raises:
        UserError: a value is wrong; the message names the source and the key.
    """
    for name in SECTIONS:
        if not isinstance(raw[name], dict):
            raise UserError(f"{source}: {name}: must be keys and values, got {shown(raw[name])}")
    files = _Files(find, source)
    task = _build(raw["task"], "task", TASKS, Task, files)
    training = _validate(Training, raw["training"], "training", source)
    _check_own_task(task, training, source)
    options = _with_chrono_length(raw["cell"], task, source)
    cell = _build(options, "cell", CELLS, Cell, files)
    if training.recurrence == "parallel":
        _check_parallel(cell, training, f"{source}: training")
    record = _record(raw["record"], training, source)
    resolved: dict[str, Any] = {
        "task": {"kind": raw["task"]["kind"], **task.model_dump(mode="json", by_alias=True)},
        "cell": {"kind": raw["cell"]["kind"], **cell.model_dump(mode="json")},
        "training": training.model_dump(mode="json"),
        "record": record.model_dump(mode="json"),
    } | files.hashes()
    return Settings(task, cell, training, record, resolved, files.code | files.data)


def _check_own_task(task: Task, training: Training, source: str) -> None:
    """Refuse a task of the user's own that breaks a promise; see ``tasks.checks``."""
    if type(task) in TASKS.values():
        return
    try:
        check_task(task, training.precision == "float64")
    except ValueError as error:
        raise UserError(f"{source}: task: {error}") from error


def _check_parallel(cell: Cell, training: Training, where: str) -> None:
    if not holds_for(cell, "parallel_scan", "step"):
        kind = type(cell).__name__
        raise UserError(f"{where}.recurrence: {kind} has no parallel scan; valid: fused, plain")
    if training.memory == "low":
        raise UserError(f"{where}.memory: 'low' needs recurrence fused or plain, not parallel")


def file_hashes(resolved: dict[str, Any]) -> dict[str, str]:
    """The hash of each plug-in, each of its local modules, and each data file."""
    return resolved.get("plugins", {}) | resolved.get("data", {})


def _build(
    options: dict[str, Any], section: str, kinds: dict[str, Any], base: Any, files: _Files
) -> Any:
    """A task or cell from its section."""
    kind = options.get("kind")
    key = f"{files.source}: {section}.kind"
    if kind is None:
        raise UserError(f"{key}: missing; {did_you_mean('', kinds)}")
    if plugins.is_plugin(kind):
        model = files.load(kind, key)
        _check_class(model, base, f"{key}: {kind}")
    elif isinstance(kind, str) and kind in kinds:
        model = kinds[kind]
    else:
        hint = did_you_mean(kind, kinds)
        raise UserError(f"{key}: unknown {section} {shown(kind)}; {hint}; or file.py:Name")
    options = {name: value for name, value in options.items() if name != "kind"}
    built = _validate(model, options, section, files.source, files.finder(section))
    _check_options(built, f"{files.source}: {section}")
    return built


def _check_options(built: BaseModel, source: str) -> None:
    """Refuse an option by which runs that share a program cannot be found."""
    for name, value in built:
        if not isinstance(value, Hashable):
            hint = "declare it Annotated[tuple[…], Field(strict=False)]"
            kind = type(value).__name__
            raise UserError(f"{source}.{name}: a {kind} cannot be an option: {hint}")


def _check_class(model: Any, base: type, source: str) -> None:
    if not (isinstance(model, type) and issubclass(model, base)):
        raise UserError(f"{source} is no rnnlab.{base.__name__}")
    if unwritten := sorted(getattr(model, "__abstractmethods__", ())):
        lacks = ", ".join(f"{name} ({_meaning(base, name)})" for name in unwritten)
        raise UserError(f"{source} lacks {lacks}")


def _meaning(base: type, name: str) -> str:
    """The first line of the documentation of an attribute."""
    return str(getattr(base, name).__doc__).splitlines()[0].rstrip(".:")


def _with_chrono_length(options: dict[str, Any], task: Task, source: str) -> dict[str, Any]:
    """Give chrono the task's longest time scale, and drop t_max where nothing reads it."""
    biases = {bias.option for kind in CELLS.values() for bias in kind.gate_biases}
    is_chrono = any(options.get(option) == "chrono" for option in biases)
    if not is_chrono and options.get("kind") in tuple(CELLS):
        return {key: value for key, value in options.items() if key != "t_max"}
    if not is_chrono or "t_max" in options or task.t_max is None:
        return options
    if task.t_max < SHORTEST_CHRONO:
        raise UserError(
            f"{source}: cell: chrono needs a longest time scale of {SHORTEST_CHRONO} steps "
            f"or more, and the task's is {task.t_max:g}: set cell.t_max"
        )
    return options | {"t_max": task.t_max}


def _record(options: dict[str, Any], training: Training, source: str) -> Record:
    """The record section; its default numbers of examples are no more than a batch has."""
    options = {"examples": min(Record().examples, training.batch)} | options
    if isinstance(jacobians := options.get("jacobians"), dict):
        examples = min(RecordJacobians.model_fields["examples"].default, training.batch)
        options = options | {"jacobians": {"examples": examples} | jacobians}
    record: Record = _validate(Record, options, "record", source)
    counts = {"examples": record.examples}
    if record.jacobians is not None:
        counts["jacobians.examples"] = record.jacobians.examples
    for key, count in counts.items():
        if count > training.batch:
            raise UserError(
                f"{source}: record.{key}: {count} is more than training.batch, {training.batch}"
            )
    return record


def _validate(
    model: type[BaseModel],
    options: Any,
    section: str,
    source: str,
    find: Callable[[str, str], plugins.Source] | None = None,
) -> Any:
    """The section as its model; ``find`` is for models that read files."""
    try:
        return model.model_validate(options, context=find)
    except ValidationError as error:
        raise UserError(explain(error, model, source, section)) from None
    except UserError:
        raise
    except Exception as error:  # a class of the user's own may raise anything
        raise UserError(f"{source}: {section}: {described(error)}") from error
