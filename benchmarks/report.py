"""Write ``RESULTS.md`` from the figures in ``results/``.

python benchmarks/report.py
"""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import gradient_step
import growth
import measurement
import start_up
import summary
import whole_experiment
from machine import FIGURES, Row, markdown

HERE = Path(__file__).parent
HEAD = """# How fast rnnlab is

Written by `make bench`; [README.md](README.md) tells what is measured, what helped, and what bounds
it. "a ÷ b" is rnnlab's time or memory divided by the other's, in one run: lower is better.
"""
SECTIONS: list[tuple[str, str, Callable[[Sequence[Row]], str]]] = [
    ("gradient_step_cpu", "A training step", gradient_step.table),
    ("gradient_step_gpu", "A training step on a GPU", gradient_step.table),
    (
        "whole_experiment",
        "Forget biases, every training step recorded",
        whole_experiment.table,
    ),
    ("growth", "Growth", growth.table),
    ("measurement", "Measuring, against plain automatic differentiation", measurement.table),
    ("start_up", "Start-up", start_up.table),
]
SUMMARIES = {
    "gradient_step_cpu": summary.of_steps,
    "whole_experiment": summary.of_experiment,
    "growth": summary.of_growth,
}


def read(name: str) -> dict[str, Any] | None:
    """The figures of a benchmark, if it has run."""
    path = FIGURES / f"{name}.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None


def about(figures: dict[str, Any]) -> str:
    """How they were made."""
    machine = figures["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in machine["versions"].items())
    return (
        f"`{figures['command']}`, {machine['date']}; {machine['processor']}, {machine['cores']} "
        f"cores, {machine['memory_gb']} GB; {machine['system']}, Python {machine['python']}; "
        f"{versions}."
    )


def main() -> None:
    """Write the page."""
    found = {name: figures for name, _, _ in SECTIONS if (figures := read(name))}
    reached = [
        line
        for name, summarize in SUMMARIES.items()
        if name in found
        for line in summarize(found[name]["rows"])
    ]
    parts = [HEAD, markdown(["", "reached: geometric mean [range]", "aim"], reached)]
    for name, title, table in SECTIONS:
        if name in found:
            figures = found[name]
            parts += [f"\n## {title}\n\n{about(figures)}\n", table(figures["rows"])]
    (HERE / "RESULTS.md").write_text("\n".join(parts) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
