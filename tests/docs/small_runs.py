"""Runs that a page asks for, made so small that a test can do them."""

from collections.abc import Mapping

from rnnlab.support.bundled import config_names

# The most that a test does of each, whatever a page says.
OF_ALL = {"training.steps": 20, "seeds": 1}
# What it does where the page says nothing.
OF_BUNDLED = {
    **OF_ALL,
    "cell.hidden": 4,
    "record.every": 10,
    "task.length": 20,
    "before_training.seeds": 1,
}


def limits(source):
    """The limits of a config, bundled or of the page's own."""
    return OF_BUNDLED if str(source) in config_names() else OF_ALL


def small(source, overrides):
    """Overrides as a mapping: those of a page, with few steps and seeds, and what is missing."""
    if not isinstance(overrides, Mapping):
        overrides = dict(text.split("=", 1) for text in overrides)
    given = {
        key: least(value, OF_ALL[key]) if key in OF_ALL else value
        for key, value in overrides.items()
    }
    return limits(source) | given


def least(value, most):
    """The value, or the limit if that is less."""
    return min(int(value), most) if str(value).isdigit() else value
