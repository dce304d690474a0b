"""Whether the tests still bite: 40 mistakes in the core, each of which they should catch.

``make mutations``, or some of them: ``python tests/mutations.py rnnlab/tasks``. Each mistake is
made in a copy of the checkout. First the tests of its room run, as ``make test`` runs them; where
they pass, all tests of ``make test`` do. A table of what was caught by what is printed; the exit
code is 1 where more than one mistake was caught by none, and 2 where the text that a mistake
replaces is not found exactly once, as after the code has changed: then write it anew.
"""

import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
MOST_UNCAUGHT = 1
SELECTION = ["-m", "not processes and not soak"]
COPIED = ("rnnlab", "tests", "configs", "experiments", "docs", "benchmarks", "results/reference")
FILES = ("pyproject.toml", "README.md", "CHANGELOG.md", "Makefile", "CITATION.cff")


class Mutation(NamedTuple):
    """A mistake: in which file, what is replaced by what, and the tests that should fail.

    ``replaced`` may leave the whitespace around it out, but no part of it.
    """

    file: str
    replaced: str
    by: str
    tests: str


MUTATIONS = [
    # Tasks.
    Mutation(
        "rnnlab/tasks/adding.py",
        "second = other + (other >= first)",
        "second = other + (other > first)",
        "tests/tasks",
    ),
    Mutation(
        "rnnlab/tasks/copying.py",
        "target = nothing.at[delimiter + 1 + jnp.arange(self.symbols)]",
        "target = nothing.at[delimiter + jnp.arange(self.symbols)]",
        "tests/tasks",
    ),
    Mutation(
        "rnnlab/tasks/copying.py",
        "values, 0.0)) / self.symbols",
        "values, 0.0)) / self.steps",
        "tests/tasks",
    ),
    Mutation(
        "rnnlab/tasks/arrays.py",
        "lax.dynamic_slice_in_dim(steps, target.length - 1, 1)",
        "lax.dynamic_slice_in_dim(steps, target.length - 2, 1)",
        "tests/tasks",
    ),
    Mutation(
        "rnnlab/tasks/data_set.py",
        "return Pool(order[self._held_out :], examples)",
        "return Pool(order, examples)",
        "tests/tasks",
    ),
    # Training.
    Mutation(
        "rnnlab/training/objective.py",
        "lambda g: g / losses.size, gradient_of_sum",
        "lambda g: g, gradient_of_sum",
        "tests/training",
    ),
    Mutation(
        "rnnlab/training/program.py",
        "later = start + 1 + jnp.arange(self.chunk_length - 1)",
        "later = start + jnp.arange(self.chunk_length - 1)",
        "tests/training",
    ),
    Mutation(
        "rnnlab/training/program.py",
        "jnp.where(norm > largest, g / norm * largest, g)",
        "jnp.where(norm < largest, g / norm * largest, g)",
        "tests/training",
    ),
    Mutation(
        "rnnlab/training/program.py",
        "updates = jax.tree.map(lambda u: u * state.learning_rate, updates)",
        "updates = jax.tree.map(lambda u: -u * state.learning_rate, updates)",
        "tests/training",
    ),
    Mutation(
        "rnnlab/training/program.py",
        "jnp.isfinite(loss) & jnp.isfinite(gradient_norm) & jnp.isfinite(global_norm(params))",
        "jnp.isfinite(loss) & jnp.isfinite(gradient_norm)",
        "tests/training",
    ),
    Mutation(
        "rnnlab/training/optimizers.py",
        "optax.rmsprop(learning_rate, decay=self.decay)",
        "optax.rmsprop(learning_rate, decay=1 - self.decay)",
        "tests/training",
    ),
    # Results.
    Mutation(
        "rnnlab/results/intervals.py",
        "values.std(ddof=1)",
        "values.std(ddof=0)",
        "tests/results",
    ),
    Mutation(
        "rnnlab/results/intervals.py",
        "stats.t.isf((1 - CONFIDENCE) / comparisons / 2, degrees)",
        "stats.t.isf((1 - CONFIDENCE) / 2, degrees)",
        "tests/results",
    ),
    Mutation(
        "rnnlab/results/intervals.py",
        "float(ordered[k - 1]), float(ordered[-k])",
        "float(ordered[k]), float(ordered[-k - 1])",
        "tests/results",
    ),
    Mutation(
        "rnnlab/results/comparison.py",
        'matching = [others[run["seed"]] for run in paired]',
        "matching = list(others.values())[: len(paired)]",
        "tests/results",
    ),
    Mutation(
        "rnnlab/results/summary.py",
        'return decay_per_step(record["log10_mean"], read_step - record["t"])',
        'return decay_per_step(record["log10_mean"], record["t"])',
        "tests/results",
    ),
    Mutation(
        "rnnlab/results/summary.py",
        'top = frame[frame["layer"] == frame["layer"].max()]',
        'top = frame[frame["layer"] == frame["layer"].min()]',
        "tests/results",
    ),
    # Engine, config.
    Mutation(
        "rnnlab/engine/output.py",
        "return starts[chunk] + int(offset), starts[: chunk + 1]",
        "return starts[chunk] + int(offset) + 1, starts[: chunk + 1]",
        "tests/engine",
    ),
    Mutation(
        "rnnlab/engine/estimate.py",
        "cost.compiling * is_new + cost.running",
        "cost.compiling + cost.running",
        "tests/engine",
    ),
    Mutation(
        "rnnlab/config/sweep.py",
        '"seed": self.seed,\n            "results_version"',
        '"results_version"',
        "tests/config",
    ),
    Mutation(
        "rnnlab/config/sweep.py",
        "for patches in itertools.product(*axes):",
        "for patches in zip(*axes):",
        "tests/config",
    ),
    # Cells, recurrence, gradients: TO BE FILLED (about 19: signs of gates, swapped gates,
    # transposed kernels, a dropped path, the wrong layer or step, exponents).
]


