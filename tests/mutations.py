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
        "tests/tasks/test_adding.py",
    ),
    Mutation(
        "rnnlab/tasks/copying.py",
        "target = nothing.at[delimiter + 1 + jnp.arange(self.symbols)]",
        "target = nothing.at[delimiter + jnp.arange(self.symbols)]",
        "tests/tasks/test_copying.py",
    ),
    Mutation(
        "rnnlab/tasks/copying.py",
        "values, 0.0)) / self.symbols",
        "values, 0.0)) / self.steps",
        "tests/tasks/test_copying.py",
    ),
    Mutation(
        "rnnlab/tasks/arrays.py",
        "lax.dynamic_slice_in_dim(steps, target.length - 1, 1)",
        "lax.dynamic_slice_in_dim(steps, target.length - 2, 1)",
        "tests/tasks/test_arrays.py",
    ),
    Mutation(
        "rnnlab/tasks/data_set.py",
        "return Pool(order[self._held_out :], examples)",
        "return Pool(order, examples)",
        "tests/tasks/test_data_set.py",
    ),
    # Cells.
    Mutation(
        "rnnlab/cells/lstm.py",
        "f * state.c + i * g",
        "i * state.c + f * g",
        "tests/cells/test_cells.py",
    ),
    Mutation(
        "rnnlab/cells/lstm.py",
        '"f": before.c * f * (1 - f)',
        '"f": before.c * f * (1 + f)',
        "tests/gradients/test_jacobian.py",
    ),
    Mutation(
        "rnnlab/cells/lstm.py",
        "b_i = -b_f if",
        "b_i = b_f if",
        "tests/cells/test_cells.py",
    ),
    Mutation(
        "rnnlab/cells/gru.py",
        "z_path = through((before.h - n)",
        "z_path = through((n - before.h)",
        "tests/gradients/test_jacobian.py",
    ),
    Mutation(
        "rnnlab/cells/gru.py",
        "h_by_rh * r[..., None, :]",
        "h_by_rh * r[..., :, None]",
        "tests/gradients/test_jacobian.py",
    ),
    Mutation(
        "rnnlab/cells/vanilla.py",
        'Linearisation(0 * ones, ones, "U_h"',
        'Linearisation(ones, ones, "U_h"',
        "tests/gradients/test_theory.py",
    ),
    Mutation(
        "rnnlab/cells/initializers.py",
        "minval=1.0, maxval=t_max - 1.0",
        "minval=1.0, maxval=t_max",
        "tests/cells/test_cells.py",
    ),
    Mutation(
        "rnnlab/cells/closed_forms.py",
        "expit(-np.asarray(b_f, float))",
        "expit(np.asarray(b_f, float))",
        "tests/gradients/test_theory.py",
    ),
    # Recurrence.
    Mutation(
        "rnnlab/recurrence/stack.py",
        "jnp.concatenate([a[None], b[:-1]])",
        "jnp.concatenate([a[None], b[1:]])",
        "tests/gradients/test_jacobian.py",
    ),
    Mutation(
        "rnnlab/recurrence/products.py",
        "x, h = (None if K is None else delta @ K.T for K in weights)",
        "h, x = (None if K is None else delta @ K.T for K in weights)",
        "tests/recurrence/test_fused.py",
    ),
    Mutation(
        "rnnlab/recurrence/fused.py",
        "by_state = jax.tree.map(jnp.add, state, by_before)",
        "by_state = state",
        "tests/recurrence/test_fused.py",
    ),
    Mutation(
        "rnnlab/recurrence/layer.py",
        "whole = time - time % length",
        "whole = time - length",
        "tests/recurrence",
    ),
    # Gradients.
    Mutation(
        "rnnlab/gradients/norms.py",
        "jnp.log10(largest) + 0.5 * jnp.log10(squares)",
        "jnp.log10(largest) + jnp.log10(squares)",
        "tests/gradients/test_norms.py",
    ),
    Mutation(
        "rnnlab/gradients/adjoints.py",
        "jnp.conj(g) if jnp.iscomplexobj(g)",
        "g if jnp.iscomplexobj(g)",
        "tests/gradients/test_general_states.py",
    ),
    Mutation(
        "rnnlab/gradients/scaled.py",
        "exponent - unit) for m, exponent in (x, y)",
        "unit - exponent) for m, exponent in (x, y)",
        "tests/gradients/test_scaled_numbers.py",
    ),
    Mutation(
        "rnnlab/gradients/sensitivity.py",
        "later = jnp.flip(seen.collected[cell.direct][:, 1:], axis=1)",
        "later = jnp.flip(seen.collected[cell.direct][:, :-1], axis=1)",
        "tests/gradients/test_sensitivity.py",
    ),
    Mutation(
        "rnnlab/gradients/lyapunov.py",
        "counted = first[int(ALIGNING_SHARE * len(first)) :]",
        "counted = first",
        "tests/gradients/test_lyapunov.py",
    ),
    Mutation(
        "rnnlab/gradients/paths.py",
        "past_gates - direct",
        "past_gates + direct",
        "tests/gradients/test_paths.py",
    ),
    Mutation(
        "rnnlab/gradients/jacobian.py",
        'sizes["share"] = frobenius_norm(indirect) / frobenius_norm(total)',
        'sizes["share"] = frobenius_norm(total) / frobenius_norm(indirect)',
        "tests/gradients/test_jacobian.py",
    ),
    Mutation(
        "rnnlab/gradients/decay.py",
        "x = x - x.mean()",
        "x = x - x.max()",
        "tests/results/test_summary.py",
    ),
    # Training.
    Mutation(
        "rnnlab/training/objective.py",
        "lambda g: g / losses.size, gradient_of_sum",
        "lambda g: g, gradient_of_sum",
        "tests/training/test_training.py",
    ),
    Mutation(
        "rnnlab/training/program.py",
        "later = start + 1 + jnp.arange(self.chunk_length - 1)",
        "later = start + jnp.arange(self.chunk_length - 1)",
        "tests/training/test_training.py",
    ),
    Mutation(
        "rnnlab/training/update.py",
        "jnp.where(norm > largest, g / norm * largest, g)",
        "jnp.where(norm < largest, g / norm * largest, g)",
        "tests/training/test_optimizers.py",
    ),
    Mutation(
        "rnnlab/training/update.py",
        "updates = jax.tree.map(lambda u: u * state.learning_rate, updates)",
        "updates = jax.tree.map(lambda u: -u * state.learning_rate, updates)",
        "tests/training/test_training.py",
    ),
    Mutation(
        "rnnlab/training/quantities/gates.py",
        "q10, q90 = quantiles(values, 0.1, 0.9)",
        "q90, q10 = quantiles(values, 0.1, 0.9)",
        "tests/training/test_recording.py",
    ),
    # Results.
    Mutation(
        "rnnlab/results/intervals.py",
        "values.std(ddof=1)",
        "values.std(ddof=0)",
        "tests/results/test_intervals.py",
    ),
    Mutation(
        "rnnlab/results/intervals.py",
        "stats.t.isf((1 - CONFIDENCE) / comparisons / 2, degrees)",
        "stats.t.isf((1 - CONFIDENCE) / 2, degrees)",
        "tests/results/test_intervals.py",
    ),
    Mutation(
        "rnnlab/results/intervals.py",
        "float(ordered[k - 1]), float(ordered[-k])",
        "float(ordered[k]), float(ordered[-k - 1])",
        "tests/results/test_intervals.py",
    ),
    Mutation(
        "rnnlab/results/comparison.py",
        'matching = [others[run["seed"]] for run in paired]',
        "matching = list(others.values())[: len(paired)]",
        "tests/results/test_comparison.py",
    ),
    Mutation(
        "rnnlab/training/quantities/gradients.py",
        'facts.read_step - carry["t"]',
        'carry["t"]',
        "tests/results",
    ),
    Mutation(
        "rnnlab/training/quantities/summary.py",
        'top = table[table["layer"] == table["layer"].max()]',
        'top = table[table["layer"] == table["layer"].min()]',
        "tests/results",
    ),
    # Engine and config.
    Mutation(
        "rnnlab/training/reported.py",
        "return starts[chunk] + int(offset), starts[: chunk + 1]",
        "return starts[chunk] + int(offset) + 1, starts[: chunk + 1]",
        "tests/training",
    ),
    Mutation(
        "rnnlab/engine/estimate.py",
        "pace.compiling * compiles",
        "pace.compiling",
        "tests/engine/test_follow.py",
    ),
    Mutation(
        "rnnlab/config/sweep.py",
        '"seed": self.seed,\n            "results_version"',
        '"results_version"',
        "tests/config/test_sweep.py",
    ),
    Mutation(
        "rnnlab/config/sweep.py",
        "for patches in itertools.product(*swept):",
        "for patches in zip(*swept):",
        "tests/config/test_sweep.py",
    ),
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
