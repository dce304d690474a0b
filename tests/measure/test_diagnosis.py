"""From made-up measurements to numbers and words, on each side of every threshold."""

import math
import re

import numpy as np
import pandas as pd
import pytest

from rnnlab import GRU, LSTM, VanillaRNN
from rnnlab.measure.diagnosis import diagnose, summarize

nan, inf = math.nan, math.inf
PARAMS = {
    "bias_f": np.array([0.0, 2.0]),
    "bias_i": np.array([-1.0, 1.0]),
    "bias_o": np.array([0.5, 0.5]),
    "U_g": np.array([[0.0, -4.0], [1.0, 0.0]]),
}


class Own(LSTM):
    """A user's class."""


def sigmoid(x):
    return 1 / (1 + np.exp(-np.asarray(x)))


def tables(back, direct=None, layers=1):
    """‖∂c_T/∂c_t‖ in decades, from the last step back; lower layers hold other numbers."""
    steps = len(back)
    frames = []
    for layer in range(layers):
        below = 7.0 * (layers - 1 - layer)
        frame = pd.DataFrame({"t": range(steps), "layer": layer})
        frame["log10_sensitivity"] = np.asarray(back, float)[::-1] + below
        frame["zero_fraction"] = np.isneginf(frame["log10_sensitivity"]).astype(float)
        if direct is not None:
            frame["log10_direct_product"] = np.asarray(direct, float)[::-1] + below
            frame["direct_zero_fraction"] = np.isneginf(frame["log10_direct_product"]).astype(float)
            excess = frame["log10_sensitivity"] - frame["log10_direct_product"]
            frame["log10_excess"] = excess.where(np.isfinite(excess))
        frame["share"] = np.where(frame["t"] == 0, 0.0, 0.2 + 0.1 * (frame["t"] % 2)) + below
        sizes = {"direct": 9, "indirect": 8, "total": 7, "i": 0.2, "f": 0.4, "g": 0.3}
        for part, size in sizes.items():
            frame[f"{part}_frobenius"] = size if layer == layers - 1 else 9 - size
        frames.append(frame)
    exponents = {"example": [0, 0, 1, 1], "index": [0, 1, 0, 1]}
    lyapunov = pd.DataFrame(
        exponents
        | {"exponent": [-0.1, -5, -0.3, -6], "asymptotic": [-0.2, -5, -0.4, nan]}
        | {"asymptotic_low": [-0.5, -6, -0.8, nan], "asymptotic_high": [0.1, -4, 0.0, nan]}
    )
    return {"jacobians": pd.concat(frames), "lyapunov": lyapunov}


def numbers(back, wanted, cell=None, params=PARAMS, **options):
    row = summarize(cell or LSTM(hidden=2), params, tables(back, **options), wanted)
    return row | {"saturated": 0.0, "saturated_at_zero": 0.0, "largest_input": 1.0}


@pytest.mark.parametrize(
    ("back", "wanted", "reach", "at"),
    [
        ([0, -1, -2.9, -3.1, -9], 4, 2, 3),
        ([0, -1, -3.0, -3.1, -9], 4, 2, 3),  # exactly 10⁻³ is reached
        ([0, -1, -np.nextafter(3, 4), -9], 3, 1, 2),
        ([0, -4, -1, -1], 3, 0, 1),  # the first fall counts, whatever comes back
        ([0, -1, nan, -1], 3, 1, 2),
        ([0, -1, -inf], 2, 1, 2),
        ([0, 1, 2, 4], 3, 3, 3),
        ([0, -0.1, -0.2, -0.3], 2, 3, 3),
        ([0, -0.1, -0.2, -0.3], 50, 3, 3),
        ([0.0], 1, 0, 0),
    ],
)
def test_reach_and_where_it_is_read(back, wanted, reach, at):
    direct = np.arange(len(back)) - 100.0
    row = numbers(back, wanted, direct=direct)
    assert (row["reach"], row["at"], row["steps"]) == (reach, at, len(back))
    np.testing.assert_equal(row["log10_at"], float(back[at]))
    assert row["log10_direct_at"] == direct[at]
    assert row["wanted"] == wanted


