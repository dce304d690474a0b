"""What a benchmark ran on, and the file that its figures go to."""

import datetime
import json
import os
import platform
import sys
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

FIGURES = Path(__file__).parent / "results"
PACKAGES = ("rnnlab", "jax", "jaxlib", "optax", "torch", "flax", "equinox", "dm-haiku", "numpy")

Row = dict[str, Any]


def cores() -> list[int]:
    """That this process may use."""
    return sorted(os.sched_getaffinity(0))


def machine() -> dict[str, Any]:
    """Processor, memory, system, versions."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    model = next(
        (line.split(":")[1].strip() for line in lines if line.startswith("model name")), ""
    )
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "date": datetime.date.today().isoformat(),
        "processor": model or platform.processor(),
        "cores": len(cores()),
        "memory_gb": round(memory / 1e9),
        "system": f"{platform.system()} {platform.release().split('-')[0]}",
        "python": platform.python_version(),
        "versions": {name: found for name in PACKAGES if (found := _version(name))},
    }


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def write(name: str, rows: Sequence[Row]) -> None:
    """Keep a benchmark's figures, and how they were made."""
    FIGURES.mkdir(exist_ok=True)
    command = " ".join(["python", f"benchmarks/{Path(sys.argv[0]).name}", *sys.argv[1:]])
    content = {"command": command, "machine": machine(), "rows": rows}
    (FIGURES / f"{name}.json").write_text(json.dumps(content, indent=1, default=float) + "\n")


def markdown(header: Sequence[str], lines: Sequence[Sequence[Any]]) -> str:
    """A table."""
    rows = [header, ["---"] * len(header), *lines]
    return "\n".join("| " + " | ".join(map(str, row)) + " |" for row in rows)
