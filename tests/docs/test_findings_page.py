"""docs/findings.md against the committed tables, and each verdict against its numbers."""

import ast
import json
import re
from collections import Counter
from dataclasses import asdict
from pathlib import Path

import findings
import numpy as np
import pandas as pd
import pytest
from extensions import kept
from extensions.cards import tables_page
from extensions.kept import claim_of, main_figure, numbers
from extensions.result_tables import markdown, plain

from rnnlab.config.labels import flatten, label_settings
from rnnlab.config.model import load_config
from rnnlab.config.sweep import load_experiment
from rnnlab.report.claims.verdict import Answer
from rnnlab.support.bundled import folder
from rnnlab.support.plugins import load_analysis
from rnnlab.support.version import RESULTS_VERSION

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "results" / "reference"
MEGABYTES = 15
# The version of those that were not made by version 2 of the results.
RUN_ANEW = {"forget_bias": 3}
ANSWERED = sorted(
    str(path.parent.relative_to(REFERENCE)) for path in REFERENCE.rglob("verdict.json")
)


@pytest.fixture(scope="module")
def page():
    """Made once: it reads every config."""
    return findings.page()


def card_of(page, name):
    """The text of a card, from its heading to the next one."""
    return page.partition(f"\n## {name}\n")[2].partition("\n## ")[0]


def test_the_pages_are_those_of_the_committed_tables(page):
    assert (ROOT / "docs" / "findings.md").read_text(encoding="utf-8") == page
    assert set(findings.answered()) == set(ANSWERED)
    pages = {
        path.relative_to(ROOT / "docs" / "findings").with_suffix("").as_posix(): path
        for path in (ROOT / "docs" / "findings").rglob("*.md")
    }
    assert set(pages) == set(ANSWERED)
    for name, path in pages.items():
        assert path.read_text(encoding="utf-8") == tables_page(name)


@pytest.mark.parametrize("name", ANSWERED)
def test_a_card_says_the_claim_its_answer_one_number_and_folds_the_rule_away(page, name):
    card = card_of(page, name)
    claim, answer, _, figure, caption, *_ = card.strip().split("\n\n")
    source = ROOT / "experiments" / f"{load_config(name)[0].analysis.partition('.py:')[0]}.py"
    first = ast.get_docstring(ast.parse(source.read_text(encoding="utf-8"))).splitlines()[0]
    assert claim.casefold().startswith(f"> {first.removeprefix('Claim: ')}".casefold())
    verdict = json.loads((REFERENCE / name / "verdict.json").read_text(encoding="utf-8"))
    called = verdict["called"] or verdict["answer"]
    assert answer.startswith(f"**{called.capitalize()}.** ")
    assert figure.endswith(f"](../results/reference/{name}/figures/{main_figure(name)})")
    assert (REFERENCE / name / "figures" / main_figure(name)).exists()
    assert caption == f"*{figure[2:].partition('](')[0]}*"
    folded = [part.partition("</summary>")[0] for part in card.split("<details>")[1:]]
    titles = ["Claim and rule", "What was obtained", "Set-up"]
    assert folded == [f"\n<summary>{title}" for title in titles]
    assert card.count("</details>") == 3
    shown = card.partition("<details>")[0]
    assert "Reported and not judged" not in shown


@pytest.mark.parametrize("name", ANSWERED)
def test_the_number_of_a_card_is_one_of_the_committed_ones(page, name):
    """As written, within its rounding, and so are the ends of its interval."""
    number = card_of(page, name).strip().split("\n\n")[2]
    texts = re.match(r"\*\*(\S+)\*\* \[(\S+), (\S+)\]: ", number).groups()
    written = np.array([float(text.replace("∞", "inf")) for text in texts])
    half_a_digit = np.array([0.5 * 10.0 ** -len(text.partition(".")[2]) for text in texts])
    headline = next(one for one in claim_of(name).headlines if one.key_number(numbers(name)))
    table = pd.read_csv(REFERENCE / name / "numbers.csv")
    rows = table[(table["quantity"] == headline.quantity) & table["of"].isin(headline.of)]
    found = np.array(rows[["value", "low", "high"]].map(headline.shown))
    found[:, 1:] = np.sort(found[:, 1:], axis=1)
    with np.errstate(invalid="ignore"):
        is_near = (found == written) | (np.abs(found - written) <= 1.001 * half_a_digit)
    assert is_near.all(axis=1).any()


