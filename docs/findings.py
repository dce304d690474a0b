"""Collects the answers of the claims and of published results, and writes docs/findings.md.

python docs/findings.py names      the configs that test a claim
python docs/findings.py long       those that do so at long lags
python docs/findings.py papers     the published results, reduced where they take long
python docs/findings.py collect    from results/ into results/reference/, then the page
python docs/findings.py            the page, from results/reference/
"""

import argparse
import ast
import itertools
import json
import re
import shutil
from pathlib import Path

from rnnlab.cells import CELLS
from rnnlab.config.labels import Flat, flatten, kind_name
from rnnlab.config.model import load_config
from rnnlab.config.sweep import Experiment, load_experiment
from rnnlab.support.bundled import config_names, find_config

ROOT = Path(__file__).parents[1]
RESULTS, REFERENCE = ROOT / "results", ROOT / "results" / "reference"
PAGE = ROOT / "docs" / "findings.md"
KEPT = (
    "compare.csv",
    "config.yaml",
    "environment.json",
    "findings.txt",
    "numbers.csv",
    "verdict.json",
)
DRAWN_BY = {
    "forget_bias": "rnnlab/report/figures/retention_and_learning.py:retention_and_learning",
    "forget_bias_full": "rnnlab/report/figures/against_forget_bias.py:against_forget_bias",
}
CURVES = "rnnlab/report/claims/published.py:curves_of_baseline"
# Of the others only the figure of the claim, which is named after its analysis.
WITH_ALL_FIGURES = ("forget_bias",)
RAW = argparse.RawDescriptionHelpFormatter
COMMANDS = ("names", "long", "papers")
LONG, REDUCED, PAPERS = "_long", "_reduced", "papers/"
HEAD = """# Findings

What textbooks and tutorials say of gradients in recurrent networks, each tested by one config and
one file of `experiments/`, which states its rule before it is applied; then what papers report,
beside what was obtained here. `make reference` runs the claims (86 minutes on two idle cores of an
Intel Xeon, model 207), `make reference-long` those at long lags (an hour), `make reference-papers`
the papers, and each writes this page; the numbers behind a verdict are in `numbers.csv` beside its
figure.

**Refuted** means that at least one part of the claim fails in at least one setting that it covers;
other parts may hold, and the evidence says which. **Undecided** does not mean equal. Brackets are
95 % intervals over seeds, those that are judged widened so that all of a claim's hold together;
across claims nothing is corrected. In a share of pairs of runs pairs that tie, as unsolved runs
do, count half, and its bracket is no confidence interval: it is as wide as chance spreads the
share about ½ in an exact permutation test, and leaves ½ out only where the test tells the two
apart. Lines of figures are medians over seeds, bands their range, bars intervals. Claims are
trained with Adam at 5e-3 for 1,500 to 2,500 updates; another learning rate may give other answers.
Another processor rounds differently, which training amplifies as it would another seed: the same
seeds on two others, of AMD, gave the same answers to all claims, but not to all of their parts. On
one no initial b_f was shown to solve adding later than b_f = 1, on the other 4 and 5 were, and here
4 is (`forget_bias_full`); relu LSTMs solved it in 100 % and 67 % of runs, here in 83 %
(`activation`); the time scale rose by 0.19 [-0.08, 0.46] and 0.08 [-0.10, 0.26] decades per decade
of T, here by 0.05 [-0.10, 0.21] (`gates_learn`). `chrono_long` and most papers were run on one of
those only. The `environment.json` beside each table names the processor and the revision of the
runs (+: with changes that were committed after them); `vanishing` and `sensitivity_of_control` were
analysed by a later one.
*Solved*: the mean loss of 50 updates is below 0.01 (adding) or a tenth of the loss of remembering
nothing, the baseline (copy). *Diverged*: a loss, gradient or update that is not finite.

Symbols: T is the lag of a task, whose sequence has T steps (adding) or T + 2K to copy K symbols; t
counts its steps from 0, and h_T, c_T are the last states. L is the memory loss, the part of the
loss that needs memory: all of adding's, the recalled symbols' of copy. n is the number of units
and U the recurrent kernel before training: orthogonal, or uniform, U(±1/√n), times the recurrent
gain. c (or C) is the cell state, h the output; f, i, o are the LSTM's forget, input and output
gate, g its candidate, z the GRU's update gate; b_f, b_i and b_z are what is added in these gates
before training (b_z > 0 remembers). Π f_t is the product of a unit's forget gates over the steps.
Chrono: b_f = log u with u from U[1, T_max − 1] for each unit, b_i = −b_f unless said otherwise,
T_max being T of adding and 1.5 T of copy. A decade is a factor of 10, an e-fold one of e.

What was changed in a rule after some run of its config, or of the demo: the copy task's alphabet in
`forget_bias_full`, after a pilot; its part (d), from rank sum tests with Holm's correction to exact
intervals, after the demo and before its own runs; in `depth` that one layer must not vanish at the
short length, while it ran; in `chrono` that a high b_f alone has to be shown to be later than b_f =
1, where before it had only not to be shown earlier, after its run and before `chrono_long`; in
`parameters` that runs of over 1.25 times the median seconds of their setting are left out as
compiling, where it was of the least, by which one fast run had left out the nine others; in
`sensitivity_of_control` that what is trained decides nothing where the RNN solves it with no gain,
as it is: that part would else hold. The last four change no claim's answer that is kept. Copy at
T = 40, where no run of `chrono` solved the task and nothing was judged, was then left out of it for
time. For time, too, of the 8, 6, 10 and 6 seeds that were first run of `chrono`, `direct_vs_total`,
`parameters` and `vanishing` the last one or two were left out, which changed no answer; without the
last of the 6 of `activation` its answer would then have been refuted instead of undecided, and it
was kept. All claims but `chrono_long` were then run anew. Of papers, some reduced versions were
changed after runs, as they say. No run of a claim diverged, so that what is said of those that do
has not been applied. No run solves copy in `activation`, `chrono` and `chrono_long`, so that these
claims could not have been supported.
"""


