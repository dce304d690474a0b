"""Turns errors of YAML into a sentence with the file, the line, and what to do."""

import yaml

EXAMPLE = "a config holds keys and values, such as 'task: {kind: adding}'"
LONGEST_LINE = 80
# What to do, by a part of the parser's words; the first that fits.
REMEDIES = {
    r"'\t' that cannot start": "indent with spaces, not with tabs",
    "that cannot start any token": "a text that begins with such a character needs quotes",
    "mapping values are not allowed": "a text with ': ' in it needs quotes, and keys of one level "
    "the same indentation",
    "could not find expected ':'": "a key needs ': ' behind it",
    "found unexpected end of stream": "a quote is not closed",
    "expected ',' or": "a bracket is not closed, or a comma is missing",
    "expected the node content": "a bracket is not closed",
    "expected <block end>": "keys of one level need the same indentation",
    "expected the event": "keys of one level need the same indentation",
    "undefined alias": "*name refers to an &name before it; a text that begins with * needs quotes",
    "expected alphabetic": "a text that begins with * or & needs quotes",
}


def explain_yaml(error: Exception, text: str, source: str) -> str:
    """The error message, one sentence.

    Args:
        error: of PyYAML, or of making values.
        text: that was read.
        source: the file, or the override, for the message.
    """
    problem, at = (str(error).splitlines() or [type(error).__name__])[0], None
    if isinstance(error, yaml.MarkedYAMLError):
        problem = str(error.problem)
        at = None if error.problem_mark is None else error.problem_mark.line
    elif isinstance(error, yaml.reader.ReaderError):
        problem = f"the character {chr(error.character)!r} is not allowed"
        at = text[: error.position].count("\n")
    remedy = next((todo for part, todo in REMEDIES.items() if part in problem), "")
    lines = text.splitlines()
    place = source
    if at is not None and len(lines) > 1:
        line = lines[min(at, len(lines) - 1)].strip()
        shown = line if len(line) <= LONGEST_LINE else f"{line[:LONGEST_LINE]}…"
        place = f"{source}, line {at + 1} ({shown!r})"
        remedy = remedy if source.endswith((".yaml", ".yml")) else EXAMPLE
    is_jargon = "<" in problem and remedy
    said = remedy if is_jargon else "; ".join(filter(None, [problem, remedy]))
    return f"{place}: not readable as YAML: {said}"
