"""What is kept of a config's results in results/reference, and what its analysis says of them."""

import functools
import json
import re
from pathlib import Path

import pandas as pd

from rnnlab.config.labels import flatten, label_settings
from rnnlab.config.model import Config, load_config
from rnnlab.config.sweep import load_experiment
from rnnlab.report.claims.claim import Claim
from rnnlab.report.claims.headline import key_numbers
from rnnlab.report.claims.verdict import Answer, Verdict
from rnnlab.report.figure_files import CAPTIONS
from rnnlab.report.figures.captions import read_captions
from rnnlab.report.findings import KeyNumber
from rnnlab.support.bundled import folder
from rnnlab.support.plugins import load_analysis

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "results" / "reference"
PAPERS = "papers/"
# The version of the results, and that of tables that were kept before it was.
VERSION, FIRST_KEPT = "results_version", 2
GROUPS = {Answer.REFUTED: "Fails", Answer.SUPPORTED: "Holds", Answer.UNDECIDED: "Open"}
MOST_NAMES = 4


@functools.cache
def config_of(name: str) -> Config:
    """A bundled config."""
    return load_config(name)[0]


def analysis_of(name: str) -> str:
    """Its file in experiments/, without the ending."""
    analysis = config_of(name).analysis
    assert analysis is not None
    return analysis.partition(".py:")[0]


@functools.cache
def claim_of(name: str) -> Claim:
    """The claim, or the published result, that a config tests."""
    reference = config_of(name).analysis
    assert reference is not None
    found = load_analysis(reference, "analysis", folder("configs"))
    assert isinstance(found, Claim)
    return found


def figure_names(name: str) -> tuple[str, ...]:
    """What the figure of what is claimed or published may be called, the likeliest first."""
    return tuple(f"{own}.png" for own in ("published", analysis_of(name), name))


def main_figure(name: str) -> str:
    """The one that is kept."""
    kept = REFERENCE / name / "figures"
    return next(own for own in figure_names(name) if (kept / own).exists())


@functools.cache
def captions(name: str) -> dict[str, str]:
    """What stands below each figure that is kept, as it was written when it was drawn."""
    text = (REFERENCE / name / "figures" / CAPTIONS).read_text(encoding="utf-8")
    return {file: as_markdown(words) for file, words in read_captions(text).items()}


def as_markdown(text: str) -> str:
    """A text of the source, in which symbols keep their indices."""
    return re.sub(r"(?<=[^\w\s`])_(?=\w)", r"\\_", text.replace("``", "`"))


def caption(name: str) -> str:
    """The caption of its main figure."""
    return captions(name)[main_figure(name)]


def version(name: str) -> int:
    """The version of the results that its tables were made from."""
    file = REFERENCE / name / f"{VERSION}.txt"
    return int(file.read_text(encoding="utf-8")) if file.exists() else FIRST_KEPT


def verdict(name: str) -> Verdict:
    """Answer and evidence."""
    found = json.loads((REFERENCE / name / "verdict.json").read_text(encoding="utf-8"))
    return Verdict(Answer(found["answer"]), found["evidence"], found["called"])


def answer(name: str) -> str:
    """In the words of claims, or of papers."""
    found = verdict(name)
    return found.called or found.answer


def evidence(name: str) -> str:
    """A line for each of its statements."""
    return "\n".join(f"- {line}" for line in verdict(name).statements)


def obtained(name: str) -> str:
    """Beside what is published, or the evidence of a claim."""
    if not name.startswith(PAPERS):
        return evidence(name)
    text, _, _ = (REFERENCE / name / "findings.txt").read_text("utf-8").rpartition("\n\n")
    return f"```text\n{text}\n```"


def numbers(name: str) -> pd.DataFrame:
    """The numbers that its verdict rests on."""
    return pd.read_csv(REFERENCE / name / "numbers.csv")


def number(name: str) -> KeyNumber:
    """The one number to remember."""
    (found,) = key_numbers(claim_of(name).headlines, numbers(name))
    return found


def condition(name: str) -> str:
    """Where it holds, and where not: the parts of the claim by their answers."""
    answers = claim_of(name).judged(numbers(name), settings_of(name)).answers
    words = []
    for outcome, group in GROUPS.items():
        names = [part for part, found in answers.items() if found is outcome]
        if names:
            more = len(names) - MOST_NAMES
            others = f" and {more} more" if more > 0 else ""
            words.append(f"*{group}*: {'; '.join(names[:MOST_NAMES])}{others}.")
    return " ".join(words)


def settings_of(name: str) -> pd.DataFrame:
    """All settings of a config, as ``rnnlab.report.claims.claim.settings_of`` has them."""
    experiment = load_experiment(name)
    rows = []
    for part, is_before in ((experiment, False), (experiment.before_training, True)):
        several = [own.resolved for own in part.settings] if part is not None else []
        for label, own in zip(label_settings(several), several, strict=True):
            rows.append({"setting": label, "before_training": is_before, **flatten(own)})
    return pd.DataFrame(rows)