def analysed() -> list[str]:
    """The configs that come to a verdict: claims, then papers."""
    found = [name for name in config_names() if load_config(name)[0].analysis is not None]
    return sorted(found, key=lambda name: (name.startswith(PAPERS), name))


def configs(command: str) -> list[str]:
    """The configs of a command, see above."""
    papers = [name for name in analysed() if name.startswith(PAPERS)]
    claims = [name for name in analysed() if name not in papers]
    return {
        "names": [name for name in claims if not name.endswith(LONG)],
        "long": [name for name in claims if name.endswith(LONG)],
        "papers": [name for name in papers if name + REDUCED not in papers],
    }[command]


def analysis_of(name: str) -> str:
    """Its file in experiments/, without the ending."""
    analysis = load_config(name)[0].analysis
    assert analysis is not None
    return analysis.partition(".py:")[0]


def main_figure(name: str) -> str:
    """The figure of what is claimed or published."""
    return "published.png" if name.startswith(PAPERS) else f"{analysis_of(name)}.png"


def collect(name: str) -> None:
    """Keep what a run's findings are, without its data."""
    source, to = RESULTS / load_config(name)[0].name, REFERENCE / name
    (to / "figures").mkdir(parents=True, exist_ok=True)
    figures = [path.name for path in (source / "figures").glob("*.png")]
    if name not in WITH_ALL_FIGURES:
        figures = [figure for figure in figures if figure == main_figure(name)]
    for file in (*KEPT, *(f"figures/{figure}" for figure in figures)):
        shutil.copyfile(source / file, to / file)


def rule(name: str) -> str:
    """What is claimed or published, and how it is decided: the docstring of the analysis."""
    return docstring(parsed(ROOT / "experiments" / f"{analysis_of(name)}.py"))


def caption(name: str) -> str:
    """The docstring of the function that draws its figure: that of its analysis, or else shared."""
    own = f"experiments/{analysis_of(name)}.py:figure"
    places = (DRAWN_BY.get(name, own), *([CURVES] if name.startswith(PAPERS) else []))
    for file, _, function in (place.partition(":") for place in places):
        for node in parsed(ROOT / file).body:
            if isinstance(node, ast.FunctionDef) and node.name == function:
                return docstring(node).partition("\n\nArgs:")[0]
    raise KeyError(f"{name}: no function draws its figure")


def parsed(file: Path) -> ast.Module:
    """A file of Python."""
    return ast.parse(file.read_text(encoding="utf-8"))


def docstring(node: ast.Module | ast.FunctionDef) -> str:
    """As Markdown."""
    return (ast.get_docstring(node) or "").replace("``", "`")


def verdict(name: str) -> dict[str, str]:
    """Answer and evidence."""
    text = (REFERENCE / name / "verdict.json").read_text(encoding="utf-8")
    found: dict[str, str] = json.loads(text)
    return found


def answer(name: str) -> str:
    """In the words of claims, or of papers."""
    found = verdict(name)
    return found["called"] or found["answer"]


def evidence(name: str) -> str:
    """A line for each thing it lists; then one for those parts that hold, and so on."""
    text = verdict(name)["evidence"]
    listed, *parts = re.split(r"(?<=\.) (?=Holds: |Fails: |Undecided: )", text)
    outside_brackets = r"; (?![^(]*\))"
    return "\n".join(f"- {line}" for line in (*re.split(outside_brackets, listed), *parts))