def test_numbers_of_the_top_layer():
    back = [0, -0.4, -0.5, -1.5]
    cell = LSTM(hidden=2, layers=2)
    other = {name: value + 3 for name, value in PARAMS.items()}
    row = summarize(cell, (other, PARAMS), tables(back, layers=2), 3)
    slope = np.polyfit(range(4), back, 1)[0]
    assert row["decay"] == pytest.approx(slope)
    assert row["half_life"] == pytest.approx(-math.log10(2) / slope)
    assert row["indirect_share"] == pytest.approx((0.3 + 0.2 + 0.3) / 3)
    assert row["top_exponent"] == pytest.approx(-0.2)
    assert row["top_asymptotic"] == pytest.approx(-0.3)
    assert row["top_asymptotic_error"] == pytest.approx(0.25)  # of 0.3 and 0.4
    assert row["strongest"] == "f"
    assert (row["cell"], row["quantity"]) == ("lstm", "c")
    assert math.isnan(row["log10_direct_at"])
    assert (row["kernel"], row["kernel_radius"]) == ("U_g", pytest.approx(2))  # eigenvalues ±2i
    keep, write = sigmoid([0, 2]), sigmoid([-1, 1]) * sigmoid(0.5)
    s = row["critical_factor"]
    matrix = np.diag(keep) + s * write[:, None] * PARAMS["U_g"].T
    assert abs(np.linalg.eigvals(matrix)).max() == pytest.approx(1)


def test_a_single_step_has_no_slope():
    row = numbers([0.0], 1)
    assert math.isnan(row["decay"])
    assert math.isnan(row["half_life"])
    assert math.isnan(row["indirect_share"])


@pytest.mark.parametrize(
    ("cell", "params", "kind", "factor"),
    [
        (GRU(hidden=2), {"bias_z": 1.0, "bias_r": -1.0, "U_hn": 3}, "gru", (1 + math.e) / 3),
        (VanillaRNN(hidden=2), {"bias_h": 0.0, "U_h": 3}, "rnn", 1 / 3),
        (VanillaRNN(hidden=2, activation="relu"), {"bias_h": 0.0, "U_h": 3}, "rnn", nan),
        (Own(hidden=2), PARAMS, "own", nan),
    ],
)
def test_the_critical_kernel_of_each_cell(cell, params, kind, factor):
    arrays = {k: np.eye(2) * v if k[0] == "U" else np.ones(2) * v for k, v in params.items()}
    row = numbers([0, -1], 1, cell=cell, params=arrays)
    assert row["cell"] == kind
    assert row["critical_factor"] == pytest.approx(factor, nan_ok=True)
    assert row["kernel_radius"] == pytest.approx(nan if math.isnan(factor) else 3, nan_ok=True)


BASE = {
    **{
        "cell": "lstm",
        "layers": 1,
        "quantity": "c",
        "steps": 100,
        "wanted": 99,
        "reach": 24,
        "at": 25,
    },
    **{"log10_at": -3.1, "log10_direct_at": -6.4, "decay": -0.129, "half_life": 2.33},
    **{"has_direct": True, "has_gates": True, "examples": 4, "zeros_at": 0, "direct_zeros_at": 0},
    **{"log10_excess_at": 3.3, "log10_later": -3.1, "largest_input": 1.0},
    **{"saturated": 0.0, "saturated_at_zero": 0.0},
    **{"indirect_share": 0.45, "strongest": "g", "top_exponent": -0.308},
    **{"top_asymptotic": -0.29, "top_asymptotic_error": 0.003, "kernel": "U_g"},
    **{"kernel_radius": 1.0, "critical_factor": 2.0},
}


def said(*rows, **numbers):
    """The diagnosis by line, each on one line."""
    frame = pd.DataFrame([BASE | row for row in rows or ({},)]).assign(**numbers)
    text = diagnose("b_f = 0", frame)
    assert max(map(len, text.splitlines())) <= 100
    lines, name = {}, "head"
    for line in text.splitlines():
        first, _, rest = line.partition(":") if line[2:3].strip() else ("", "", line)
        name = first.strip() if first.startswith("  ") else name
        lines[name] = f"{lines.get(name, '')} {rest}".strip()
    lines["head"] = text.splitlines()[0]
    return {name: " ".join(line.split()) for name, line in lines.items()}


def assert_says(line, *parts):
    """The parts stand in the line, in this order."""
    at = 0
    for part in parts:
        assert part in line[at:], f"{part!r} is not in {line!r} from {at} on"
        at = line.index(part, at) + len(part)


