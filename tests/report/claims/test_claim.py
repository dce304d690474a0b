"""A claim from a file of the user's, from results to its verdict."""

import json

import made_up
import matplotlib.pyplot as plt
import pandas as pd
import pytest

from rnnlab.report.claims.claim import settings_of
from rnnlab.report.findings import find, write_findings
from rnnlab.results.comparison import compare
from rnnlab.results.intervals import t_interval
from rnnlab.results.read import load
from rnnlab.support.errors import UserError

CLAIM = """
from matplotlib.figure import Figure

from rnnlab.report.claims.claim import Claim, Measured
from rnnlab.report.claims.evidence import differences, mean_of, numbers_frame, versus
from rnnlab.report.claims.families import against, families
from rnnlab.report.claims.rules import Part, Rule, below
from rnnlab.report.claims.verdict import Answer
from rnnlab.report.findings import KeyNumber
from rnnlab.results.intervals import Estimate

KEPT = "final_loss"


def measure(results):
    runs = results.runs.astype({KEPT: float})
    pairs = [pair for own in families(runs, "cell.forget_bias") for pair in against(own, 0.0)]
    numbers = numbers_frame([*mean_of(runs, KEPT), *differences(runs, KEPT, pairs)])
    own = KeyNumber("loss", Estimate(*numbers.iloc[0][["value", "low", "high"]]))
    return Measured(numbers, Figure(), f"{len(runs)} runs", "Yes.", ["It does."], [own])


def parts(numbers, settings):
    (biases,) = families(settings, "cell.forget_bias")
    lower = [Rule(KEPT, versus(pair), below(0)) for pair in against(biases, 0.0)]
    return [
        Part("a bias above 0 lowers the loss", lower),
        Part("to less than 0.15", [Rule(KEPT, OF, below(0.15))]),
    ]


losses = Claim("losses", measure, parts, says="Claim: It is so.\\nMore.")
only_numbers = Claim("losses", lambda results: Measured(measure(results).numbers), parts, LAST)
"""


@pytest.fixture(autouse=True)
def _close():
    yield
    plt.close("all")


def write(folder, high=0.1, of="biases[2.0]", last="has_standard_figures=False", name="losses"):
    """Runs of two biases and their losses, whose config names the claim."""
    text = CLAIM.lstrip().replace("OF", of).replace("LAST", last)
    (folder / "mine.py").write_text(text)
    runs = [
        (made_up.settings(forget_bias=bias), seed, "finished", made_up.summary(final_loss=loss))
        for bias, several in ((0.0, (0.2, 0.25, 0.3)), (2.0, (high, high + 0.01, high + 0.02)))
        for seed, loss in enumerate(several)
    ]
    made_up.write(folder, runs, analysis=f"mine.py:{name}")
    return load(folder)


def test_from_results_to_the_files(tmp_path):
    results = write(tmp_path)
    found = find(results)
    assert found.table.equals(compare(results))
    assert {"losses", "learning_curves"} < set(found.figures)
    by_hand = {
        "b_f = 0": t_interval([0.2, 0.25, 0.3]),
        "b_f = 2": t_interval([0.1, 0.11, 0.12]),
        "b_f = 2 − b_f = 0": t_interval([-0.1, -0.14, -0.18]),
    }
    rows = found.numbers.set_index("of")[["value", "low", "high"]]
    for of, expected in by_hand.items():
        assert tuple(rows.loc[of]) == pytest.approx(expected)
    assert found.verdict.answer == "supported"
    assert found.verdict.evidence == (
        "a bias above 0 lowers the loss: final_loss, b_f = 2 − b_f = 0: -0.140 [-0.239, -0.041]; "
        "to less than 0.15: final_loss, b_f = 2: 0.110 [0.085, 0.135]"
    )
    assert (found.answer, found.sentences) == ("Yes.", ["It does."])
    assert [number.value for number in found.key_numbers] == ["0.250"]
    write_findings(found, tmp_path)
    assert pd.read_csv(tmp_path / "numbers.csv")["of"].tolist() == list(by_hand)
    verdict = json.loads((tmp_path / "verdict.json").read_text())
    assert verdict == {"answer": "supported", "evidence": found.verdict.evidence, "called": ""}
    words = (
        "6 runs\n\nClaim: It is so.\nVerdict: supported\n"
        f"  {found.verdict.evidence.replace('; ', chr(10) + '  ')}\n\nIn short:\nIt does.\n"
    )
    assert (tmp_path / "findings.txt").read_text() == words
    assert (tmp_path / "figures" / "losses.png").exists()


@pytest.mark.parametrize(("high", "answer"), [(0.14, "undecided"), (0.19, "refuted")])
def test_each_part_decides(tmp_path, high, answer):
    """Both losses are lower, and one of the two not as low as is claimed."""
    assert find(write(tmp_path, high=high)).verdict.answer == answer


def test_a_number_that_nobody_measured(tmp_path):
    results = write(tmp_path, of="'b_f = 3'")
    message = "mine.py:losses fails: no number is 'final_loss' of 'b_f = 3': of: did you mean 'b_f"
    with pytest.raises(UserError, match=message):
        find(results)


def test_an_error_in_its_file_names_the_line(tmp_path):
    results = write(tmp_path, of="biases[5.0]")
    with pytest.raises(UserError, match=r"mine.py:losses fails, line 27 .*biases\[5.0\].*KeyError"):
        find(results)


def test_without_figures_and_with_other_words(tmp_path):
    last = "called={Answer.SUPPORTED: 'so it is'}, has_standard_figures=False"
    found = find(write(tmp_path, last=last, name="only_numbers"))
    assert found.figures == {}
    assert found.text == ""
    assert str(found.verdict).startswith("so it is: a bias above 0")


def test_settings_of_results(tmp_path):
    """Also those that are only measured before training, and those of which no run has ended."""
    inner = tmp_path / "before_training"
    before = [(made_up.settings(forget_bias=bias), 0, "finished", {}) for bias in (0.0, 1.0)]
    runs = [
        (made_up.settings(forget_bias=bias), seed, status, {})
        for bias, status in ((1.0, "finished"), (2.0, "missing"))
        for seed in (0, 1)
    ]
    made_up.write(tmp_path, runs)
    made_up.write(inner, before)
    found = settings_of(load(tmp_path))
    columns = ["setting", "before_training", "cell.forget_bias"]
    assert found[columns].to_numpy().tolist() == [
        ["b_f = 1", False, 1.0],
        ["b_f = 2", False, 2.0],
        ["b_f = 0", True, 0.0],
        ["b_f = 1", True, 1.0],
    ]
    assert set(found["task.kind"]) == {"adding"}
    assert "solved_at" not in found
