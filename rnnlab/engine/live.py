"""The file through which ``rnnlab watch`` follows a sweep."""

import contextlib
import json
import os
import socket
import time
from pathlib import Path
from typing import Any

from rnnlab.engine.progress import Progress
from rnnlab.support.files import replacing

SECONDS_BETWEEN_WRITES = 1.0
NAME = "live.json"
FIELDS = {"process", "host", "beat", "total", "done", "seconds_left", "running"}


class LiveFile(contextlib.AbstractContextManager["LiveFile"]):
    """``live.json`` in a results folder: rewritten about once a second, removed at the end.

    If ``beat`` no longer increases, the sweep is dead.
    """

    def __init__(self, folder: Path, progress: Progress) -> None:
        self.path, self.progress = folder / NAME, progress
        self.written, self.beat = -SECONDS_BETWEEN_WRITES, 0
        self.facts: dict[str, Any] = {"process": os.getpid(), "host": socket.gethostname()}

    def update(self) -> None:
        """Write the file, at most once a second; errors of the file system are ignored."""
        if time.monotonic() - self.written < SECONDS_BETWEEN_WRITES:
            return
        self.written, self.beat = time.monotonic(), self.beat + 1
        content = json.dumps(self.facts | {"beat": self.beat} | self.progress.snapshot())
        with contextlib.suppress(OSError), replacing(self.path) as partial:
            partial.write_text(content, encoding="utf-8")

    def __exit__(self, *error: object) -> None:
        """The sweep is over."""
        with contextlib.suppress(OSError):
            self.path.unlink(missing_ok=True)


def read_live(folder: Path) -> dict[str, Any] | None:
    """The content of ``live.json``, or None if no sweep is running in this folder."""
    try:
        content = json.loads((folder / NAME).read_bytes())
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) and content.keys() >= FIELDS else None
