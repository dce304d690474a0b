"""Standard streams that may be full or closed, or lack a character."""

import collections
import contextlib
import errno
import os
import sys
from typing import Any

from rnnlab.support.similar_text import shown

# The exit code that a shell gives to what SIGPIPE has ended, as when head has seen enough.
PIPE_CODE = 141
MOST_KEPT = 1000


class OutputLost(Exception):
    """Standard output cannot be written to."""


class Guarded:
    """A stream that shows what its encoding can show, and whose errors are told from others.

    Attributes:
        error: the first; None while there is none.
    """

    def __init__(self, stream: Any) -> None:
        """Guard a text stream; None is one that is closed."""
        self._stream = stream
        self.error: Exception | None = None

    def write(self, text: str) -> int:
        """Write a text.

        Raises:
            OutputLost: it cannot be written.
        """
        self._try("write", shown(text, getattr(self._stream, "encoding", None)))
        return len(text)

    def flush(self) -> None:
        """Hand on what has been written; raises as ``write``."""
        self._try("flush")

    def _try(self, method: str, *arguments: str) -> None:
        try:
            if self._stream is not None:
                getattr(self._stream, method)(*arguments)
        except (OSError, ValueError, RuntimeError) as error:  # full; closed; in a signal handler
            self.error = self.error or error
            raise OutputLost from error

    def __getattr__(self, name: str) -> Any:
        if name == "buffer":  # through which click would write UTF-8 to a stream that is ASCII
            raise AttributeError(name)
        return getattr(self._stream, name)

    def let_go(self) -> None:
        """If it has failed, spare Python the error of a last attempt when the process ends."""
        if self.error is not None and self._stream is not None:
            with contextlib.suppress(OSError, ValueError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), self._stream.fileno())
                self._stream.flush()


class Forgiving(Guarded):
    """A stream for messages about work that goes on where they cannot be written.

    Attributes:
        unseen: the last texts that could not be written.
    """

    def __init__(self, stream: Any) -> None:
        super().__init__(stream)
        self.unseen: collections.deque[str] = collections.deque(maxlen=MOST_KEPT)

    def write(self, text: str) -> int:
        """Write a text, up to the end of its last line."""
        self.unseen.append(text)
        with contextlib.suppress(OutputLost):
            super().write(text)
            if "\n" in text:
                super().flush()
                self.unseen.clear()
        return len(text)

    def flush(self) -> None:
        """Hand on what has been written."""
        with contextlib.suppress(OutputLost):
            super().flush()


def forgiving(stream: Any) -> Forgiving:
    """The stream, made forgiving unless it is."""
    return stream if isinstance(stream, Forgiving) else Forgiving(stream)


class Streams(contextlib.AbstractContextManager["Streams"]):
    """The standard streams of a command, guarded while it runs.

    What standard error cannot show ends nothing, since what is computed should be kept; it is told
    at last on standard output.
    """

    def __enter__(self) -> "Streams":
        _open_closed()
        self.before = sys.stdout, sys.stderr
        self.out, self.err = Guarded(sys.stdout), Forgiving(sys.stderr)
        sys.stdout, sys.stderr = self.out, self.err
        return self

    def __exit__(self, *error: object) -> None:
        self.out.let_go()
        self.err.let_go()
        sys.stdout, sys.stderr = self.before

    def exit_code(self, code: int) -> int:
        """The exit code of a command that would end with this one, had its streams not failed."""
        with contextlib.suppress(OutputLost):
            self.out.flush()
            if self.err.error is not None:
                print("".join(self.err.unseen) + f"rnnlab: standard error: {self.err.error}")
                self.out.flush()
        if isinstance(self.out.error, BrokenPipeError):
            return PIPE_CODE
        if self.out.error is not None:
            print(f"rnnlab: standard output: {self.out.error}", file=self.err)
        return code or int(self.out.error is not None or self.err.error is not None)


def _open_closed() -> None:
    """Open closed streams as the null device, or a file of results would get their numbers.

    What libraries write to standard error would then end up in it. What is written to a closed
    standard output is an error, as in other commands.
    """
    for number, mode in enumerate((os.O_RDONLY, os.O_RDONLY, os.O_WRONLY)):
        try:
            os.fstat(number)
        except OSError as error:
            if error.errno == errno.EBADF:
                os.open(os.devnull, mode)  # which gets the least number that is free
    if sys.stdout is None:
        sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
