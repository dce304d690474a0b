"""Intervals: against closed forms, and by how often they hold when the truth is known."""

import itertools
import math

import numpy as np
import pytest
from scipy import stats

from rnnlab.results.intervals import (
    bounded_median_interval,
    confidence,
    earlier_interval,
    median_and_range,
    median_interval,
    median_solved_at,
    paired_ratio_interval,
    ratio_interval,
    ratios,
    share_interval,
    t_interval,
)

MANY = 4000


def coverage(interval, truth, draw, seeds):
    """Share of experiments whose interval holds the truth."""
    rng = np.random.default_rng(0)
    held = [
        low <= truth <= high for _, low, high in (interval(draw(rng, seeds)) for _ in range(MANY))
    ]
    return np.mean(held)


def allowed(share):
    """Three standard deviations of a share of MANY experiments."""
    return 3 * math.sqrt(share * (1 - share) / MANY)


@pytest.mark.parametrize("seeds", [3, 6, 20])
@pytest.mark.parametrize("comparisons", [1, 4])
def test_t_intervals_hold_as_often_as_they_say(seeds, comparisons):
    share = 1 - 0.05 / comparisons
    found = coverage(
        lambda values: t_interval(values, comparisons),
        2.0,
        lambda rng, n: rng.normal(2.0, 3.0, n),
        seeds,
    )
    assert abs(found - share) < allowed(share)


def of_runs(solved):
    """Losses of which this share are of runs that solve the task, 1e-4 and less, others of 1/6."""

    def draw(rng, n):
        is_solved = rng.random(n) < solved
        return np.where(is_solved, 10 ** rng.normal(-5, 0.5, n), rng.normal(1 / 6, 2e-4, n))

    low, high = stats.norm(-5, 0.5), stats.norm(1 / 6, 2e-4)
    median = (
        10 ** low.ppf(0.5 / solved) if solved > 0.5 else high.ppf((0.5 - solved) / (1 - solved))
    )
    return draw, float(median)


LOSSES = {
    "normal": (lambda rng, n: rng.normal(2.0, 3.0, n), 2.0),
    "lognormal": (lambda rng, n: rng.lognormal(-5.0, 2.0, n), math.exp(-5)),
    "6 of 10 solve": of_runs(0.6),
    "3 of 10 solve": of_runs(0.3),
}


@pytest.mark.parametrize("draw", LOSSES)
@pytest.mark.parametrize("seeds", range(2, 11))
def test_medians_hold_as_often_as_they_say_whatever_the_distribution(draw, seeds):
    """Exactly: all but the k − 1 least and greatest of n values miss it with 2·P(B(n, ½) < k)."""
    k = max(1, int(stats.binom.ppf(0.025, seeds, 0.5)))
    exact = 1 - 2 * stats.binom.cdf(k - 1, seeds, 0.5)
    draw, median = LOSSES[draw]
    found = coverage(median_and_range, median, draw, seeds)
    assert abs(found - exact) < allowed(exact)
    assert confidence(seeds) == pytest.approx(min(0.95, exact))


@pytest.mark.parametrize("seeds", range(3, 11))
def test_no_interval_of_a_loss_leaves_what_was_observed(seeds):
    """A t-interval of the log reaches from 3e-5 to 34 where no loss is above 0.17."""
    draw, _ = of_runs(0.6)
    rng = np.random.default_rng(seeds)
    for _ in range(200):
        values = draw(rng, seeds)
        _, low, high = median_and_range(values)
        assert {low, high} <= set(values)


def test_medians_and_ranges_by_hand():
    assert median_and_range([3, 1]) == (2, 1, 3)
    assert median_and_range([5, 3, 1, 9, 7]) == (5, 1, 9)
    assert median_and_range([5, math.nan, 1]) == (5, 1, math.inf)
    assert median_and_range([5, -3, 1, 9, 7, 11]) == median_interval([5, -3, 1, 9, 7, 11])
    assert [confidence(seeds) for seeds in range(8)] == [0, 0, 0.5, 0.75, 0.875, 0.9375, 0.95, 0.95]
    one = median_and_range([5])
    assert one.mean == 5
    assert math.isnan(one.low)
    assert math.isnan(median_and_range([]).mean)


