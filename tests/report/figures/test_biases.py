"""The gate and the decay that an initial bias alone gives."""

import numpy as np
import pandas as pd
import pytest

from rnnlab.report.figures.biases import (
    biases_in,
    direct_biases,
    has_chrono,
    log10_kept,
    mean_gate,
    number,
    numeric_biases,
    run_of,
)

FORGET, UPDATE = direct_biases().values()
STEPS = np.arange(5)


def run(**cell):
    return pd.Series({f"cell.{key}": value for key, value in cell.items()}, dtype=object)


def test_under_chrono_it_is_the_mean_over_units():
    u = np.random.default_rng(0).uniform(1, 49, size=1_000_000)
    f = u / (1 + u)
    drawn = run(forget_bias="chrono", t_max=50.0)
    assert mean_gate(drawn, FORGET) == pytest.approx(f.mean(), abs=1e-3)
    expected = [np.log10((f**step).mean()) for step in STEPS]
    assert log10_kept(drawn, STEPS) == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize("bias", [1.0, 1, np.int64(1)])
def test_of_a_number_it_is_its_sigmoid(bias):
    for own, of in ((run(forget_bias=bias), FORGET), (run(update_bias=bias), UPDATE)):
        assert mean_gate(own, of) == pytest.approx(0.731059, abs=1e-6)
        assert log10_kept(own, STEPS) == pytest.approx(-STEPS * np.log10(1 + np.exp(-1)))
        assert numeric_biases(own) == {of.key: 1.0}


@pytest.mark.parametrize("value", ["drawn", "chrono", None, [1.0], True, float("nan")])
def test_a_bias_of_another_kind_has_no_value(value):
    """Nor has chrono without its longest time scale."""
    own = run(forget_bias=value, t_max=None)
    assert np.isnan(mean_gate(own, FORGET))
    assert np.isnan(log10_kept(own, STEPS)).all()
    assert np.isnan(number(value))
    assert numeric_biases(own) == {}


def test_the_other_bias_counts_where_the_first_has_no_value():
    both = run(forget_bias=float("nan"), update_bias=0.0)
    assert log10_kept(both, STEPS) == pytest.approx(STEPS * np.log10(0.5))


def test_what_runs_have():
    runs = pd.DataFrame({"setting": ["a", "b"], UPDATE.key: ["chrono", [1.0]]})
    assert biases_in(runs) == [UPDATE]
    assert has_chrono(runs, [FORGET, UPDATE])
    assert not has_chrono(runs, [FORGET])
    assert not has_chrono(runs[1:], [FORGET, UPDATE])
    assert biases_in(runs.assign(**{UPDATE.key: None})) == []
    assert run_of(runs, "b")[UPDATE.key] == [1.0]
    assert np.isnan(mean_gate(run_of(runs, "c"), UPDATE))
    assert [bias.symbol for bias in direct_biases().values()] == ["b_f", "b_z"]
