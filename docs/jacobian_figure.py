"""Measures what docs/jacobian.md states: draws its figure and prints its table.

python docs/jacobian_figure.py
"""

from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes

from rnnlab.config.sweep import load_experiment
from rnnlab.engine.progress import make_progress
from rnnlab.measure.subjects import of_config
from rnnlab.measure.survey import Survey, survey
from rnnlab.report.figures import indirect_share, sensitivity_curves
from rnnlab.report.figures.style import RC, figure_legend, panels


def table(found: Survey) -> str:
    """By bias and gain, medians over seeds: indirect share / decades by which Π f falls short."""
    keys = ["cell.forget_bias", "cell.input_bias", "cell.recurrent_gain"]
    frame = found.tables["jacobians"].merge(found.runs[["run", *keys]], on="run")
    frame["short"] = frame["log10_excess"]
    share = frame[frame["t"] > 0].groupby([*keys, "run"])["share"].mean().groupby(keys).median()
    short = frame[frame["t"] == 0].groupby(keys)["short"].median()
    gains = sorted(set(frame["cell.recurrent_gain"]))
    lines = ["| | " + " | ".join(f"gain {gain:g}" for gain in gains) + " |"]
    lines.append("|---" * (1 + len(gains)) + "|")
    for b_f, b_i in dict.fromkeys(key[:2] for key in share.index):
        cells = [f"{share[b_f, b_i, g]:.3f} / {short[b_f, b_i, g]:.2f}" for g in gains]
        name = f"b_f = {b_f:g}" + (", b_i = −b_f" if b_i == "tied" else "")
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def draw(found: Survey, path: Path) -> None:
    """Indirect share against b_f by gain; sensitivities at gain 1 beside σ(b_f)^(T−t)."""
    runs = found.runs[found.runs["cell.input_bias"] == 0]
    jacobians = found.tables["jacobians"]
    figure, axes = panels(1, 2)
    with plt.rc_context(RC):
        by_gain = runs.rename(columns={"cell.recurrent_gain": "cell.gain"})
        indirect_share(jacobians, by_gain, axes[0, 0])
        _in_greys(axes[0, 0])
        at_gain_1 = _named_by_bias(runs[runs["cell.recurrent_gain"] == 1])
        own = jacobians.drop(columns="setting").merge(at_gain_1)
        sensitivity_curves(own, axes[0, 1], runs=at_gain_1)
        for ax, title in zip(axes[0], ("one step", "T = 99 steps, gain 1"), strict=True):
            ax.set_title(title)
        figure_legend(figure, list(axes[0]), [])
        figure.savefig(path)


def _in_greys(ax: Axes) -> None:
    """Lines of the left panel in greys, as colours are those of b_f in the right one."""
    colours = list(dict.fromkeys(line.get_color() for line in ax.get_lines()))
    for line in ax.get_lines():
        line.set_color(f"{0.7 - 0.35 * colours.index(line.get_color()):g}")


def _named_by_bias(runs: pd.DataFrame) -> pd.DataFrame:
    """The runs, with settings named by their forget bias alone."""
    names = [f"b_f = {bias:g}" for bias in runs["cell.forget_bias"]]
    return runs.assign(setting=pd.Categorical(names, list(dict.fromkeys(names)), ordered=True))


def main() -> None:
    """Measure, draw, print."""
    experiment = load_experiment("direct_vs_total", {"seeds": 3})
    found = survey(of_config(experiment), None, None, make_progress())
    draw(found, Path(__file__).with_name("jacobian.png"))
    print(table(found))


if __name__ == "__main__":
    main()
