"""A directive for text that is made when the site is built, and so is never stale.

```{generated} commands
```

It is made from the code; that of ``tables NAME`` from the tables in results/reference/NAME.
"""

from collections.abc import Callable
from typing import ClassVar

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from extensions import bundled_configs, commands, config_keys, reports, result_tables

MAKERS: dict[str, Callable[..., str]] = {
    "commands": commands.markdown,
    "config_keys": config_keys.markdown,
    "configs": bundled_configs.markdown,
    "tables": result_tables.markdown,
    "report": reports.markdown,
    "reports": reports.listed,
}


class Generated(SphinxDirective):
    """Insert the Markdown that one of ``MAKERS`` gives."""

    required_arguments: ClassVar[int] = 1
    optional_arguments: ClassVar[int] = 1

    def run(self) -> list[nodes.Node]:
        """The text, parsed."""
        maker, *of = self.arguments
        return self.parse_text_to_nodes(MAKERS[maker](*of), allow_section_headings=True)


def setup(app: Sphinx) -> dict[str, bool]:
    """Tell Sphinx."""
    app.add_directive("generated", Generated)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