@pytest.mark.parametrize(("one", "other"), [(0.4, 0.0), (0.4, 0.2), (0.9, 0.5)])
@pytest.mark.parametrize("comparisons", [1, 20])
def test_t_intervals_hold_for_differences_of_shares_of_settings(one, other, comparisons):
    """Those of ``sensitivity_of_control``: six seeds, of each the shares of five settings."""
    share = 1 - 0.05 / comparisons
    found = coverage(
        lambda values: t_interval(values, comparisons),
        one - other,
        lambda rng, n: (rng.binomial(5, one, n) - rng.binomial(5, other, n)) / 5,
        6,
    )
    assert found > share - 0.01 - allowed(share)


@pytest.mark.parametrize("truth", [0.1, 0.5, 0.8])
@pytest.mark.parametrize("seeds", [5, 6, 20])
def test_intervals_of_shares_hold_at_least_as_often(truth, seeds):
    """Of as many experiments as there are, each as often as it comes."""
    outcomes = np.arange(seeds + 1)
    intervals = [share_interval(int(k), seeds) for k in outcomes]
    holds = [found.low <= truth <= found.high for found in intervals]
    assert stats.binom.pmf(outcomes, seeds, truth) @ holds >= 0.95


@pytest.mark.parametrize("seeds", [6, 9, 20])
@pytest.mark.parametrize("comparisons", [1, 3])
def test_intervals_of_medians_hold_at_least_as_often(seeds, comparisons):
    """Of a skewed distribution of which two fifths are censored."""
    truth, end = math.log(2), -math.log(0.4)

    def draw(rng, n):
        values = rng.exponential(size=n)
        return np.where(values > end, np.nan, values)

    def interval(values):
        found = median_interval(values, comparisons)
        return found if not math.isnan(found.low) else (0, -math.inf, math.inf)

    assert coverage(interval, truth, draw, seeds) > 1 - 0.05 / comparisons - allowed(0.95)


def test_medians_by_hand():
    """Of six, from the least to the greatest: 1 − 2/64 = 96.9 %; of five there is none."""
    assert median_interval([5, 3, 1, 9, 7, 11]) == (6, 1, 11)
    assert median_interval([5, 3, 1, 9, 7, math.nan]) == (6, 1, math.inf)
    few = median_interval([1, 2, 3, 4, 5])
    assert few.mean == 3
    assert math.isnan(few.low)
    assert median_interval(range(20))[1:] == (5, 14)
    assert math.isnan(median_interval([]).mean)


@pytest.mark.parametrize("seeds", [6, 7, 12, 20, 33])
def test_order_statistics_are_the_narrowest_that_hold(seeds):
    """P(median within [X_k, X_{n+1−k}]) = 1 − 2 P(Bin(n, ½) < k)."""
    _, low, _ = median_interval(range(1, seeds + 1))
    k = int(low)

    def probability(k):
        return 1 - 2 * sum(math.comb(seeds, j) for j in range(k)) / 2**seeds

    assert probability(k) >= 0.95 > probability(k + 1)


def test_shares_by_hand():
    """None of n: the upper end solves (1 − p)^n = 0.025."""
    assert share_interval(0, 5) == (0, 0, pytest.approx(1 - 0.025**0.2, rel=1e-9))
    assert share_interval(5, 5) == (1, pytest.approx(0.025**0.2, rel=1e-9), 1)
    assert math.isnan(share_interval(0, 0).mean)


def test_t_by_hand():
    """Four values, s = 2: ± 3.182446 · 2/√4."""
    values = np.array([-1.5, -0.5, 0.5, 1.5]) * 2 / np.std([-1.5, -0.5, 0.5, 1.5], ddof=1)
    found = t_interval(values)
    assert found.high == pytest.approx(3.182446305284263, rel=1e-9)
    assert found.low == pytest.approx(-found.high)
    wider = t_interval(values, comparisons=2).high
    assert wider == pytest.approx(float(stats.t.ppf(0.9875, 3)), rel=1e-9)
    assert all(math.isnan(end) for end in t_interval([1, 2])[1:])


