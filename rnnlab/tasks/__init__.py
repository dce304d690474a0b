"""Long-range tasks, one per file."""

from rnnlab.tasks.adding import Adding
from rnnlab.tasks.arithmetic import Arithmetic
from rnnlab.tasks.arrays import Arrays
from rnnlab.tasks.copying import Copying
from rnnlab.tasks.data_set import DataTask, Examples, Pool
from rnnlab.tasks.digits import Digits
from rnnlab.tasks.task import Task

TASKS: dict[str, type[Task]] = {
    "adding": Adding,
    "arithmetic": Arithmetic,
    "copy": Copying,
    "digits": Digits,
    "arrays": Arrays,
}

__all__ = [
    "TASKS",
    "Adding",
    "Arithmetic",
    "Arrays",
    "Copying",
    "DataTask",
    "Digits",
    "Examples",
    "Pool",
    "Task",
]
