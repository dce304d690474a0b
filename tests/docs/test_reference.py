"""The reference names everything, and symbols of the pages keep their indices."""

import re

import typer
from docs.blocks import PAGES, ROOT
from extensions import commands, config_keys
from markdown_it import MarkdownIt

import rnnlab
from rnnlab.cli import app

MODULES = ("figures", "theory")


def test_the_api_has_every_public_name():
    pages = (ROOT / "docs" / "reference" / "api").glob("*.md")
    text = "\n".join(path.read_text(encoding="utf-8") for path in pages)
    named = re.findall(r"^\.\. auto\w+:: rnnlab\.([\w.]+)$", text, re.MULTILINE)
    inside = {f"{name}.{own}" for name in MODULES for own in getattr(rnnlab, name).__all__}
    assert sorted(named) == sorted({*rnnlab.__all__, *inside} - {*MODULES, "__version__"})


def test_every_command_and_option_is_described():
    text = commands.markdown()
    for name, command in typer.main.get_group(app).commands.items():
        section = text.partition(f"## {name}\n")[2].partition("\n## ")[0]
        for option in command.params:
            for flag in option.opts if option.param_type_name == "option" else ():
                assert f"`{flag}`" in section, (name, flag)
                assert option.help


def test_every_key_has_a_row():
    rows = re.findall(r"^\| `(\w+)` \|", config_keys.markdown(), re.MULTILINE)
    assert {"forget_bias", "clip_norm", "before_training", "initial_mean", "threshold"} <= set(rows)
    assert len(rows) > 60


def test_an_index_is_no_emphasis():
    """∂(h, c)_t/∂(h, c)_k would lose its underscores; emphasis is written with asterisks."""
    reader = MarkdownIt().enable("table")
    wrong = [
        (page, token.content)
        for page in PAGES
        for token in reader.parse((ROOT / page).read_text(encoding="utf-8"))
        for inner in token.children or ()
        if inner.type in ("em_open", "strong_open") and "_" in inner.markup
    ]
    assert wrong == []
