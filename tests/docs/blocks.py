"""The code blocks of the pages, and what it takes to run them quickly."""

import re
from pathlib import Path
from textwrap import dedent
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    path.relative_to(ROOT).as_posix()
    for path in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md"))
    if path.exists()
)
FENCE = re.compile(
    r"^ *(`{3,}|:{3,}) *(\{?[\w-]*\}?)([^\n]*)\n(.*?)^ *\1 *$", re.MULTILINE | re.DOTALL
)
# A page says so, in the paragraph before a block, where no test can run it.
NOT_RUN = re.compile(r"not run by rnnlab's tests,? (?:which|since|as|because) \w+")
RUN = ("python", "yaml", "bash")
# Output, and what Sphinx or the notebook itself makes of a block.
SHOWN = ("", "text", "{code-cell}", "{toctree}", "{include}", "{generated}", "{eval-rst}")


class Block(NamedTuple):
    """A fenced block: its language, its text, whether the page says that no test runs it."""

    language: str
    text: str
    is_left_out: bool

    @property
    def file(self) -> str | None:
        """The file that the block is, if its first line is a comment with a name."""
        named = re.match(r"# (\S+\.(?:py|ya?ml))(?=\n|$)", self.text)
        return named[1] if named else None


def blocks_of(page: str) -> list[Block]:
    """All blocks of a page, in order."""
    text = (ROOT / page).read_text(encoding="utf-8")
    found = []
    for fence in FENCE.finditer(text):
        before = text[: fence.start()].rstrip().rpartition("\n\n")[2]
        left_out = NOT_RUN.search(" ".join(before.split())) is not None
        found.append(Block(fence[2], dedent(fence[4]), left_out))
    return found
