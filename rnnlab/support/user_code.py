"""Where in the user's own code an error comes from, for messages in place of tracebacks."""

import inspect
import traceback
from collections.abc import Callable
from typing import Any

from jax import errors

from rnnlab.support.errors import UserError
from rnnlab.support.plugin_modules import is_of_plugin

# What to write instead, by the kind of error that JAX raises while it compiles.
REMEDIES: dict[type[Exception], str] = {
    errors.TracerBoolConversionError: "a Python if or while cannot read a value that is known only "
    "when the compiled code runs: write jax.numpy.where or jax.lax.cond",
    errors.TracerArrayConversionError: "NumPy cannot read a value that is known only when the "
    "compiled code runs: write jax.numpy",
    errors.TracerIntegerConversionError: "an index or a size of Python cannot be a value that is "
    "known only when the compiled code runs: write jax.numpy or jax.lax.dynamic_slice",
    errors.ConcretizationTypeError: "Python cannot read a value that is known only when the "
    "compiled code runs: write jax.numpy",
}


def described(error: BaseException) -> str:
    """One line on an error of the user's code: its kind, its message, a remedy and its place."""
    if isinstance(error, UserError):
        return str(error)
    remedy = next((text for kind, text in REMEDIES.items() if isinstance(error, kind)), "")
    told = error.msg if isinstance(error, SyntaxError) else str(error)
    message = (told.splitlines() or [""])[0].rstrip(".")
    parts = [part for part in (message, remedy) if part]
    line = last_own_line(error)
    place = "" if line is None else f" ({line.filename}, line {line.lineno}: {line.line})"
    return f"{type(error).__name__}: {'; '.join(parts)}{place}"


def last_own_line(error: BaseException) -> traceback.FrameSummary | None:
    """The last line through which an error came that is in a file which a config names.

    Of an error of syntax, the line itself.
    """
    if isinstance(error, SyntaxError) and error.filename and error.lineno:
        return traceback.FrameSummary(
            error.filename, error.lineno, "<module>", line=(error.text or "").strip()
        )
    trace = error.__traceback__
    frames = zip(traceback.walk_tb(trace), traceback.extract_tb(trace), strict=True)
    return next((line for (frame, _), line in reversed([*frames]) if is_of_plugin(frame)), None)


def place_of(function: Callable[..., Any]) -> str:
    """Where a function of the user's own begins, in brackets for a message's end; or nothing."""
    plain = inspect.unwrap(getattr(function, "__func__", function))
    code = getattr(plain, "__code__", None)
    if code is None or str(plain.__module__).startswith("rnnlab."):
        return ""
    return f" ({code.co_filename}, line {code.co_firstlineno})"
