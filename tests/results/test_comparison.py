"""The table's statistics on made-up results with known answers."""

import math

import numpy as np
import pytest
from made_up import settings, summary, write

from rnnlab.results.comparison import compare
from rnnlab.results.intervals import t_interval
from rnnlab.results.read import load
from rnnlab.support.errors import UserError

# Student's t, 97.5 %, from printed tables.
T_2 = 4.302653


def test_t_interval():
    estimate = t_interval([1.0, 2.0, 6.0])
    half = T_2 * math.sqrt(7.0) / math.sqrt(3)
    assert estimate == pytest.approx((3.0, 3 - half, 3 + half), rel=1e-6)


def test_fewer_than_three_have_no_interval():
    mean, low, high = t_interval([2.0, 2.0])
    assert mean == pytest.approx(2)
    assert math.isnan(low)
    assert math.isnan(high)
    assert all(math.isnan(value) for value in t_interval([]))


def test_coverage_of_the_interval():
    rng = np.random.default_rng(1)
    estimates = [t_interval(rng.normal(5, 2, size=4)) for _ in range(4000)]
    covered = np.mean([low <= 5 <= high for _, low, high in estimates])
    assert covered == pytest.approx(0.95, abs=0.012)


def finished(bias, seed, **numbers):
    return (settings(forget_bias=bias), seed, "finished", summary(**numbers))


@pytest.fixture
def results(tmp_path):
    runs = [
        finished(0.0, 0, final_loss=0.01, solved_at=60, decay_last=-0.3),
        finished(0.0, 1, final_loss=0.1, decay_last=-0.2),
        finished(0.0, 2, final_loss=1.0, solved_at=80, decay_last=-0.1),
        finished(1.0, 0, final_loss=0.02, decay_first=-0.2, decay_last=0.1),
        finished(1.0, 1, final_loss=0.2, solved_at=70, decay_first=-0.4, decay_last=0.2),
        finished(1.0, 2, final_loss=4.0, decay_first=-0.3, decay_last=0.6),
        (
            settings(forget_bias=3.0),
            0,
            "diverged",
            summary(final_loss=1e30, decay_last=9.0, solved_at=5),
        ),
        (settings(forget_bias=3.0), 1, "failed", {}),
        (settings(forget_bias=3.0), 2, "missing", {}),
    ]
    write(tmp_path / "made_up", runs)
    return load(tmp_path / "made_up")


def test_row(results):
    row = compare(results).iloc[0]
    assert row["setting"] == "b_f = 0"
    assert row["confidence"] == 0.75
    assert list(row[["final_loss", "final_loss_low", "final_loss_high"]]) == [0.1, 0.01, 1.0]
    assert (row["solved"], row["runs"]) == (2, 3)
    assert list(row[["solved_at", "solved_at_low", "solved_at_high"]]) == [80, 60, math.inf]
    assert list(row[["decay_last", "decay_last_low", "decay_last_high"]]) == [-0.2, -0.3, -0.1]
    halves = [math.log10(2) / decay for decay in (0.2, 0.3, 0.1)]
    names = ["half_life_last", "half_life_last_low", "half_life_last_high"]
    assert list(row[names]) == pytest.approx(halves)


def test_a_loss_that_some_seeds_solve_stays_within_what_was_observed(tmp_path):
    """Not [3e-5, 34], as a t-interval of the logarithm has it."""
    losses = [1e-4, 0.16, 2e-4, 0.165, 3e-5, 0.168, 1e-4]
    runs = [finished(0.0, seed, final_loss=loss) for seed, loss in enumerate(losses)]
    for many, confidence, ends in ((4, 0.875, (1e-4, 0.165)), (7, 0.95, (3e-5, 0.168))):
        write(tmp_path / str(many), runs[:many])
        row = compare(load(tmp_path / str(many))).iloc[0]
        assert row["final_loss"] == pytest.approx(np.median(losses[:many]))
        assert (row["final_loss_low"], row["final_loss_high"]) == ends
        assert row["confidence"] == confidence


def test_losses_below_zero_are_subtracted_and_not_divided(tmp_path):
    """As those of a density; of three seeds they have a median and a range like any other."""
    losses = {0.0: [-1.0, 0.5, -3.0], 1.0: [-1.5, -0.5, -1.0]}
    runs = [
        finished(bias, seed, final_loss=loss)
        for bias, several in losses.items()
        for seed, loss in enumerate(several)
    ]
    write(tmp_path / "density", runs)
    table = compare(load(tmp_path / "density"), by="cell.forget_bias", against=0)
    row = table.set_index("setting").loc["b_f = 1"]
    assert list(row[["final_loss", "final_loss_low", "final_loss_high"]]) == [-1.0, -1.5, -0.5]
    names = ["loss_difference", "loss_difference_low", "loss_difference_high"]
    assert list(row[names]) == [-0.5, -1.0, 2.0]
    assert math.isnan(row["loss_ratio"])


