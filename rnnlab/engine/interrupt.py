"""Handles Ctrl-C: once stores the runs in progress and stops, twice stops at once."""

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Stop:
    """Tells whether the user wants to stop."""

    def __init__(self) -> None:
        self.wanted = False

    def __call__(self) -> bool:
        """Whether a stop is wanted."""
        return self.wanted


@contextlib.contextmanager
def stop_on_signal(say: Callable[[str], None]) -> Iterator[Stop]:
    """Take the first SIGINT or SIGTERM as a wish to stop; the second one raises KeyboardInterrupt.

    Outside the main thread signals are left alone.
    """
    stop = Stop()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return

    def on_signal(number: int, frame: FrameType | None) -> None:
        if stop.wanted:
            raise KeyboardInterrupt
        stop.wanted = True
        say("stopping: the runs in progress are being stored; once more stops at once")

    before = {number: signal.signal(number, on_signal) for number in SIGNALS}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
