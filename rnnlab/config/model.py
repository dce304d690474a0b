"""The keys of a config file."""

import hashlib
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, Field, ValidationError

from rnnlab.config.config_file import dotted_keys, override_patch, read_file
from rnnlab.support.bundled import find_config
from rnnlab.support.errors import UserError
from rnnlab.support.option_errors import explain
from rnnlab.support.options import STRICT
from rnnlab.support.similar_text import unaccented

SeedCount = Annotated[int, Field(ge=1, le=1_000_000)]
Seed = Annotated[int, Field(ge=0, lt=2**32)]
LONGEST_NAME = 100
PLAIN_NAME = re.compile(rf"[A-Za-z0-9][A-Za-z0-9_.-]{{0,{LONGEST_NAME - 1}}}")
Name = Annotated[str, Field(pattern=f"^{PLAIN_NAME.pattern}$")]


# The folder, inside that of the trained runs, for what is measured before training.
BEFORE_TRAINING = "before_training"


class BeforeTraining(BaseModel):
    """Options of measuring before training, where they differ from those of training.

    Attributes:
        seeds: a list, or the number of seeds; default those of the config.
        task: options over those of the config's task.
        sweep: in place of the config's; default that of the config.
    """

    model_config = STRICT

    seeds: SeedCount | Annotated[list[Seed], Field(min_length=1)] | None = None
    task: dict[str, Any] = {}
    sweep: dict[str, Any] | None = None


class Config(BaseModel):
    """A config file.

    Attributes:
        name: the experiment's; default that of the file. Its results are in ``results/NAME``.
        question: answered by the experiment.
        task: ``kind`` and the task's options.
        cell: ``kind`` and the cell's options.
        training: see ``Training``.
        record: see ``Record``.
        sweep: nested like the config; a list is swept, several are crossed.
        seeds: a list, or the number of seeds, counted from 0.
        before_training: also measures gradients and Jacobians before training, of other seeds,
            tasks or settings; default not.
        analysis: ``file.py:function``, called with the results.
        checkpoint_every: seconds between two checkpoints of a run; does not affect its numbers.
    """

    model_config = STRICT

    name: Name
    question: str = ""
    task: dict[str, Any] = {}
    cell: dict[str, Any] = {}
    training: dict[str, Any] = {}
    record: dict[str, Any] = {}
    sweep: dict[str, Any] = {}
    seeds: SeedCount | Annotated[list[Seed], Field(min_length=1)] = 1
    before_training: BeforeTraining | None = None
    analysis: str | None = None
    checkpoint_every: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 60.0

    def seed_list(self) -> list[int]:
        """The seeds as a list."""
        return list(range(self.seeds)) if isinstance(self.seeds, int) else self.seeds

    def before_training_config(self) -> "Config | None":
        """The config for measuring before training, with 0 steps; None if nothing is measured."""
        changed = self.before_training
        if changed is None:
            return None
        return self.model_copy(
            update={
                "name": f"{self.name}_{BEFORE_TRAINING}",
                "task": self.task | changed.task,
                "training": self.training | {"steps": 0},
                "sweep": self.sweep if changed.sweep is None else changed.sweep,
                "seeds": changed.seeds or self.seeds,
                "before_training": None,
                "analysis": None,
            }
        )


def name_of_file(path: Path) -> str:
    """The name of an experiment whose config has none: that of its file, made a valid one.

    What is no letter, digit, "_", "-" or "." becomes "_". Where that leaves out letters, or the
    name is cut, a hash of the file's name is added.
    """
    stem = path.stem
    if PLAIN_NAME.fullmatch(stem):
        return stem
    plain = unaccented(stem)
    name = re.sub(r"[^A-Za-z0-9_.-]+", "_", plain).strip("_.-")
    if name and plain.isascii() and len(name) <= LONGEST_NAME:
        return name
    digest = hashlib.sha256(os.fsencode(stem)).hexdigest()[:8]
    return f"{name[: LONGEST_NAME - 9] or 'config'}_{digest}"


def load_config(
    source: str | Path, overrides: Sequence[str] | Mapping[str, Any] = ()
) -> tuple[Config, Path, list[str]]:
    """Read a config file, or the bundled config of that name, and apply overrides.

    Args:
        source: a path, or a bundled name.
        overrides: ``"dotted.key=value"`` each, or a mapping with dotted or nested keys. One that
            begins with ``sweep`` replaces the whole sweep.

    Returns:
        The config, the file it came from, and the dotted keys that were overridden.

    Raises:
        UserError: whatever is wrong with the file or an override.
    """
    path = find_config(source)
    patch = override_patch(overrides)
    content = {"name": name_of_file(path)} | read_file(path, patch)
    try:
        config = Config.model_validate(content)
    except ValidationError as error:
        raise UserError(explain(error, Config, str(path))) from None
    measured = config.before_training.seeds if config.before_training is not None else None
    for key, seeds in {"seeds": config.seeds, "before_training.seeds": measured}.items():
        if isinstance(seeds, list) and len(set(seeds)) < len(seeds):
            raise UserError(f"{path}: {key}: {str(seeds)[:200]} names a seed twice")
    return config, path, dotted_keys(patch)
