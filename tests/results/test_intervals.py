"""Intervals: against closed forms, and by how often they hold when the truth is known."""

import itertools
import math

import numpy as np
import pytest
from scipy import stats

from rnnlab.results.intervals import (
    bounded_median_interval,
    earlier_interval,
    geometric_t_interval,
    median_interval,
    median_solved_at,
    ratio_interval,
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


def test_geometric_intervals_hold_as_often_as_they_say():
    found = coverage(
        geometric_t_interval, math.e, lambda rng, n: rng.lognormal(1.0, 0.7, n), seeds=5
    )
    assert abs(found - 0.95) < allowed(0.95)


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
    """Of two skewed distributions, a factor 1.7 apart, whose values end at 2."""
    rng = np.random.default_rng(0)

    def censored(values):
        return np.where(values > 2, np.nan, values)

    held = 0
    for _ in range(MANY):
        one, other = (rng.exponential(size=many) for many in seeds)
        _, low, high = ratio_interval(censored(1.7 * one), censored(other), comparisons, end=2.0)
        held += math.isnan(low) or low <= 1.7 <= high
    assert held / MANY > 1 - 0.05 / comparisons - allowed(0.95)


def test_ratios_by_hand():
    """Six each: P(U ≤ 5) = 0.0206, P(U ≤ 6) = 0.0325, so from the 6th to the 31st of 36 ratios."""
    values = np.array([1.0, 2, 4, 8, 16, 32])
    ratios = np.sort(np.divide.outer(3 * values, values), axis=None)
    assert ratio_interval(3 * values, values) == (3, ratios[5], ratios[30])
    assert ratio_interval([6, 6], [2, 2])[0] == 3
    assert math.isnan(ratio_interval([6, 6], [2, 2]).low)
    assert math.isnan(ratio_interval([], [2]).mean)


def test_ratios_of_what_was_never_reached():
    """Unsolved by 100 steps where all others took 50: twice as many or more."""
    solved, unsolved = [50.0] * 6, [math.nan] * 6
    assert ratio_interval(unsolved, solved, end=100.0) == (math.inf, 2, math.inf)
    assert ratio_interval(solved, unsolved, end=100.0) == (0, 0, 0.5)
    assert ratio_interval(unsolved, unsolved, end=100.0) == (1, 0, math.inf)


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
