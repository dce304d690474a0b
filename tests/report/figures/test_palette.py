"""Styles of settings: distinct in colour and in grey, ordered where the settings are."""

import itertools
import math

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgb

from rnnlab.report.figures.palette import CATEGORIES, DASHES, MARKERS, styles, styles_of

DEMO = [
    *(f"b_f = {bias}" for bias in (0, 1, 3, 5)),
    *("b_f = 3, b_i = −b_f", "b_f chrono to 100, b_i = −b_f"),
]
SWEEPS = [
    DEMO,
    ["RNN", "LSTM, b_f = 1", "LSTM, b_f = 3", "GRU, b_z = 0"],
    [f"{task}, b_f = {bias}" for task in ("adding", "copy", "digits") for bias in (0, 1, 3)],
    ["length = 50, b_f = 1", "length = 200, b_f = 1", "length = 1000, b_f = 1"],
    ["relu", "tanh", "RNN", "GRU", "own", "other"],
    ["RNN, orthogonal", "RNN, uniform", "LSTM, b_f = 1, orthogonal", "LSTM, b_f = 3, orthogonal"],
]
# Machado, Oliveira & Fernandes 2009, severity 1, of linear RGB.
BLIND = {
    "normal": np.eye(3),
    "protan": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "deutan": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
}


def lab(colour, seen="normal"):
    """CIE L*a*b* of a colour, white point D65."""
    rgb = np.array(to_rgb(colour))
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    linear = np.clip(BLIND[seen] @ linear, 0, 1)
    to_xyz = np.array(
        [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    )
    xyz = to_xyz @ linear / to_xyz.sum(axis=1)
    f = np.where(xyz > 216 / 24389, np.cbrt(xyz), (24389 / 27 * xyz + 16) / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def nearest(colours, seen="normal"):
    pairs = itertools.combinations(colours, 2)
    return min(float(np.linalg.norm(lab(a, seen) - lab(b, seen))) for a, b in pairs)


def test_lab_of_known_colours():
    assert lab("#ffffff") == pytest.approx([100, 0, 0], abs=0.05)
    assert lab("#ff0000") == pytest.approx([53.2, 80.1, 67.2], abs=0.1)


@pytest.mark.parametrize("ground", ["light", "dark"])
@pytest.mark.parametrize("labels", SWEEPS)
def test_colours_of_a_sweep_can_be_told_apart(labels, ground):
    """20 is about ten times what an eye just sees; with two kinds of cones lines have marks too."""
    found = styles_of(labels)
    colours = [getattr(style, ground) for style in found.values()]
    assert nearest(colours) > 20
    assert min(nearest(colours, seen) for seen in ("protan", "deutan")) > 8
    assert len({(style.dash, style.symbol) for style in found.values()}) == len(labels)


@pytest.mark.parametrize("ground", ["light", "dark"])
def test_two_families_of_six_and_two_settings_without_a_number_can_be_told_apart(ground):
    """The settings that the demo measures before training, in one figure and on one page."""
    ties = ("", ", b_i = −b_f")
    labels = [f"b_f = {bias}{tie}" for tie in ties for bias in range(6)]
    found = styles_of([*labels, *(f"b_f chrono to 100{tie}" for tie in ties)])
    colours = [getattr(style, ground) for style in found.values()]
    assert nearest(colours) > 15
    assert min(nearest(colours, seen) for seen in ("protan", "deutan")) > 6
    for tie in ties:
        lightness = [lab(getattr(found[f"b_f = {bias}{tie}"], ground))[0] for bias in range(6)]
        assert (np.diff(lightness) > 5).all()


def test_there_is_one_blue():
    assert min(nearest(ground) for ground in zip(*CATEGORIES, strict=True)) > 30


@pytest.mark.parametrize("many", [2, 4, 8])
def test_numbers_go_from_dark_to_light_in_their_order(many):
    """Also where the sweep does not list them in order; in equal steps that grey print shows."""
    numbers = np.random.default_rng(0).permutation(many)
    found = styles_of([f"b_f = {number}" for number in numbers])
    lightness = [lab(found[f"b_f = {number}"].light)[0] for number in range(many)]
    assert (np.diff(lightness) > 40 / many).all()
    assert [found[f"b_f = {number}"].order for number in range(many)] == list(range(many))


def test_ties_and_chrono_show():
    found = styles_of(DEMO)
    plain, tied, chrono = (found[label] for label in (DEMO[2], *DEMO[4:]))
    assert plain.symbol == tied.symbol
    assert plain.dash != tied.dash == chrono.dash
    assert chrono.light == "#000000"
    assert math.isnan(chrono.order)
    assert {found[label].dash for label in DEMO[:4]} == {"solid"}


def test_a_number_that_follows_from_another_makes_no_groups():
    found = styles_of([f"length = {t}, steps = {10 * t}" for t in (50, 100, 200)])
    assert {style.dash for style in found.values()} == {"solid"}
    free = styles_of(
        ["length = 50, steps = 1", "length = 50, steps = 2", "length = 100, steps = 2"]
    )
    assert len({style.dash for style in free.values()}) > 1


def test_twenty_settings_have_looks_of_their_own():
    labels = [f"gain = {gain}, b_f = {bias}" for gain in (0.5, 1) for bias in range(10)]
    looks = {(style.light, style.dash, style.symbol) for style in styles_of(labels).values()}
    assert len(looks) == 20


@pytest.mark.parametrize("labels", [[], ["LSTM"], ["b_f = nan", "b_f = inf"], ["a = 1", "b = 2"]])
def test_settings_without_an_order(labels):
    assert [style.index for style in styles_of(labels).values()] == list(range(len(labels)))
    assert all(math.isnan(style.order) for style in styles_of(labels).values())


def test_styles_of_runs_are_those_of_all_their_settings():
    labels = pd.Categorical(["b_f = 3"], categories=DEMO, ordered=True)
    found = styles(pd.DataFrame({"setting": labels}))
    assert found == styles_of(DEMO)
    assert list(found) == DEMO


def test_matplotlib_has_each_look():
    for style in styles_of(DEMO).values():
        assert style.line["linestyle"] == DASHES[style.dash]
        assert style.line["marker"] == MARKERS[style.symbol] == style.marker
        assert style.line["color"] == style.light
