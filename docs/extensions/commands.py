"""Every command with its arguments and options, from the command line itself."""

import re
from typing import Any

import typer

from extensions.tables import code, table
from rnnlab.cli import app


def markdown() -> str:
    """A section for each command."""
    group = typer.main.get_group(app)
    return "\n\n".join(section(name, command) for name, command in group.commands.items())


def section(name: str, command: Any) -> str:
    """Usage, what it does, arguments, options."""
    arguments = [own for own in command.params if own.param_type_name == "argument"]
    options = [own for own in command.params if own.param_type_name == "option"]
    usage = " ".join([f"rnnlab {name}", *(f"[{o}]" for o in ["OPTIONS"] if options)])
    usage = " ".join([usage, *map(written, arguments)])
    parts = [f"## {name}", f"```text\n{usage}\n```", plain(command.help)]
    if arguments:
        rows = [(code(written(own)), plain(own.help)) for own in arguments]
        parts.append(table(("argument", "meaning"), rows))
    if options:
        parts.append(table(("option", "meaning"), [(flags(own), help_of(own)) for own in options]))
    return "\n\n".join(parts)


def plain(text: str) -> str:
    """A help text, whose <name> is no HTML, and whose --option is code."""
    text = re.sub(r"(?<![\w`-])--\w[\w-]*", r"`\g<0>`", text)
    return text.replace("<", "&lt;").replace("|", "\\|")


def written(argument: Any) -> str:
    """An argument, as it stands in the usage."""
    return argument.metavar or argument.name.upper()


def flags(option: Any) -> str:
    """An option's names and what follows them."""
    names = ", ".join(map(code, (*option.opts, *option.secondary_opts)))
    if option.is_flag:
        return names
    return f"{names} {code(option.metavar or option.name.upper().replace('_', ' '))}"


def help_of(option: Any) -> str:
    """What an option does, and its default where it says one."""
    has_default = option.default is not None and not option.is_flag
    return plain(option.help) + (f" Default {code(str(option.default))}." if has_default else "")
