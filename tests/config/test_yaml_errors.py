"""What is said of a file that is no config: one sentence with file, line, and what to do."""

import pytest

from rnnlab.config.sweep import load_experiment
from rnnlab.support.errors import UserError

QUOTES = "a text with ': ' in it needs quotes"


@pytest.mark.parametrize(
    ("text", "start", "ends"),
    [
        ("task:\n\tkind: adding", "line 2 ('kind: adding')", "indent with spaces, not with tabs"),
        ("task: {kind: adding\ncell: 3", "line 2 ('cell: 3')", "bracket is not closed, or a comma"),
        ("a: 1\nquestion: Why: so?\n", "line 2 ('question: Why: so?')", QUOTES),
        ("a: 1\nquestion: 'Why?\nb: 3", "line 3 ('b: 3')", "a quote is not closed"),
        ("a:\n  - 1\n b: 2", "line 3 ('b: 2')", "keys of one level need the same indentation"),
        ("a: 1\nquestion: @me", "line 2 ('question: @me')", "such a character needs quotes"),
        ("a: 1\nb: *c", "line 2 ('b: *c')", "*name refers to an &name before it"),
        ("a: 1\nb: 2\na: 3", "line 3 ('a: 3')", "duplicate key 'a'"),
        ("a: 1\nb: \x00", "line 2", "the character '\\x00' is not allowed"),
    ],
)
def test_a_mistake_in_a_config(tmp_path, text, start, ends):
    path = tmp_path / "my.yaml"
    path.write_text(text)
    message = told(path)
    assert message.startswith(f"{path}, {start}")
    assert ends in message
    assert not any(word in message for word in ("<block", "<unicode", "column"))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("README.md", b"# Title\n\nA tool: it **shows** `where: gradients` go\n\n**Bold** text"),
        ("page.md", b"# Title\n\n**Bold**: text\nmore"),
        ("setup.py", b'"""Sets up."""\nimport os\n'),
        ("figure.png", b"\x89PNG\r\n\x1a\n"),
        ("notes.txt", b"only words"),
        ("empty.yaml", b""),
    ],
)
def test_what_is_no_config_at_all(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content)
    message = told(path)
    assert message.startswith(str(path))
    assert message.endswith("a config holds keys and values, such as 'task: {kind: adding}'")


def test_an_override_has_no_lines(tmp_path):
    path = tmp_path / "my.yaml"
    path.write_text("task: {kind: adding}\ncell: {kind: rnn}")
    message = told(path, ["sweep.cell.hidden=[1, 2"])
    assert message.startswith("override 'sweep.cell.hidden=[1, 2': not readable as YAML")
    assert message.endswith("a bracket is not closed, or a comma is missing")


def told(path, overrides=()):
    """The message, which is one line and not long."""
    with pytest.raises(UserError) as error:
        load_experiment(path, overrides)
    message = str(error.value)
    assert len(message.splitlines()) == 1
    assert len(message.removeprefix(str(path))) < 300
    return message