def test_a_gradient_that_vanishes():
    lines = said()
    assert list(lines) == ["head", "reach", "path", "stability", "to reach 99"]
    assert lines["head"] == "b_f = 0 (100 time steps)"
    assert said(layers=3)["head"] == "b_f = 0 (top layer of 3, 100 time steps)"
    norm = "‖∂c_T/∂c_t‖ is below 10⁻³"
    assert_says(lines["reach"], "24 steps back", norm, "vanishes", "halved every 2.33 steps")
    assert_says(
        lines["path"], "25 steps back", "10^-3.1", "10^-6.4", "make the norm 3.3 decades larger"
    )
    assert_says(lines["path"], "the indirect share is 0.45, mostly through g.")
    assert_says(
        lines["stability"], "over these 100 steps nearby states converge: the largest finite"
    )
    assert_says(
        lines["stability"], "-0.308 per step. In the long run it is -0.29 ± 0.003: they conv"
    )
    assert_says(lines["stability"], "U_g is scaled to a spectral radius of 2;", "is 1, 0.5 times")


def test_what_an_lstm_needs():
    """σ(2.63)⁹⁹ = 10⁻³ and σ(4.59)⁹⁹ = 1/e; the critical gain is (1 − σ(2.63))/¼, or 2 tied."""
    assert sigmoid(2.63) ** 99 == pytest.approx(1e-3, rel=0.05)
    assert sigmoid(4.59) ** 99 == pytest.approx(math.exp(-1), rel=0.01)
    assert sigmoid(-2.6274) / 0.25 == pytest.approx(0.2696, rel=1e-3)
    line = said()["to reach 99"]
    assert_says(line, "b_f = 2.63", "10⁻³", "4.59", "1/e", "0.27 with b_i = 0", "2 with the tie")


FAR = {"reach": 99, "at": 99}
EXPLODES = "it reaches that far, but it explodes. Against this, "


@pytest.mark.parametrize(
    ("row", "reach", "remedy"),
    [
        (
            {"log10_at": -0.5, "decay": -0.005, "half_life": 60.2},
            ["0.32. It shrinks, but has not vanish", "halved every 60.2 steps."],
            "nothing needs to change.",
        ),
        (
            {"log10_at": 3.0, "decay": 0.03},
            ["10^3.0. It grows × 1.07 a step."],
            "nothing needs to change.",
        ),
        ({"log10_at": 3.0, "decay": -0.03}, ["10^3.0. It grows."], "nothing needs to change."),
        (
            {"log10_at": -1.0, "decay": 0.03},
            ["0.1. It shrinks, but has not vanished."],
            "nothing needs to change.",
        ),
        (
            {"log10_at": -1.0, "decay": nan},
            ["0.1. It shrinks, but has not vanished."],
            "nothing needs to change.",
        ),
        ({"log10_at": 0.0, "decay": 0.0}, ["1. It keeps its size."], "nothing needs to change."),
        (
            {"log10_at": 4.0, "decay": -0.1},
            ["10^4.0. It explodes."],
            f"{EXPLODES}tie the input gate (b_i = −b_f), lower b_f, or scale U_g down.",
        ),
        (
            {"log10_at": 3.1, "decay": 0.031},
            ["10^3.1. It explodes: it grows × 1.07 a step."],
            f"{EXPLODES}tie the input gate (b_i = −b_f), lower b_f, or scale U_g down.",
        ),
    ],
)
def test_a_gradient_that_reaches_the_first_step(row, reach, remedy):
    lines = said(FAR | row)
    assert_says(lines["reach"], "all 99 steps back, where ‖∂c_T/∂c_t‖ is ", *reach)
    assert lines["to reach 99"] == remedy


@pytest.mark.parametrize(
    ("row", "remedy"),
    [
        (
            {"log10_at": -0.5, "decay": -0.005},
            "at this pace the gradient would reach that far; measure",
        ),
        (
            {"log10_at": 4.0, "decay": 0.04},
            "it explodes before that. Against this, tie the input gate",
        ),
        ({"log10_at": -2.9, "decay": -0.03}, "falls below 10⁻³ after 100 steps; with b_f = 4.28"),
    ],
)
def test_a_wish_beyond_the_data(row, remedy):
    assert_says(said(FAR | row, wanted=500)["to reach 500"], remedy)


@pytest.mark.parametrize(
    ("direct", "path"),
    [
        (-0.81, "The indirect paths make the norm 0.3 decades larger. In one step"),
        (
            -0.79,
            "agree within a factor of 2, so the direct path carries the gradient. In one step the "
            "indirect share is 0.45, mostly through g.",
        ),
        (-0.21, "so the direct path carries the gradient."),
        (-0.19, "The indirect paths make the norm 0.3 decades smaller."),
    ],
)
def test_who_carries_it(direct, path):
    assert (
        path
        in said(
            FAR | {"log10_at": -0.5, "log10_direct_at": direct, "log10_excess_at": -0.5 - direct}
        )["path"]
    )


