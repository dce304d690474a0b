"""Fixtures of the tests of measurements."""

import pytest

from rnnlab.report.figures.standard import Drawn


@pytest.fixture
def without_figures(monkeypatch):
    draw_none = "rnnlab.report.survey_files.jacobian_figures"
    monkeypatch.setattr(draw_none, lambda **tables: Drawn({}, {}))