def test_unsolved_runs_are_later_than_all():
    assert median_solved_at([10, math.nan, 30]) == 30
    assert median_solved_at([10, math.nan, math.nan]) == math.inf


EARLY, LATE = [1, 2, 3, 4, 5, 6], [7, 8, 9, 10, 11, math.nan]


def shares_of_all_deals(one, other):
    """The share of pairs for every way to deal the values, and that of the samples given."""
    values = np.nan_to_num(np.concatenate([one, other]).astype(float), nan=1e9)

    def share(chosen):
        mine, theirs = values[list(chosen)], np.delete(values, list(chosen))
        earlier, ties = mine[:, None] < theirs, mine[:, None] == theirs
        return (earlier + ties / 2).mean()

    deals = itertools.combinations(range(len(values)), len(one))
    return np.array([share(deal) for deal in deals]), share(range(len(one)))


def test_shares_of_pairs_by_hand():
    """All six before all six: P = 2/924; of three each 2/20, which is never significant."""
    assert earlier_interval(EARLY, LATE) == (1, pytest.approx(0.5 + 6 / 36), 1)
    assert earlier_interval(LATE, EARLY).high == pytest.approx(0.5 - 6 / 36)
    assert earlier_interval(EARLY, LATE, comparisons=23).low > 0.5
    assert earlier_interval(EARLY, LATE, comparisons=24).low == 0.5
    assert earlier_interval(EARLY[:3], LATE[:3]) == (1, 0.5, 1)
    assert earlier_interval([math.nan] * 6, [math.nan] * 6) == (0.5, 0.5, 0.5)
    assert math.isnan(earlier_interval([], EARLY).mean)


@pytest.mark.parametrize("comparisons", [1, 4])
def test_shares_of_pairs_against_every_deal(comparisons):
    """½ is left out where the share of all deals at least as far from it is 5 % or less."""
    rng = np.random.default_rng(0)
    outside = []
    for shift in (0, 0, 1, 2, 3, 4, 5, 6):
        one, other = rng.integers(0, 6, 5) * 1.0, rng.integers(0, 6, 6) + float(shift)
        other[other > 8] = math.nan
        shares, expected = shares_of_all_deals(one, other)
        found = earlier_interval(one, other, comparisons)
        chance = np.mean(abs(shares - 0.5) >= abs(expected - 0.5) - 1e-9)
        assert found.mean == pytest.approx(expected)
        assert (not found.low <= 0.5 <= found.high) == (chance <= 0.05 / comparisons)
        outside.append(found.low > 0.5)
    assert {True, False} == set(outside)


def test_shares_of_pairs_leave_out_one_half_by_chance_no_more_often_than_they_say():
    def leaves_out(rng):
        one, other = np.round(rng.exponential(size=(2, 7)), 1)
        _, low, high = earlier_interval(np.where(one > 1.5, np.nan, one), other)
        return not low <= 0.5 <= high

    rng = np.random.default_rng(0)
    assert np.mean([leaves_out(rng) for _ in range(MANY)]) < 0.05 + allowed(0.05)


@pytest.mark.parametrize("seeds", [(4, 6), (8, 8)])
@pytest.mark.parametrize("comparisons", [1, 3])
def test_intervals_of_ratios_hold_at_least_as_often(seeds, comparisons):
    """Of two skewed distributions, a factor 1.7 apart."""
    rng = np.random.default_rng(0)
    held = 0
    for _ in range(MANY):
        one, other = (rng.exponential(size=many) for many in seeds)
        _, low, high = ratio_interval(1.7 * one, other, comparisons)
        held += math.isnan(low) or low <= 1.7 <= high
    assert held / MANY > 1 - 0.05 / comparisons - allowed(0.95)