@pytest.mark.parametrize(
    ("exponent", "verb"),
    [
        (-0.0031, "they converge."),
        (0.0031, "they diverge."),
        (0.0029, "not clearly different from 0."),
    ],
)
def test_what_the_state_does_in_the_long_run(exponent, verb):
    long_run = f"In the long run it is {exponent:+.3g} ± 0.003: {verb}"
    assert long_run in said(top_asymptotic=exponent)["stability"]


def test_a_long_run_that_is_not_settled_is_not_told():
    line = said(top_exponent=0.03, top_asymptotic=nan, top_asymptotic_error=nan)["stability"]
    assert_says(
        line, "nearby states diverge: the largest finite-time Lyapunov exponent is +0.03 per"
    )
    assert_says(line, "This is too short to tell the exponent in the long run.")


def test_other_stabilities():
    line = said(kernel_radius=1.5, critical_factor=1 / 3)["stability"]
    assert line.endswith("to a spectral radius of 0.5; its radius here is 1.5, 3 times as large.")
    assert "is stable however large U_g is." in said(critical_factor=inf)["stability"]
    assert said(top_exponent=-inf)["stability"].startswith("within these steps every difference")


def test_a_gru():
    lines = said(cell="gru", quantity="h", strongest="n", kernel="U_hn")
    assert "‖∂h_T/∂h_t‖ is below" in lines["reach"]
    assert "U_hn is scaled to a spectral radius of" in lines["stability"]
    assert_says(lines["to reach 99"], "b_z = 2.63", "10⁻³", "4.59", "1/e", "A GRU ties its gates")
    exploding = said(FAR | {"cell": "gru", "log10_at": 4.0, "decay": 0.04})["to reach 99"]
    assert "raise the update bias b_z" in exploding


def test_a_vanilla_rnn():
    row = {
        "cell": "rnn",
        "quantity": "h",
        "strongest": "h",
        "log10_direct_at": nan,
        "has_direct": False,
    }
    lines = said(row)
    assert_says(lines["path"], "there is no direct path", "U_h")
    assert math.log10(1.35) == pytest.approx(0.129, abs=2e-3)
    assert (
        "A recurrent kernel about 1.35 times as large would cancel the mean" in lines["to reach 99"]
    )
    assert "kernel" not in said(row, decay=0.1)["to reach 99"]
    exploding = said(FAR | row | {"log10_at": 4.0, "decay": 0.04})["to reach 99"]
    assert exploding == f"{EXPLODES}scale U_h down."


def test_a_cell_of_ones_own_has_no_critical_radius():
    lines = said(cell="own", kernel="", kernel_radius=nan, critical_factor=nan)
    assert lines["stability"].endswith("they converge.")
    assert lines["to reach 99"] == "no formula is known for a cell of your own."


def test_of_several_seeds_the_one_whose_reach_is_in_the_middle():
    rows = [{"reach": reach, "at": reach + 1, "log10_at": -3 - reach / 100} for reach in (9, 20, 4)]
    lines = said(*rows)
    assert lines["head"] == "b_f = 0 (100 time steps, the middle one of 3 seeds)"
    assert lines["reach"].startswith("the gradient reaches 9 steps back.")
    assert lines["reach"].endswith("(The reach of all seeds is from 4 to 20 steps.)")
    assert lines["path"].startswith("10 steps back the norm is 10^-3.1 along all")


def test_numbers_and_words_agree():
    assert (
        "all 4 steps back, where ‖∂c_T/∂c_t‖ is 10^-2.0"
        in said(numbers([0, -0.5, -1, -1.5, -2], 1))["reach"]
    )
    assert "explodes" in said(numbers([0, 2, 4, 6], 1))["reach"]
    comes_back = said(numbers([0, -4, 1, 2], 3))["reach"]
    assert comes_back.endswith("below 10⁻³, but still farther back it rises again, up to 10^2.0.")
    assert (
        "the norm is 0 along all paths"
        in said(numbers([0, -1, -inf], 2, direct=[0, -1, -2]))["path"]
    )


SATURATED = {"saturated": 0.97, "saturated_at_zero": 0.01, "largest_input": 999.0}


