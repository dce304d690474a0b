"""The printed comparison, in the terminal and for a paper."""

import re

import pytest
from made_up import settings as any_settings
from made_up import summary, write
from matplotlib.mathtext import MathTextParser

from rnnlab.report.comparison_views import comparison_views
from rnnlab.report.table_formats import FORMATS, latex, markdown
from rnnlab.results.comparison import compare
from rnnlab.results.read import load


def settings(**cell):
    return any_settings(**{"forget_bias": 0.0, **cell})


def finished(cell, seed, **numbers):
    return (settings(**cell), seed, "finished", summary(**numbers))


def views(folder, runs, **options):
    write(folder / "made_up", runs)
    return comparison_views(compare(load(folder / "made_up"), **options), "made_up")


def cells(view):
    """By column, each on one line."""
    rows = [[" ".join(cell.split()) for cell in row] for row in view.rows]
    return {column: [row[at] for row in rows] for at, column in enumerate(view.columns)}


def test_numbers_with_their_intervals(tmp_path):
    runs = [
        finished({"forget_bias": 0.0}, seed, **numbers)
        for seed, numbers in enumerate(
            [
                {"final_loss": 1e-4, "solved_at": 60, "gate_first": 0.501, "decay_last": -0.03},
                {"final_loss": 0.16, "gate_first": 0.5, "decay_last": 0.012837},
                {"final_loss": 2e-4, "solved_at": 71, "gate_first": 0.502, "decay_last": 0.0212},
            ]
        )
    ]
    runs.append((settings(forget_bias=0.0), 3, "diverged", summary(final_loss=1e30)))
    outcome, gradients = views(tmp_path, runs)
    found = cells(outcome) | cells(gradients)
    assert found["final loss"][0] == "0.000200 [0.000100, 0.160]"
    assert found["solved"][0] == "2 of 4, 1 diverged"
    assert found["at step"][0] == "> 100 [60, > 100]"
    assert found["mean f"][0] == "0.501 [0.500, 0.502] → 0.600 [0.600, 0.600]"
    (decay,) = found["decay of c, decades a step"]
    assert decay == "-0.10 [-0.10, -0.10] → +0.013 [-0.030, +0.021]"
    (half_life,) = found["half-life, steps"]
    assert half_life == "3.01 [3.01, 3.01] → grows × 1.03 [10.0, grows × 1.05]"
    assert "baseline (remembers nothing) 0.1667" in outcome.caption
    for view in (outcome, gradients):
        assert (
            "in brackets the least and the greatest. The true median lies between them with a "
            "probability of 75 % (3 seeds), whatever the distribution." in view.caption
        )
        assert "t-interval" not in view.caption


def test_each_cell_with_the_gate_of_its_own(tmp_path):
    runs = [
        finished({"forget_bias": 0.0}, 0),
        finished({"kind": "gru", "update_bias": 0.0}, 0, gate_of="z", gate_last=0.9, decay_of="h"),
        finished({"kind": "rnn"}, 0, gate_of=None, gate_first=None, gate_last=None, decay_of="h"),
    ]
    _, gradients = views(tmp_path, runs)
    gates = cells(gradients)["mean gate"]
    assert gates == ["f 0.5 → f 0.6", "z 0.5 → z 0.9", "–"]
    assert "(f, z)" in gradients.caption
    assert "No intervals: each setting has one seed." in gradients.caption
    decays = cells(gradients)["decay, decades a step"]
    assert [text[0] for text in decays] == ["c", "h", "h"]


@pytest.mark.parametrize(
    ("seeds", "said"),
    [
        ([5], "probability of 94 % (5 seeds), whatever"),
        ([3, 4], "probability of 75 % (3 seeds) or 88 % (4 seeds), what"),
        ([2, 7], "distribution. From 6 seeds on, brackets are exact 95 % intervals."),
        ([6, 9], "Medians over seeds; in brackets exact 95 % intervals, whatever the"),
    ],
)
def test_the_caption_tells_what_brackets_are(tmp_path, seeds, said):
    runs = [
        finished({"forget_bias": float(bias)}, seed)
        for bias, many in enumerate(seeds)
        for seed in range(many)
    ]
    assert said in views(tmp_path, runs)[0].caption


def test_losses_below_zero_are_subtracted(tmp_path):
    runs = [
        finished({"forget_bias": bias}, seed, final_loss=loss + seed / 4)
        for bias, loss in ((0.0, -1.0), (1.0, -3.0))
        for seed in range(3)
    ]
    outcome, _, differences = views(tmp_path, runs, by="cell.forget_bias", against=0)
    assert cells(outcome)["final loss"][0] == "-0.750 [-1.000, -0.500]"
    column = cells(differences)["final loss, difference"]
    assert column == ["0 [0, 0]", "-2.00 [-2.00, -2.00]"]
    assert "75 % (3 pairs)" in differences.caption


HOSTILE = ["a & b % c", "$x$ #1 {y}", "~^\\ _", "<b>|*`[x](y)`*|", "[first", "naïve α→β", "b_f"]


@pytest.mark.parametrize("text", HOSTILE)
def test_latex_has_no_command_of_a_label(tmp_path, text):
    runs = [finished({"forget_bias": 0.0, "label": text}, seed) for seed in range(3)]
    runs += [finished({"forget_bias": 1.0, "label": "b"}, seed) for seed in range(3)]
    written = latex(views(tmp_path, runs))
    parse = MathTextParser("agg").parse
    for mathematics in re.findall(r"(?<!\\)\$(.*?)(?<!\\)\$", written):
        parse(f"${mathematics}$")
    for line in written.splitlines()[1:]:
        bare = re.sub(r"\\[&%$#_{}\\]|\\[a-z]+", "", line)
        assert bare.count("{") == bare.count("}")
        assert not set(bare) & set("#%~"), line
        assert bare.count("$") % 2 == 0
        assert not line.strip().startswith("[")
        if line.endswith(r"\\"):
            assert bare.count("&") == 3


def test_latex_typesets_numbers_and_symbols(tmp_path):
    runs = [finished({}, seed, final_loss=3e-5 * 10**seed) for seed in range(2)]
    runs.append(finished({"forget_bias": 1.0}, 0))
    written = latex(views(tmp_path, runs))
    assert r"$b_f$ = 0 & 0.000165 [$3.00 \times 10^{-5}$, 0.000300] & 0 of 2 &" in written
    assert r"$-0.10$ [$-0.10$, $-0.10$] $\to$ $-0.050$" in written
    assert written.count(r"\toprule") == written.count(r"\end{table}") == 2


@pytest.mark.parametrize("text", HOSTILE)
def test_markdown_has_as_many_cells_in_each_row(tmp_path, text):
    runs = [finished({"forget_bias": 0.0, "label": text}, 0), finished({"forget_bias": 1.0}, 0)]
    for line in markdown(views(tmp_path, runs)).splitlines():
        if line.startswith("|"):
            assert len(re.findall(r"(?<!\\)\|", line)) == 5
        assert not re.search(r"(?<!\\)[<`*$]", line.replace("**", ""))
        assert "](" not in line


def test_formats_are_of_the_same_table(tmp_path):
    write(tmp_path / "made_up", [finished({"forget_bias": 0.0}, 0)])
    table = compare(load(tmp_path / "made_up"))
    starts = {name: write(table, "made_up")[:9] for name, write in FORMATS.items()}
    assert starts == {"latex": "% \\usepac", "markdown": "**made\\_u", "csv": "setting,r"}
