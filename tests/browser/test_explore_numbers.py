"""The instrument's numbers are rnnlab's own, to 1e-6 decades, and its presets say what is true."""

import numpy as np
import pytest
from instrument_reference import DEFAULTS, SETTINGS, reference

from rnnlab.report.page.html import page_html
from rnnlab.report.page.instrument import instrument_data
from rnnlab.report.page.instrument_texts import PRESETS

pytestmark = pytest.mark.browser
DECADES = 1e-6
ROUNDING = 1e-12
MEASURE = """async (settings) => {
  const { measure } = await import("rnnlab/instrument.js");
  const { data } = await import("rnnlab/data.js");
  return measure(settings, data.explore);
}"""


@pytest.fixture(scope="module")
def numbers_page(tmp_path_factory):
    """A page with the numbers alone."""
    path = tmp_path_factory.mktemp("explore") / "numbers.html"
    data = {"explore": instrument_data()}
    path.write_text(page_html("x", "<main></main>", "instrument.js", data), encoding="utf-8")
    return path


def deviations(found, expected):
    """Greatest difference of each quantity, in decades of positive numbers, else as it is."""
    worst = {}
    for group in ("norms", "oneStep", "shares", "states", "gates"):
        assert found[group].keys() >= {k for k, v in expected[group].items() if v is not None}
        for name, own in found[group].items():
            wanted = expected[group].get(name)
            if wanted is None:
                assert all(value is None for value in own), name
                continue
            own, wanted = np.array(own, float), np.asarray(wanted, float)
            if group != "norms":
                # Less is a rounding error, as h_{t−1} − n_t of a GRU at rest; or zero, in both.
                is_rounding = wanted < ROUNDING
                assert np.all(own[is_rounding] < ROUNDING), name
                own, wanted = np.log10(own[~is_rounding]), np.log10(wanted[~is_rounding])
            worst[f"{group}.{name}"] = np.abs(own - wanted).max(initial=0.0)
    for name in ("lossOfStability", "criticalGain"):
        worst[name] = abs(np.log10(found[name] / expected[name]))
    ring = np.array([found["ring"][k] - getattr(expected["ring"], k) for k in ("centre", "radius")])
    worst["ring"] = np.abs(ring).max()
    worst["eigenvalues"] = _farthest(found["eigenvalues"], expected["eigenvalues"])
    return worst


def _farthest(found, expected):
    """The greatest distance from an eigenvalue to its partner, each taken once."""
    own = list(np.array(found["real"]) + 1j * np.array(found["imag"]))
    assert len(own) == len(expected)
    return max(abs(own.pop(int(np.argmin(np.abs(np.array(own) - e)))) - e) for e in expected)


@pytest.mark.parametrize("changes", SETTINGS, ids=str)
def test_numbers_are_those_of_rnnlab(numbers_page, open_page, changes):
    page = open_page(numbers_page)
    found = page.evaluate(MEASURE, DEFAULTS | changes)
    worst = deviations(found, reference(changes))
    assert len(worst) >= 9
    assert max(worst.values()) < DECADES, worst


@pytest.mark.parametrize("sequence", ["adding", "copy"])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_presets_say_what_is_true(seed, sequence):
    """The words of each preset, by numbers of rnnlab, for every seed and sequence shipped."""
    left, gate, norm = {}, {}, {}
    for name, changes, _ in PRESETS:
        found = reference(changes | {"seed": seed, "sequence": sequence})
        left[name] = found["norms"]["total"][0]
        gate[name] = None if found["norms"]["direct"] is None else found["norms"]["direct"][0]
        norm[name] = found["oneStep"]["total"][1:].mean()
    assert left["b_f = 0 dies"] < -10
    assert -3 < left["b_f = 1 fades"] < -1
    assert gate["b_f = 1 fades"] < left["b_f = 1 fades"] - 4
    assert left["b_f = 5 alone grows"] > 2
    assert norm["b_f = 5 alone grows"] > 1.1
    assert gate["b_f = 5 alone grows"] < 0
    assert abs(left["tied is neutral"]) < 0.2
    assert abs(norm["tied is neutral"] - 1) < 0.01
    lower, higher = (
        reference({"cell": "RNN", "gain": gain, "seed": seed, "sequence": sequence})["norms"]
        for gain in (1.0, 1.4)
    )
    assert lower["total"][0] < -2
    assert -0.2 < left["the RNN on the edge"] < 1.1
    assert higher["total"][0] > 1.5