def main() -> int:
    """Make the mistakes, and see."""
    chosen = [m for m in MUTATIONS if not sys.argv[1:] or m.file.startswith(tuple(sys.argv[1:]))]
    outdated = [m for m in chosen if (ROOT / m.file).read_text("utf-8").count(m.replaced) != 1]
    for mutation in outdated:
        print(f"{mutation.file}: not found exactly once: {mutation.replaced!r}")
    if outdated:
        return 2
    uncaught = 0
    with tempfile.TemporaryDirectory() as folder:
        copy = copy_of_the_checkout(Path(folder))
        for number, mutation in enumerate(chosen, 1):
            started = time.monotonic()
            by = caught_by(copy, mutation)
            uncaught += by is None
            took = f"{number:3}/{len(chosen)} {time.monotonic() - started:4.0f} s"
            change = " ".join(f"{mutation.replaced} → {mutation.by}".split())
            print(f"{took}  {by or 'NOT CAUGHT':70}  {mutation.file}: {change}", flush=True)
    print(f"{len(chosen) - uncaught} of {len(chosen)} caught")
    return int(uncaught > MOST_UNCAUGHT)


def copy_of_the_checkout(folder: Path) -> Path:
    ignored = shutil.ignore_patterns("__pycache__", ".*")
    for name in COPIED:
        shutil.copytree(ROOT / name, folder / name, ignore=ignored)
    for name in FILES:
        shutil.copy(ROOT / name, folder / name)
    return folder


def caught_by(copy: Path, mutation: Mutation) -> str | None:
    """The test that fails first, of the room or of all; None where all pass."""
    path = copy / mutation.file
    right = path.read_text("utf-8")
    path.write_text(right.replace(mutation.replaced, mutation.by), "utf-8")
    try:
        return first_failure(copy, mutation.tests) or first_failure(copy, "tests")
    finally:
        path.write_text(right, "utf-8")


def first_failure(copy: Path, tests: str) -> str | None:
    command = [sys.executable, "-m", "pytest", "-n", "2", "--dist", "worksteal", "-x"]
    command += ["-p", "no:cacheprovider", "--tb", "no", "-rfE", *SELECTION, tests]
    ended = subprocess.run(
        ["env", f"PYTHONPATH={copy}", *command], cwd=copy, capture_output=True, text=True
    )
    if ended.returncode == 0:
        return None
    if found := re.search(r"^(?:FAILED|ERROR) (\S+::\S+)", ended.stdout, re.M):
        return found[1]
    raise RuntimeError(f"the tests did not run:\n{ended.stdout}{ended.stderr}")


if __name__ == "__main__":
    sys.exit(main())
