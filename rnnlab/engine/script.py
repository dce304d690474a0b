"""Scripts that start workers: each worker begins by running the script's file once more."""

import ast
import contextlib
import multiprocessing
import sys
from collections.abc import Iterator
from pathlib import Path
from types import FrameType, ModuleType

from rnnlab.support.errors import UserError, is_file

ADVICE = (
    "with workers, rnnlab.run in a script must stand below 'if __name__ == \"__main__\":', since "
    "each worker begins by running the script; or set workers=0"
)
# Statements and expressions of which a part is run on a condition.
CONDITIONAL = (ast.If, ast.IfExp, ast.BoolOp, ast.Match, ast.While)


def check_guard() -> None:
    """Check, before the script is run once more, that it would not start workers again.

    Raises:
        UserError: it calls rnnlab at its top level, on no condition.
    """
    frame = _top_level()
    if not workers_run_it() or frame is None:
        return
    with contextlib.suppress(OSError, SyntaxError, ValueError):
        tree = ast.parse(Path(frame.f_code.co_filename).read_bytes())
        line = frame.f_lineno
        if not any(_covers(node, line) for node in ast.walk(tree)):
            raise UserError(f"{frame.f_code.co_filename}, line {line}: {ADVICE}")


def _covers(node: ast.AST, line: int) -> bool:
    """Whether it is conditional, and the line belongs to it."""
    return isinstance(node, CONDITIONAL) and node.lineno <= line <= (node.end_lineno or 0)


def _top_level() -> FrameType | None:
    """The frame of the script's top level, if that has called this function."""
    frame: FrameType | None = sys._getframe()
    while frame is not None:
        if frame.f_code.co_name == "<module>" and frame.f_globals is vars(_main()):
            return frame
        frame = frame.f_back
    return None


def _main() -> ModuleType:
    return sys.modules["__main__"]


def workers_run_it() -> bool:
    """Whether Python has new processes run the main module: not a package's, nor a console's."""
    spec = getattr(_main(), "__spec__", None)
    is_package = spec is not None and spec.name.rpartition(".")[2] == "__main__"
    return getattr(_main(), "__file__", None) is not None and not is_package


def is_run_by_worker() -> bool:
    """Whether this is a process that is only beginning, and runs the script once more."""
    return bool(getattr(multiprocessing.current_process(), "_inheriting", False))


@contextlib.contextmanager
def without_missing_file() -> Iterator[None]:
    """Keep new processes from running a main module that is no file, as of ``python - < file``."""
    main = _main()
    name = getattr(main, "__file__", None)
    if name is None or is_file(Path(name)):
        yield
        return
    del main.__file__
    try:
        yield
    finally:
        main.__file__ = name