@pytest.mark.parametrize("comparisons", [1, 3])
@pytest.mark.parametrize("seeds", range(3, 11))
def test_intervals_of_paired_ratios_hold_where_some_solve_and_others_do_not(seeds, comparisons):
    """Of steps until solved, of which a third is unsolved at the end, over steps that are alike."""
    rng = np.random.default_rng(0)
    end, held, known = 1000.0, 0, 0
    logs = rng.normal(0, 0.1, 1_000_000)
    slow = np.where(rng.random(logs.size) < 0.35, 5000.0, 400.0) * np.exp(logs)
    truth = np.median(slow / (200 * np.exp(rng.normal(0, 0.1, logs.size))))
    for _ in range(MANY):
        is_slow = rng.random(seeds) < 0.35
        one = np.where(is_slow, 5000.0, 400.0) * np.exp(rng.normal(0, 0.1, seeds))
        other = 200 * np.exp(rng.normal(0, 0.1, seeds))
        one = np.where(one > end, math.nan, one)
        _, low, high = paired_ratio_interval(one, other, comparisons, end)
        known += not math.isnan(low)
        held += math.isnan(low) or low <= truth <= high
    assert known in (0, MANY)
    assert (known > 0) == (2.0 ** (1 - seeds) <= 0.05 / comparisons)
    assert held / MANY > 1 - 0.05 / comparisons - allowed(0.95)


def test_ratios_by_hand():
    """Six each: P(U ≤ 5) = 0.0206, P(U ≤ 6) = 0.0325, so from the 6th to the 31st of 36 ratios."""
    values = np.array([1.0, 2, 4, 8, 16, 32])
    all_ratios = np.sort(np.divide.outer(3 * values, values), axis=None)
    assert ratio_interval(3 * values, values) == (3, all_ratios[5], all_ratios[30])
    assert ratio_interval([6, 6], [2, 2])[0] == 3
    assert math.isnan(ratio_interval([6, 6], [2, 2]).low)
    assert math.isnan(ratio_interval([], [2]).mean)


def test_ratios_of_what_was_never_reached():
    """Unsolved by 100 steps where all others took 50: twice as many or more."""
    solved, unsolved = [50.0] * 6, [math.nan] * 6
    assert paired_ratio_interval(unsolved, solved, end=100.0) == (math.inf, 2, math.inf)
    assert paired_ratio_interval(solved, unsolved, end=100.0) == (0, 0, 0.5)
    assert paired_ratio_interval(unsolved, unsolved, end=100.0) == (1, 0, math.inf)
    assert paired_ratio_interval([2, 4, 6, 8, 10, 12], [1] * 6) == (7, 2, 12)
    assert math.isnan(paired_ratio_interval([2, 4], [1, 1]).low)
    assert math.isnan(paired_ratio_interval([], []).mean)


def test_ratios_of_zeros():
    found = ratios([0, 0, 1, math.inf, math.inf, math.nan], [0, 2, 0, math.inf, 1, 1])
    np.testing.assert_equal(found, [1, 0, math.inf, 1, math.inf, math.nan])


def test_bounds_of_a_median_by_hand():
    """Known values give the interval of their median; bounds widen it, each on its side."""
    known = np.array([5.0, 3, 1, 9, 7, 11])
    assert bounded_median_interval(known, known) == median_interval(known)
    at_most = np.where(known > 6, math.inf, known)
    assert bounded_median_interval(known, at_most) == (6, 1, math.inf)
    at_least = np.where(known < 9, -math.inf, known)
    assert bounded_median_interval(at_least, known) == (6, -math.inf, 11)


def test_intervals_of_bounded_medians_hold_at_least_as_often():
    """Of a normal distribution of which what is above 1 is known only to be so."""

    def interval(values):
        return bounded_median_interval(np.minimum(values, 1), np.where(values > 1, np.inf, values))

    found = coverage(interval, 0.5, lambda rng, n: rng.normal(0.5, 1.0, n), seeds=12)
    assert found > 0.95 - allowed(0.95)