@pytest.mark.parametrize("name", ANSWERED)
def test_each_part_of_the_claim_is_counted_once_under_its_answer(page, name):
    claim = claim_of(name)
    judged = claim.judged(pd.read_csv(REFERENCE / name / "numbers.csv"), settings_of(name))
    line = card_of(page, name).strip().split("\n\n")[1]
    counts = Counter(judged.answers.values())
    words = {Answer.REFUTED: "Fails", Answer.SUPPORTED: "Holds", Answer.UNDECIDED: "Open"}
    for answer, word in words.items():
        listed = re.search(rf"\*{word}\*: (.*?)\.(?: \*|$)", line)
        if not counts[answer]:
            assert listed is None
            continue
        more = re.search(r" and (\d+) more$", listed[1])
        assert len(listed[1].split("; ")) + (int(more[1]) if more else 0) == counts[answer]


@pytest.mark.parametrize("name", ANSWERED)
def test_the_page_says_of_which_version_the_tables_are(page, name):
    """Tables of an older version of the results are still read, and say so."""
    own = card_of(page, name)
    made = RUN_ANEW.get(name, 2)
    assert (
        f"[numbers](../results/reference/{name}/numbers.csv), of version {made} of the results."
    ) in own
    foot = " ".join((ROOT / "docs" / "findings_foot.md").read_text(encoding="utf-8").split())
    assert f"rnnlab now makes version {RESULTS_VERSION}" in foot


@pytest.mark.parametrize("name", ANSWERED)
def test_the_tables_of_a_result_have_every_setting_and_every_number(name):
    text = markdown(name)
    compared = pd.read_csv(REFERENCE / name / "compare.csv")
    behind = pd.read_csv(REFERENCE / name / "numbers.csv")
    _, _, rest = text.partition("## Settings compared")
    first, _, second = rest.partition("## Numbers behind the verdict")
    assert first.count("\n| ") == len(compared) + 2
    assert second.count("\n| ") == len(behind) + 2
    for label in compared["setting"]:
        assert f"\n| {plain(label)} |" in first
    head = second.partition("\n| ---")[0]
    if "interval" in behind:
        assert head.endswith("| runs | interval |")
        assert set(behind["interval"].dropna()) > {"95 %", "95 % for all 13 together"}
    else:
        assert "before tables said which" in head


def test_what_is_kept_of_a_run_says_its_version(tmp_path, monkeypatch):
    source, reference = tmp_path / "results" / "chrono", tmp_path / "reference"
    (source / "figures").mkdir(parents=True)
    for file in (*findings.KEPT, "figures/chrono.png", "figures/lyapunov.png"):
        (source / file).write_text("")
    drawn = "# Captions\n\n**`chrono.png`** As (∂c)_t was drawn.\n\n**`lyapunov.png`** Exponents.\n"
    (source / "figures" / "CAPTIONS.md").write_text(drawn)
    (source / "experiment.json").write_text(json.dumps({"results_version": 17}))
    monkeypatch.setattr(findings, "RESULTS", tmp_path / "results")
    monkeypatch.setattr(findings, "REFERENCE", reference)
    monkeypatch.setattr(kept, "REFERENCE", reference)
    with_report = []
    monkeypatch.setattr(findings, "keep_report", lambda *of: with_report.append(of))
    assert kept.version("chrono") == 2
    findings.collect("chrono")
    assert with_report == [("chrono", source)]
    assert kept.version("chrono") == 17
    assert kept.captions.__wrapped__("chrono") == {"chrono.png": r"As (∂c)\_t was drawn."}


