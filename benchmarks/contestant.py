"""A process in which one library trains; told on standard input when to, by ``arena.py``.

    python contestant.py PEER CELL TIME BATCH HIDDEN RECORDED

Commands, a line each: ``check FILE`` writes loss and gradient, ``time`` trains for ten steps and
says how many seconds they took, ``memory`` says how many bytes training takes above what is held
between two calls, and the most that this process ever held.
"""

import json
import resource
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import peers
from workload import Shape, weights


def status(field: str) -> int:
    """A figure of this process in bytes, from the kernel."""
    lines = Path("/proc/self/status").read_text().splitlines()
    (line,) = [line for line in lines if line.startswith(field + ":")]
    return int(line.split()[1]) * 1024


def memory(train: Any) -> dict[str, int]:
    """Bytes that training takes; see above."""
    Path("/proc/self/clear_refs").write_text("5")
    before = status("VmRSS")
    train()
    grown = status("VmHWM") - before
    return {"grown": grown, "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}


def answer(contestant: Any, command: str, *arguments: str) -> Any:
    """What there is to say to a command."""
    if command == "check":
        loss, gradient = contestant.check()
        arrays: dict[str, Any] = {name: np.asarray(array) for name, array in gradient.items()}
        np.savez(arguments[0], **(arrays | {"loss": np.asarray(loss)}))
        return "checked"
    if command == "memory":
        return memory(contestant.train)
    begun = time.perf_counter()
    contestant.train()
    return time.perf_counter() - begun


def main() -> None:
    """Build, then do what is asked."""
    name, cell, *shape, recorded = sys.argv[1:]
    size = Shape(*map(int, shape))
    contestant = peers.peer(name).Contestant(cell, size, weights(cell, size), recorded)
    print(json.dumps("ready"), flush=True)
    for line in sys.stdin:
        print(json.dumps(answer(contestant, *line.split())), flush=True)


if __name__ == "__main__":
    main()
