"""What a page has room for."""

from hypothesis import given
from hypothesis import strategies as st

from rnnlab.report.page.thinning import RANGE, evenly, plan, stride

MANY = st.integers(1, 3000)


@given(st.integers(1, 10**6), st.integers(1, 1000), st.integers(1, 40), MANY, MANY)
def test_a_plan_keeps_to_the_room(room, settings, seeds, records, length):
    chosen = plan(room, settings, seeds, records, length)
    lines = seeds if chosen.each_seed else min(seeds, len(RANGE))
    steps = len({*range(0, records, chosen.stride), records - 1})
    numbers = chosen.settings * lines * steps * chosen.points
    assert 1 <= chosen.settings <= settings
    assert 1 <= chosen.points <= length
    assert numbers <= room or (chosen.settings == 1 and steps <= 5 and chosen.points <= 25)


@given(MANY, MANY)
def test_a_stride_keeps_so_many_places(many, most):
    found = stride(many, most)
    assert len({*range(0, many, found), many - 1}) <= max(most, 2)
    assert found == 1 or len({*range(0, many, found - 1), many - 1}) > most


@given(MANY, MANY)
def test_even_places_have_the_ends(many, most):
    places = evenly(many, most)
    assert len(places) == min(many, most)
    assert places == sorted(set(places))
    assert places[0] == 0
    assert places[-1] == many - 1 or most == 1


def test_what_is_left_out_first():
    assert plan(10**6, 6, 6, 101, 100) == (6, True, 1, 100)
    assert plan(6 * 6 * 100 * 51, 6, 6, 101, 100) == (6, True, 2, 100)
    assert plan(6 * 3 * 100 * 26, 6, 6, 101, 100) == (6, False, 4, 100)
    assert plan(6 * 3 * 25 * 6, 6, 6, 101, 100) == (6, False, 20, 25)
    assert plan(2 * 3 * 25 * 5, 6, 6, 101, 100) == (2, False, 25, 25)