@pytest.mark.parametrize("name", ANSWERED)
def test_below_a_figure_stands_what_was_written_when_it_was_drawn(page, name):
    """Old drawings have bands where the present code draws single seeds."""
    folder = REFERENCE / name / "figures"
    text = (folder / "CAPTIONS.md").read_text(encoding="utf-8")
    captions = dict(re.findall(r"\*\*`(.+)`\*\* (.+)", text))
    assert set(captions) == {path.name for path in folder.glob("*.png")}
    caption = card_of(page, name).strip().split("\n\n")[4]
    assert caption.strip("*").replace("\\_", "_") == captions[main_figure(name)]
    tables = tables_page(name)
    for file, words in captions.items():
        assert f"figures/{file})\n\n*{words}*" in tables.replace("\\_", "_")


def settings_of(name):
    """Of a config, as ``rnnlab.report.claims.claim.settings_of`` gives those of results."""
    experiment = load_experiment(name)
    rows = []
    for part, is_before in ((experiment, False), (experiment.before_training, True)):
        several = [settings.resolved for settings in part.settings] if part else []
        for label, settings in zip(label_settings(several), several, strict=True):
            rows.append({"setting": label, "before_training": is_before, **flatten(settings)})
    return pd.DataFrame(rows)


@pytest.mark.parametrize("name", ANSWERED)
def test_the_verdict_is_that_of_the_committed_numbers(name):
    claim = load_analysis(load_config(name)[0].analysis, "analysis", folder("configs"))
    verdict = claim.decide(pd.read_csv(REFERENCE / name / "numbers.csv"), settings_of(name))
    committed = json.loads((REFERENCE / name / "verdict.json").read_text(encoding="utf-8"))
    assert asdict(verdict) == committed


@pytest.mark.parametrize(
    ("name", "quoted"),
    [
        ("direct_vs_total", ["10^(7.23 [6.23, 8.24])"]),
        ("forget_bias", ["1.13 [1.12, 1.15]"]),
        ("forget_bias_full", ["1.16 [1.15, 1.17]"]),
        ("vanishing", ["2.37 [2.34, 2.39]", "11.9 [10.6, 13.5]"]),
        ("gates_learn", ["0.05 [-0.10, 0.21]"]),
        ("parameters", ["0.385 [0.312, 0.453]"]),
    ],
)
def test_the_readme_quotes_the_evidence(name, quoted):
    evidence = (REFERENCE / name / "verdict.json").read_text(encoding="utf-8")
    readme = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    for words in quoted:
        assert words in evidence
        assert words in readme


def test_the_readme_counts_what_was_solved():
    readme = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    far, demo = (
        pd.read_csv(REFERENCE / name / "compare.csv", index_col="setting")
        for name in ("chrono_long", "forget_bias")
    )
    adding = far[far["task.kind"] == "adding"]
    is_tied = adding["cell.input_bias"] == "tied"
    assert list(adding["solved"]) == list(np.where(is_tied, adding["runs"], 0))
    tied, untied = adding.loc[is_tied, "runs"].sum(), adding.loc[~is_tied, "runs"].sum()
    assert f"500 steps all {tied} runs with the tie learn the task" in readme
    assert (
        f"none of {untied} without it does within {adding['last_step'].max():,} updates" in readme
    )
    assert far.loc[far["task.kind"] == "copy", "solved"].sum() == 0
    assert "on copy with T = 300 no run learns" in readme
    alone, with_tie = demo.loc["b_f = 3"], demo.loc["b_f = 3, b_i = −b_f"]
    words = f"{with_tie['solved']} of {with_tie['runs']} runs learn the adding problem (T = 100)"
    at = f"at a median step of {with_tie['solved_at']:.0f}"
    assert (
        f"{words} with the tie, {at}, and {alone['solved']} of {alone['runs']} without it" in readme
    )


def test_the_readme_quotes_the_sentences_of_the_demo():
    said = (REFERENCE / "forget_bias" / "findings.txt").read_text(encoding="utf-8")
    readme = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    sentence = next(line for line in said.splitlines() if line.startswith("∂c_t/∂c_{t−1} is"))
    norms = re.findall(r"[\d.]+ \[[\d., ]+\]", sentence)
    assert len(norms) == 2
    assert all(norm in readme for norm in norms)


def test_what_is_committed_is_small():
    size = sum(path.stat().st_size for path in REFERENCE.rglob("*") if path.is_file())
    assert size < MEGABYTES * 1e6