@pytest.mark.parametrize(
    ("row", "line", "expected", "never"),
    [
        # Nothing declares a direct path, or it reads zero: two different things.
        ({"has_direct": False, "cell": "own"}, "path", "declares no direct path: every", "decades"),
        ({"log10_direct_at": -inf, "direct_zeros_at": 4, "log10_excess_at": nan}, "path",
         "0 (or too small for a float) along the direct path alone.", "declares"),
        ({"log10_at": -inf, "zeros_at": 4, "log10_excess_at": nan}, "path",
         "the norm is 0 along all paths together, and", "examples"),
        ({"log10_at": -inf, "zeros_at": 4, "log10_later": -inf}, "reach",
         "‖∂c_T/∂c_t‖ is 0. The gradient vanishes", "10⁻³"),
        # A part of the examples reads zero: differences are over the others.
        ({"zeros_at": 1, "log10_excess_at": 1.0}, "reach", "in 3 of 4 examples and 0 in the others",
         "all 4"),
        ({"direct_zeros_at": 3, "log10_excess_at": 1.0}, "path",
         "alone in 1 of 4 examples and 0 in the others. The indirect paths make the norm 1.0 "
         "decades larger where neither is 0.", "3.3"),
        ({"zeros_at": 2, "log10_excess_at": nan}, "path", "in 2 of 4 examples", "decades"),
        # A factor of 0 divides nothing.
        ({"critical_factor": 0.0}, "stability", "with any U_g, however small.", "times as"),
        ({"critical_factor": 1e-42}, "stability", "with any U_g, however small.", "times as"),
        # What is not a number is not called one.
        ({"log10_at": nan, "log10_excess_at": nan}, "reach", "is not a number.", "nan"),
        ({"log10_at": nan, "log10_excess_at": nan}, "path", "the norm is unknown along all", "nan"),
        ({"decay": nan, "half_life": nan}, "reach", "The gradient vanishes.", "halved"),
        ({"indirect_share": nan}, "path", "3.3 decades larger.", "nan"),
        ({"strongest": "other"}, "path", "mostly along paths outside the gates.", "other"),
        ({"strongest": ""}, "path", "share is 0.45.", "through"),
        ({"strongest": "", "has_direct": False, "cell": "own"}, "path", "indirect.", "through"),
        ({"indirect_share": 0.0, "log10_excess_at": 0.0}, "path",
         "In one step there is no indirect part.", "0."),
        # One step, one example.
        (FAR | {"steps": 1, "reach": 0, "at": 0, "log10_at": 0.0, "decay": nan}, "reach",
         "there is only one time step", "gradient"),
        (FAR | {"steps": 1, "reach": 0, "at": 0, "log10_at": 0.0, "decay": nan}, "to reach 99",
         "inputs of one time step cannot tell.", "pace"),
        (FAR | {"steps": 2, "reach": 1, "at": 1, "log10_at": -0.5}, "reach", "1 step back", "all"),
        ({"examples": 1}, "reach", "below 10⁻³. The", "examples"),
        # Growth is no half-life.
        (FAR | {"log10_at": 2.0, "decay": 0.0128, "half_life": inf}, "reach", "× 1.03 a step", "∞"),
        (FAR | {"log10_at": inf, "decay": nan, "log10_excess_at": nan}, "reach",
         "is ∞. It explodes.", "doubled"),
        # A kernel that would have to be 10^400 times as large.
        ({"cell": "rnn", "decay": -400.0}, "to reach 99", "about 10^400 times as large", "inf"),
        # Saturated by inputs, and by biases.
        (SATURATED, "inputs", "97% of the gates' values", "outputs"),
        (SATURATED | {"has_gates": False}, "inputs", "outputs' values", "gates"),
        (SATURATED, "to reach 99", "scale the inputs first. Then: with b_f", "pace"),
    ],
)  # fmt: skip
def test_sentences_at_the_extremes(row, line, expected, never):
    lines = said(row)
    assert expected in lines[line]
    assert never not in lines[line]
    for name, text in lines.items():
        one = "" if name == "stability" else r"|\b1 (time )?steps\b"
        assert not re.search(rf"\bnan\b|\binf\b{one}", text)


def test_what_saturates_is_said_first_and_only_where_inputs_do_it():
    assert list(said(SATURATED))[:2] == ["head", "inputs"]
    assert "inputs" not in said(SATURATED | {"saturated_at_zero": 0.9})
