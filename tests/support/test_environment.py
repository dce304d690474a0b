"""What is recorded of the machine."""

from pathlib import Path

import pytest

from rnnlab.support import environment

ONE = "model\t\t: 1\nmodel name\t: AMD EPYC\ncpu family\t: 25\nstepping\t: 1\nflags\t\t: fpu\n\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [(2 * ONE, "AMD EPYC, cpu family 25, model 1, stepping 1"), ("processor\t: 0\n", "an arm")],
)
def test_the_processor_is_named_to_the_stepping(monkeypatch, text, expected):
    monkeypatch.setattr(Path, "read_text", lambda *_: text)
    monkeypatch.setattr(environment.platform, "processor", lambda: "an arm")
    assert environment._cpu() == expected
