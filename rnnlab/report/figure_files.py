"""Writing figures, and their captions beside them."""

from collections.abc import Callable, Mapping
from pathlib import Path

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from rnnlab.report.figures.captions import captions_text
from rnnlab.report.figures.standard import first_line
from rnnlab.report.figures.style import own_style
from rnnlab.support.files import replacing, write_text

CAPTIONS = "CAPTIONS.md"


def write_figures(
    figures: Mapping[str, Figure],
    captions: Mapping[str, str],
    folder: Path,
    file_format: str,
    tell: Callable[[str], None],
) -> list[Path]:
    """Write the figures that can be drawn, and the captions of these; close all.

    Args:
        figures: by file name without its ending.
        captions: of those that are not standard figures, likewise.
        folder: which exists.
        file_format: the ending.
        tell: called with a sentence for each figure that cannot be drawn.

    Returns:
        The files written.
    """
    written = []
    for name, figure in figures.items():
        path = folder / f"{name}.{file_format}"
        try:
            with replacing(path) as partial, own_style():
                figure.savefig(partial)
            written.append(path)
        except OSError:
            raise
        except Exception as error:  # of Matplotlib and of what the user has it call
            tell(f"{path}: not drawn: {first_line(error)}")
        finally:
            plt.close(figure)
    if not written:
        return []
    write_text(folder / CAPTIONS, captions_text([path.name for path in written], captions))
    return [*written, folder / CAPTIONS]
