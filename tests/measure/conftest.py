"""Fixtures of the tests of measurements."""

import pytest


@pytest.fixture
def without_figures(monkeypatch):
    monkeypatch.setattr("rnnlab.report.survey_files.jacobian_figures", lambda **tables: {})
