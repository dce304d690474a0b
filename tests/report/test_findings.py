"""The results that an analysis may return, and the message where it fails."""

import json
import math

import jaxtyping
import made_up
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rnnlab.report.claims.verdict import Answer, Verdict
from rnnlab.report.figures.on_axes import NEW_AXES, on_axes
from rnnlab.report.figures.standard import STANDARD, Standard
from rnnlab.report.findings import Findings, KeyNumber, find, standard_findings, write_findings
from rnnlab.results.intervals import Estimate
from rnnlab.results.read import load
from rnnlab.support.errors import UserError

TABLE = pd.DataFrame({"setting": ["a"]})
NUMBER = KeyNumber("norm of one step", Estimate(1.14, 1.11, 1.17), meaning="It grows.")


def test_a_key_number_is_written_with_its_interval_if_it_has_one():
    assert (NUMBER.value, NUMBER.interval) == ("1.14", "[1.11, 1.17]")
    one_seed = KeyNumber("share", Estimate(0.5, math.nan, math.nan), ".0%")
    assert (one_seed.value, one_seed.interval) == ("50%", "")
    nothing = KeyNumber("share", Estimate(*[math.nan] * 3))
    assert (nothing.value, nothing.interval) == ("unknown", "")


def test_words_end_with_the_sentences():
    verdict = Verdict(Answer.REFUTED, "1.14")
    findings = Findings(
        TABLE, text="text", verdict=verdict, sentences=["One.", "Two."], claim="It grows."
    )
    assert findings.words == (
        "text\n\nClaim: It grows.\nVerdict: refuted\n  1.14\n\nIn short:\nOne.\nTwo."
    )


@pytest.fixture
def as_installed():
    """Without the type checks of the tests, which a user's file does not have."""
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)


def found(folder, analysis, file="own.py"):
    """The findings of an analysis, given as its file."""
    (folder / file).write_text(analysis)
    run = (made_up.settings(forget_bias=1.0), 0, "finished", made_up.summary())
    made_up.write(folder, [run], analysis=f"{file}:analyse")
    return find(load(folder))


@pytest.mark.usefixtures("as_installed")
@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"table": "table"}, "Findings: table: must be a DataFrame, got a str"),
        ({"numbers": {"a": 1}}, "Findings: numbers: must be a DataFrame, got a dict"),
        ({"text": 3}, "Findings: text: must be a str, got a int"),
        ({"verdict": "supported"}, "Findings: verdict: must be a Verdict, got a str"),
        ({"answer": 1}, "Findings: answer: must be a str, got a int"),
        ({"answer": "No.\nYes."}, "Findings: answer: must be one sentence"),
        ({"sentences": "No."}, "Findings: sentences: must be a list, got a str"),
        ({"sentences": ["No.", 1]}, r"Findings: sentences\[1\]: must be a str, got a int"),
        ({"key_numbers": ["1.2"]}, r"Findings: key_numbers\[0\]: must be a KeyNumber, got a str"),
        ({"key_numbers": [NUMBER] * 4}, "Findings: key_numbers: 4; at most 3 are shown"),
        ({"figures": [Figure()]}, "Findings: figures: must be a dict, got a list"),
        (
            {"figures": {"a": Figure().subplots()}},
            r"Findings: figures\['a'\]: must be a Figure, got a Axes",
        ),
        ({"figures": {"../a": Figure()}}, "Findings: figures: '../a': must be a file name"),
        ({"figures": {"": Figure()}}, "Findings: figures: '': must be a file name"),
        ({"figures": {1: Figure()}}, "Findings: figures: 1: must be a file name"),
    ],
)
def test_what_is_returned_is_checked(wrong, message):
    with pytest.raises(UserError, match=message):
        Findings(**{"table": TABLE} | wrong)


@pytest.mark.usefixtures("as_installed")
@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (
            "def analyse(results):\n    return results.runs['nothing']",
            r"line 2 \(return .*KeyError",
        ),
        ("def analyse(results):\n    raise SystemExit(3)", "line 2 .*SystemExit: 3"),
        ("def analyse(results, more): ...", "analysis: own.py:analyse fails: TypeError: .*'more'"),
        ("def analyse(results): ...", "must return rnnlab.Findings, got a NoneType"),
        (
            "import rnnlab\ndef analyse(results):\n    return rnnlab.Verdict('suported', '')",
            r"line 3 .*: Verdict: answer: 'suported': did you mean 'supported'\? valid: refuted",
        ),
    ],
)
def test_an_analysis_that_fails(tmp_path, lines, message):
    with pytest.raises(UserError, match=message):
        found(tmp_path, lines)


@pytest.mark.usefixtures("as_installed")
def test_a_file_that_is_called_as_one_of_ours(tmp_path):
    """No line of rnnlab's own is taken for one of the user's."""
    with pytest.raises(UserError, match=r"fails: TypeError: .*'more'"):
        found(tmp_path, "def analyse(results, more): ...", file="findings.py")
    wrong = "import rnnlab\ndef analyse(results):\n    return rnnlab.Findings('table')"
    with pytest.raises(UserError, match=r"line 3 \(return rnnlab.Findings"):
        found(tmp_path, wrong, file="findings.py")


def test_an_earlier_verdict_does_not_stay(tmp_path):
    """In a results folder; elsewhere the file may be somebody's own."""
    verdict = Verdict(Answer.SUPPORTED, "1 > 0")
    both, neither = Findings(TABLE, numbers=TABLE, verdict=verdict), Findings(TABLE)
    made_up.write(tmp_path / "results", [])
    for folder, stays in ((tmp_path / "results", False), (tmp_path / "else", True)):
        write_findings(both, folder)
        answer = json.loads((folder / "verdict.json").read_text())
        assert answer == {"answer": "supported", "evidence": "1 > 0", "called": ""}
        write_findings(neither, folder)
        for name in ("verdict.json", "numbers.csv", "findings.txt"):
            assert (folder / name).exists() is stays


@on_axes
def final_losses(runs: pd.DataFrame, ax: Axes = NEW_AXES) -> Axes:
    """A figure as somebody may add it."""
    ax.plot(runs["final_loss"], "o", label="final loss")
    return ax


@pytest.mark.parametrize("applies", [True, False])
def test_a_figure_is_added_by_its_function_and_a_line_in_the_registry(
    tmp_path, monkeypatch, applies
):
    run = (made_up.settings(forget_bias=1.0), 0, "finished", made_up.summary())
    made_up.write(tmp_path / "results", [run])
    added = Standard(lambda results: final_losses(results.runs).figure, lambda results: applies)
    monkeypatch.setitem(STANDARD, "final_losses", added)
    findings = standard_findings(load(tmp_path / "results"))
    written = write_findings(findings, tmp_path / "out")
    file = tmp_path / "out" / "figures" / "final_losses.png"
    assert (file in written) is applies
    assert file.exists() is applies
    assert tmp_path / "out" / "figures" / "gradient_decay.png" in written
