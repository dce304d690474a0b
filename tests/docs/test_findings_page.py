"""docs/findings.md against the committed tables, and each verdict against its numbers."""

import importlib.util
import json
from dataclasses import asdict
from pathlib import Path

import pandas as pd
import pytest

from rnnlab.config.labels import flatten, label_settings
from rnnlab.config.model import load_config
from rnnlab.config.sweep import load_experiment
from rnnlab.support.bundled import folder
from rnnlab.support.plugins import load_analysis
from rnnlab.support.version import RESULTS_VERSION

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "results" / "reference"
MEGABYTES = 15
ANSWERED = sorted(
    str(path.parent.relative_to(REFERENCE)) for path in REFERENCE.rglob("verdict.json")
)


@pytest.fixture
def module():
    spec = importlib.util.spec_from_file_location("findings_page", ROOT / "docs" / "findings.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_is_that_of_the_committed_tables(module):
    assert (ROOT / "docs" / "findings.md").read_text(encoding="utf-8") == module.page()
    assert module.page().count("\n## ") == len(ANSWERED)


@pytest.mark.parametrize("name", ANSWERED)
def test_the_page_says_of_which_version_the_tables_are(module, name):
    """Tables of an older version of the results are still read, and say so."""
    own = module.section(name, name)
    assert f"[numbers](../results/reference/{name}/numbers.csv), of version 2 of the results." in (
        own
    )
    head = " ".join((ROOT / "docs" / "findings_head.md").read_text(encoding="utf-8").split())
    assert f"rnnlab now makes version {RESULTS_VERSION}" in head


def test_what_is_kept_of_a_run_says_its_version(module, tmp_path, monkeypatch):
    source, kept = tmp_path / "results" / "chrono", tmp_path / "reference"
    source.mkdir(parents=True)
    for file in module.KEPT:
        (source / file).write_text("")
    (source / "experiment.json").write_text(json.dumps({"results_version": 17}))
    monkeypatch.setattr(module, "RESULTS", tmp_path / "results")
    monkeypatch.setattr(module, "REFERENCE", kept)
    assert module.version("chrono") == 2
    module.collect("chrono")
    assert module.version("chrono") == 17


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
        ("direct_vs_total", ["0.290 [0.281, 0.299]", "10^(7.23 [6.23, 8.24])"]),
        ("forget_bias_full", ["1.16 [1.15, 1.17]"]),
        ("vanishing", ["2.37 [2.34, 2.39]", "11.9 [10.6, 13.5]", "15.5 [13.8, 17.7]"]),
        ("gates_learn", ["0.05 [-0.10, 0.21]"]),
        (
            "parameters",
            [
                "0.385 [0.312, 0.453]",
                "0.764 [0.678, 0.860]",
                "1.08 [0.96, 1.21]",
                "1.07 [0.96, 1.19]",
            ],
        ),
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
    full, demo = (
        pd.read_csv(REFERENCE / name / "compare.csv", index_col="setting")
        for name in ("forget_bias_full", "forget_bias")
    )
    untied, tied = (
        {
            task: ", ".join(str(full["solved"][f"{task}, b_f = {b}{tie}"]) for b in biases)
            for task in ("adding", "copy")
        }
        for tie, biases in (("", range(7)), (", b_i = −b_f", (1, 3, 5)))
    )
    assert (
        f"solved in {untied['adding']} of 6 runs, on copy (T = 40) in {untied['copy']};" in readme
    )
    assert f"b_f = 1, 3, 5 in {tied['adding']} and in {tied['copy']}." in readme
    at = [demo["solved_at"][setting] for setting in demo.index if "b_i" in setting]
    assert f"at a median step of {at[0]:.0f} and {at[1]:.0f};" in readme
    assert f"learn it too, at {demo['solved_at']['b_f = 1']:.0f}." in readme


def test_what_is_committed_is_small():
    size = sum(path.stat().st_size for path in REFERENCE.rglob("*") if path.is_file())
    assert size < MEGABYTES * 1e6
