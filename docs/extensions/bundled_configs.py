"""The configs that rnnlab brings, each with its question and its text."""

from rnnlab.config.model import load_config
from rnnlab.support.bundled import config_names, find_config


def markdown() -> str:
    """A section each."""
    return "\n\n".join(map(section, config_names()))


def section(name: str) -> str:
    """Name, question, command and file."""
    question = load_config(name)[0].question
    text = find_config(name).read_text(encoding="utf-8")
    return f"## {name}\n\n{question} `rnnlab run {name}`\n\n```yaml\n{text}```"
