"""Captions: what a figure draws, on which axes, what its lines and marks mean, what to look at."""

import inspect
import re
from collections.abc import Callable, Iterable, Mapping

SEEDS = "Lines are medians over seeds; each seed is a thin line."
ENDS = {"": "Before training.", "_trained": "At the end of training."}
HEAT_MAP = (
    "It is the median over seeds, of the top layer, by training step (up) and time step t (right), "
    "a panel for each setting. Cells where the gradient reads zero are hatched, cells without a "
    "number are blank; the lowest 1 % share the darkest colour."
)
# By the file name without its ending; of a name with *, the part of the state or the gate.
CAPTIONS = {
    "gradient_decay": (
        "log10 of the norm of the gradient of the memory loss by c_t (above) and h_t (below), "
        "against steps back in time from where the loss is read, at the first, a middle and the "
        f"last record. {SEEDS} A straight line that falls is exponential decay; a line ends where "
        "the gradient reads zero."
    ),
    "learning_curves": (
        "Training loss, mean of the last 50 steps, against the training step. "
        f"{SEEDS} The grey line is the loss of remembering nothing; the dotted line is the "
        "threshold of the task, a tick on it is a run that solved the task at this step, and a "
        "large mark the median of these steps, in which unsolved runs count as later."
    ),
    "heatmap_*": (
        "How far the gradient by a part of the state decays going back: log10 of its norm at t "
        f"less that at the last step, of the same training step. {HEAT_MAP} Grey keeps its size, "
        "blue decays, yellow grows; the two sides of 0 have scales of their own."
    ),
    "heatmap_*_size": f"log10 of the norm of the gradient by a part of the state. {HEAT_MAP}",
    "*_gate": (
        "Mean of a gate over units and examples, in the top layer: against the time step t before "
        f"training and at its end, and against the training step. {SEEDS} Dotted lines show what "
        "the initial bias alone gives, σ(b); where a line leaves its dotted one, training moved "
        "the gate."
    ),
    "sensitivity": (
        "log10 of ‖∂c_T/∂c_t‖₂ (h, in a cell without c) in the top layer against steps back in "
        f"time, T − t, at the start and at the end of training. {SEEDS} Dotted lines are "
        "σ(b)^(T−t), what the initial bias on the direct path alone would leave: the distance "
        "between the two is what the other paths do."
    ),
    "lyapunov": (
        "Finite-time Lyapunov exponents of the whole state, in order, natural logarithm per step, "
        f"at the start and at the end of training. {SEEDS} Above 0 states that differ by little "
        "move apart."
    ),
    "indirect_share": (
        "Share of the indirect paths in one step, ‖Σ indirect‖/‖total‖ (Frobenius norms, mean over "
        "t ≥ 1, top layer), against the initial bias, at the start and at the end of training. "
        "Small marks are seeds, lines go through their medians; a setting without a number for its "
        "bias is a horizontal line. At 0 one step is the gate alone."
    ),
    "jacobian_paths": (
        "Spectral norms of one step back, ∂c_t/∂c_{t−1} (h, in a cell without c), against the time "
        "step t in the top layer: of the direct path, of all indirect paths together, and of their "
        f"sum. A panel for each setting. {SEEDS} Above the grey line at 1 a step can stretch the "
        "gradient."
    ),
    "eigenvalues": (
        "Eigenvalues of ∂(h, c)_t/∂(h, c)_{t−1} of the top layer in the complex plane, of all "
        "seeds, a panel for each setting. Grey is the unit circle, inside which a direction "
        "shrinks; dashed is the ring that is predicted from the weights at the zero state."
    ),
}


def caption(name: str) -> str:
    """The caption of a standard figure by its file name without ending; else an empty text."""
    stem = name.removesuffix("_trained")
    if stem in ("jacobian_paths", "eigenvalues"):
        return f"{CAPTIONS[stem]} {ENDS[name.removeprefix(stem)]}"
    if name.startswith("heatmap_"):
        return CAPTIONS["heatmap_*_size" if name.endswith("_size") else "heatmap_*"]
    if name.endswith("_gate") or name.startswith("gate_"):
        return CAPTIONS["*_gate"]
    return CAPTIONS.get(name, "")


def caption_of(draw: Callable[..., object]) -> str:
    """The caption of a figure that a function draws: its docstring, up to the arguments."""
    text = (inspect.getdoc(draw) or "").partition("\n\nArgs:")[0]
    return " ".join(text.replace("``", "`").split())


def read_captions(text: str) -> dict[str, str]:
    """The captions of ``captions_text``, by file name."""
    found = re.findall(r"^\*\*`(.+?)`\*\* ?(.*)$", text, re.MULTILINE)
    return dict(found)


def captions_text(files: Iterable[str], own: Mapping[str, str]) -> str:
    """Markdown: a paragraph for each figure's file, with its caption if there is one.

    Args:
        files: names of the files.
        own: captions by file name without ending, which come before those of ``caption``.
    """
    paragraphs = ["# Captions"]
    for file in files:
        stem = file.rpartition(".")[0]
        words = " ".join((own.get(stem) or caption(stem)).split())
        paragraphs.append(f"**`{file}`** {words}".rstrip())
    return "\n\n".join(paragraphs) + "\n"