def test_an_unsolved_run_counts_as_later_than_any(results):
    row = compare(results).iloc[1]
    assert row["solved"] == 1
    assert row["solved_at"] == math.inf
    assert row["half_life_last"] == math.inf


def test_diverged_failed_and_missing_runs_are_counted_and_not_averaged(results):
    row = compare(results).iloc[2]
    assert (row["runs"], row["diverged"], row["failed"], row["missing"]) == (1, 1, 1, 1)
    assert math.isnan(row["final_loss"])
    assert math.isnan(row["decay_last"])
    assert (row["solved"], row["solved_at"]) == (0, math.inf)


def test_differences_are_paired_by_seed(results):
    table = compare(results, by="cell.forget_bias", against=0).set_index("setting")
    row = table.loc["b_f = 1"]
    assert row["pairs"] == 3
    assert (row["loss_ratio"], row["loss_ratio_low"], row["loss_ratio_high"]) == (2, 2, 4)
    assert row["loss_difference_high"] == pytest.approx(3)
    assert row["decay_last_difference"] == pytest.approx(0.4)
    assert row["decay_last_difference_low"] == pytest.approx(0.4)
    assert row["decay_last_difference_high"] == pytest.approx(0.7)
    assert table.loc["b_f = 0", "loss_ratio"] == pytest.approx(1)
    assert math.isnan(table.loc["b_f = 3", "loss_ratio"])


def test_pairs_leave_out_seeds_that_one_setting_lacks(tmp_path):
    """The reference has a seed more, before the others: pairs by place would be other pairs."""
    losses = {0.0: {0: 5.0, 1: 1.0, 2: 2.0, 3: 4.0}, 1.0: {3: 8.0, 1: 2.0, 2: 4.0}}
    runs = [
        (settings(forget_bias=bias), seed, "finished", summary(final_loss=loss))
        for bias, by_seed in losses.items()
        for seed, loss in by_seed.items()
    ]
    write(tmp_path / "uneven", runs)
    table = compare(load(tmp_path / "uneven"), by="cell.forget_bias", against=0)
    row = table.set_index("setting").loc["b_f = 1"]
    for end in ("", "_low", "_high"):
        assert row[f"loss_ratio{end}"] == pytest.approx(2)


def test_a_reference_agrees_in_the_other_keys(tmp_path):
    runs = [
        (settings(forget_bias=bias, hidden=hidden), 0, "finished", summary(final_loss=loss))
        for bias, hidden, loss in [(0.0, 4, 1.0), (0.0, 8, 2.0), (1.0, 4, 3.0), (1.0, 8, 8.0)]
    ]
    write(tmp_path / "crossed", runs)
    table = compare(load(tmp_path / "crossed"), by="cell.forget_bias", against="0")
    assert list(table["cell.hidden"]) == [4, 8, 4, 8]
    assert list(table["loss_ratio"]) == pytest.approx([1, 1, 3, 4])


def test_a_key_that_no_setting_has_a_value_of_counts_as_equal(tmp_path):
    cells = [{"kind": kind, "forget_bias": b, "t_max": t} for kind in ("lstm", "mine.py:Mine")
             for b, t in ((0.0, None), (1.0, None))]  # fmt: skip
    runs = [(settings(**cell), 0, "finished", summary(final_loss=1.0)) for cell in cells]
    write(tmp_path / "kinds", runs)
    table = compare(load(tmp_path / "kinds"), by="cell.kind", against="lstm")
    assert list(table["reference"]) == list(table["setting"][:2]) * 2


def test_by_orders_rows_and_never_merges_settings(tmp_path):
    cells = [{"forget_bias": 5.0}, {"forget_bias": 1.0}, {"forget_bias": 5.0, "input_bias": "tied"}]
    cells.append({"forget_bias": "chrono", "t_max": 20.0})
    runs = [(settings(**cell), 0, "missing", {}) for cell in cells]
    write(tmp_path / "ties", runs)
    table = compare(load(tmp_path / "ties"), by="cell.forget_bias")
    assert list(table["cell.forget_bias"]) == [1.0, 5.0, 5.0, "chrono"]
    assert list(table["cell.input_bias"]) == [0.0, 0.0, "tied", 0.0]


def test_several_folders_are_compared_together(tmp_path):
    write(tmp_path / "one", [finished(0.0, 0)])
    write(tmp_path / "two", [finished(0.0, 0), finished(1.0, 0)])
    table = compare(load(tmp_path / "one", tmp_path / "two"))
    assert list(table["setting"]) == ["b_f = 0", "b_f = 1"]


@pytest.mark.parametrize(
    ("by", "against", "message"),
    [
        ("cell.forget_bais", None, "did you mean 'cell.forget_bias'"),
        ("cell.forget_bias", 7, "against=7: no such value"),
        (None, 0, "against=0: needs by: the key"),
    ],
)
def test_bad_arguments(results, by, against, message):
    with pytest.raises(UserError, match=message):
        compare(results, by=by, against=against)