def differing(settings: list[Flat], key: str) -> str:
    """The different values that settings have, in order."""
    values = {flat[key]: None for flat in settings if key in flat}
    written = (f"{value:g}" if isinstance(value, float) else str(value) for value in values)
    return ", ".join(kind_name(value) if value in CELLS else value for value in written)


def set_up(experiment: Experiment) -> str:
    """Runs, cells, tasks, training and seeds, in words."""
    settings = [flatten(own.resolved) for own in experiment.settings]
    words = [f"{len(experiment.runs)} runs: {differing(settings, 'cell.kind')}"]
    layers = differing(settings, "cell.layers")
    many = "" if layers == "1" else "s"
    words.append(f"{layers} layer{many} of {differing(settings, 'cell.hidden')} units")
    for kind in dict.fromkeys(flat["task.kind"] for flat in settings):
        own = [flat for flat in settings if flat["task.kind"] == kind]
        lengths, alphabet = differing(own, "task.length"), differing(own, "task.alphabet")
        words.append(f"{kind}, T = {lengths}" if lengths else kind)
        if alphabet:
            words[-1] += f" ({differing(own, 'task.symbols')} symbols, alphabet of {alphabet})"
    steps, optimizer, rate, batch = (
        differing(settings, f"training.{key}")
        for key in ("steps", "optimizer", "learning_rate", "batch")
    )
    trained = f"{steps} updates of {optimizer} at {rate}, batches of {batch}"
    words.append("before training" if steps == "0" else trained)
    return "; ".join([*words, f"{len(experiment.config.seed_list())} seeds"])


def chosen(name: str) -> list[str]:
    """Of a paper: what its config says at its head of what was chosen, and what was reduced."""
    full = name.removesuffix(REDUCED)
    if full == name:
        return [comment(name)]
    return [f"In full, not run here: {comment(full)}", f"Here: {comment(name)}"]


def comment(name: str) -> str:
    """The first lines of a config."""
    lines = find_config(name).read_text(encoding="utf-8").splitlines()
    head = itertools.takewhile(lambda line: line.startswith("#"), lines)
    return " ".join(line.lstrip("# ") for line in head)


def section(name: str, like: str) -> str:
    """Question, set-up, rule, verdict and figure; the rule is there once, at ``like``."""
    to = f"../results/reference/{name}"
    experiment = load_experiment(name)
    config, source = experiment.config, find_config(name).relative_to(ROOT)
    is_paper = name.startswith(PAPERS)
    parts = [
        f"## {name}",
        f"**{config.question}**",
        f"`rnnlab run {name}`: [config](../{source}), [numbers]({to}/numbers.csv).",
        "\n".join(f"- {set_up(own)}" for own, _ in experiment.parts(REFERENCE)),
        *(chosen(name) if is_paper else []),
        rule(name) if name == like else f"Claim and rule are those of [{like}](#{anchor(like)}).",
    ]
    found = f"**{answer(name).capitalize()}**"
    if is_paper:
        text, _, _ = (REFERENCE / name / "findings.txt").read_text("utf-8").rpartition("\n\n")
        parts.append(f"{found}:\n\n```text\n{text}\n```")
    else:
        parts.append(f"{found}:\n\n{evidence(name)}")
    words = " ".join(caption(name).split())
    parts.append(f"![{words}]({to}/figures/{main_figure(name)})\n\n*{words}*")
    return "\n\n".join(parts)


def anchor(name: str) -> str:
    """Of its section."""
    return name.replace("/", "")


def summary(names: list[str]) -> str:
    """A line for each, with its answer."""
    rows = ["| question | answer |", "|---|---|"]
    for name in names:
        question = load_config(name)[0].question
        rows.append(f"| [{question}](#{anchor(name)}) | {answer(name)} |")
    return "\n".join(rows)


def page() -> str:
    """Docs/findings.md: all that are in results/reference."""
    names = [name for name in analysed() if (REFERENCE / name / "verdict.json").exists()]
    firsts: dict[str, str] = {}
    sections = [section(name, firsts.setdefault(analysis_of(name), name)) for name in names]
    return "\n\n".join([HEAD.rstrip(), summary(names), *sections]) + "\n"


def main() -> None:
    """See above."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=RAW)
    parser.add_argument("command", nargs="?", choices=(*COMMANDS, "collect"))
    command = parser.parse_args().command
    if command in COMMANDS:
        print(*configs(command))
        return
    if command == "collect":
        for name in analysed():
            if (RESULTS / load_config(name)[0].name / "verdict.json").exists():
                collect(name)
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
