"""Mistakes in the options of cells, tasks and optimisers in Python."""

import pytest

import rnnlab
from rnnlab.support.errors import UserError
from rnnlab.training.optimizers import OPTIMIZERS
from rnnlab.training.options import Training

ADAM = next(own for own in OPTIMIZERS if own.__name__ == "Adam")


class Own(rnnlab.VanillaRNN):
    """A cell of the user's own."""

    leak: float = 0.1


class Positional(rnnlab.VanillaRNN):
    """One that takes its size without a name."""

    def __init__(self, hidden, **options):
        super().__init__(hidden=hidden, **options)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: rnnlab.LSTM(hiden=8), "LSTM: hiden: unknown option (value 8); did you mean 'hid"),
        (lambda: rnnlab.GRU(hidden=8, reset="befor"), "GRU: reset: 'befor' is not valid: must be"),
        (
            lambda: rnnlab.VanillaRNN(hidden=0),
            "VanillaRNN: hidden: 0 is not valid: must be",
        ),
        (
            lambda: rnnlab.LSTM(layers="2"),
            "LSTM: layers: '2' is not valid: must be a valid",
        ),
        (lambda: rnnlab.LSTM(8), "LSTM: options are given by name, as in LSTM(hidden=…)"),
        (lambda: rnnlab.LSTM(forget_bias="chrono"), "LSTM: forget_bias 'chrono' needs t_max"),
        (lambda: rnnlab.Adding(lenght=5), "Adding: lenght: unknown option (value 5); did you mean"),
        (lambda: rnnlab.Digits(permute=True), "Digits: permute: unknown option (value True); did"),
        (lambda: Own(leek=1.0), "Own: leek: unknown option (value 1.0); did you mean 'leak'?"),
        (lambda: ADAM(epsilom=0.1), "unknown option (value 0.1); did you mean 'epsilon'?"),
        (
            lambda: Training(step=3),
            "Training: step: unknown option (value 3); did you",
        ),
    ],
)
def test_an_option_in_python_is_one_sentence(make, message):
    with pytest.raises(UserError) as told:
        make()
    assert message in str(told.value)
    assert isinstance(told.value, ValueError)
    assert len(str(told.value).splitlines()) == 1
    assert "pydantic" not in str(told.value)
    assert "YAML" not in str(told.value)


def test_each_wrong_option_has_a_line():
    with pytest.raises(UserError) as told:
        rnnlab.GRU(hiden=8, resett="after")
    assert [line.split(": ")[1] for line in str(told.value).splitlines()] == ["hiden", "resett"]


def test_a_class_may_take_positions():
    assert Positional(3).hidden == 3
