"""Handles Ctrl-C and other signals to end: runs in progress are stored first."""

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType

# Ctrl-C and kill; a closed terminal; the warnings of SLURM and other schedulers before they end a
# job, which also come as SIGXCPU; Ctrl-Break. Each system has some of them.
NAMES = ("SIGINT", "SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2", "SIGXCPU", "SIGBREAK")
SIGNALS = tuple(getattr(signal, name) for name in NAMES if hasattr(signal, name))
# Added to a signal's number, it is the exit code that a shell gives to what the signal has ended.
SHELL_CODE = 128


class Signalled(KeyboardInterrupt):
    """A signal has asked to stop, and what was to be stored is stored.

    Attributes:
        number: the signal.
    """

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.number = number


def exit_code(stopped: KeyboardInterrupt) -> int:
    """The exit code that a shell expects: 130 for SIGINT, 143 for SIGTERM, 129 for SIGHUP."""
    return SHELL_CODE + getattr(stopped, "number", signal.SIGINT)


class Stop:
    """Tells whether a signal has asked to stop.

    Attributes:
        number: the signal; None before there is one.
    """

    def __init__(self) -> None:
        self.number: int | None = None
        self._is_storing = self._is_urgent = False

    @property
    def wanted(self) -> bool:
        """Whether a stop is wanted."""
        return self.number is not None

    def __call__(self) -> bool:
        """Whether a stop is wanted, asked by what will then store its state and leave.

        From then on a second Ctrl-C does not stop at once: it would lose what is being stored.
        """
        self._is_storing = self._is_storing or self.wanted
        return self.wanted

    @contextlib.contextmanager
    def storing(self) -> Iterator[None]:
        """While something is stored; a second Ctrl-C stops when it is."""
        before, self._is_storing = self._is_storing, True
        try:
            yield
        finally:
            self._is_storing = before
        if self._is_urgent and not before:
            raise Signalled(signal.SIGINT)

    def receive(self, number: int) -> bool:
        """Take a signal; return whether it is the first.

        Raises:
            Signalled: it is a second Ctrl-C, and nothing is being stored. Other signals may come
                in twos, as when a terminal is closed or SLURM ends a job.
        """
        if not self.wanted:
            self.number = number
            return True
        if number == signal.SIGINT:
            self.number, self._is_urgent = number, True
            if not self._is_storing:
                raise Signalled(number)
        return False

    def check(self) -> None:
        """Raise Signalled if a stop is wanted."""
        if self.number is not None:
            raise Signalled(self.number)


@contextlib.contextmanager
def stop_on_signal(say: Callable[[str], None]) -> Iterator[Stop]:
    """Take the first signal of ``SIGNALS`` as a wish to stop; see ``Stop.receive`` for the second.

    Signals that are ignored, as SIGHUP under nohup, stay so. Outside the main thread all are left
    alone.
    """
    stop = Stop()

    def on_signal(number: int, frame: FrameType | None) -> None:
        if stop.receive(number):
            say("stopping: the runs in progress are being stored; Ctrl-C stops at once")

    with _handled_by(on_signal):
        yield stop


@contextlib.contextmanager
def raised_signals() -> Iterator[None]:
    """Raise Signalled when a signal of ``SIGNALS`` comes, which Python does for Ctrl-C only."""

    def on_signal(number: int, frame: FrameType | None) -> None:
        raise Signalled(number)

    with _handled_by(on_signal):
        yield


@contextlib.contextmanager
def kept_from_children() -> Iterator[None]:
    """Block signals in processes and threads that are started meanwhile, for as long as they live.

    Not Ctrl-C and SIGTERM, with which Python's helpers deal, and which should not wait here.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    kept = set(SIGNALS) - {signal.SIGINT, signal.SIGTERM}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, kept)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextlib.contextmanager
def _handled_by(handler: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    """Have the handler take the signals that are not ignored, and put the others' back."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    taken = [n for n in SIGNALS if signal.getsignal(n) not in (signal.SIG_IGN, None)]
    before = {number: signal.signal(number, handler) for number in taken}
    try:
        yield
    finally:
        for number, earlier in before.items():
            signal.signal(number, earlier)
