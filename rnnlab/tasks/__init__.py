"""Long-range tasks, one per file."""

from rnnlab.tasks.adding import Adding
from rnnlab.tasks.copying import Copying
from rnnlab.tasks.task import Task

TASKS: dict[str, type[Task]] = {"adding": Adding, "copy": Copying}

__all__ = ["TASKS", "Adding", "Copying", "Task"]
