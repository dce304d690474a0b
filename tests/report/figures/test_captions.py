"""Each figure that is written has its caption beside it, and no other."""

import matplotlib.pyplot as plt
import pandas as pd
import pytest
from made_up import settings, summary, write
from made_up_jacobians import eigenvalues, jacobians, lyapunov, runs

from rnnlab.config.model import load_config
from rnnlab.report.figures.at_ends import jacobian_figures
from rnnlab.report.figures.captions import caption, caption_of, captions_text, read_captions
from rnnlab.report.findings import Findings, standard_findings, write_findings
from rnnlab.results.read import load
from rnnlab.support.bundled import config_names, folder
from rnnlab.support.plugins import load_analysis

NAMES = [name for name in config_names() if load_config(name)[0].analysis is not None]


@pytest.fixture(autouse=True)
def _close():
    yield
    plt.close("all")


@pytest.fixture
def found(tmp_path):
    write(tmp_path / "made_up", [(settings(forget_bias=0.0), 0, "finished", summary())])
    return standard_findings(load(tmp_path / "made_up"))


def test_each_standard_figure_has_a_caption_of_its_own(found):
    names = {
        *found.figures,
        *jacobian_figures(jacobians(), lyapunov(), eigenvalues(), runs()).figures,
    }
    texts = {name: caption(name) for name in names}
    for name, text in texts.items():
        assert text.endswith("."), name
        assert text.count(". ") <= 4
    for one, other in (
        ("heatmap_c", "heatmap_c_size"),
        ("jacobian_paths", "jacobian_paths_trained"),
        ("eigenvalues", "eigenvalues_trained"),
    ):
        assert texts[one] != texts[other]
    assert caption("gate_keep") == caption("forget_gate")
    assert caption("of_the_user") == ""


def test_captions_of_what_is_written_stand_beside_it(found, tmp_path):
    fig = plt.figure()
    fig.savefig = lambda path: 1 / 0
    findings = Findings(
        found.table,
        found.figures | {"mine": plt.figure(), "bare": plt.figure(), "fails": fig},
        captions={"mine": "What I\ndraw.", "fails": "Never seen."},
    )
    written = write_findings(findings, tmp_path / "out", tell=lambda text: None)
    path = tmp_path / "out/figures/CAPTIONS.md"
    assert path in written
    title, *paragraphs = path.read_text(encoding="utf-8").strip().split("\n\n")
    assert title == "# Captions"
    files = [file.name for file in written if file.suffix == ".png"]
    assert [text.split("**")[1].strip("`") for text in paragraphs] == files
    assert "**`mine.png`** What I draw." in paragraphs
    assert "**`bare.png`**" in paragraphs
    assert "Never seen" not in path.read_text(encoding="utf-8")


def test_nothing_drawn_has_no_captions(tmp_path):
    write_findings(Findings(pd.DataFrame()), tmp_path)
    assert not (tmp_path / "figures/CAPTIONS.md").exists()


def test_a_caption_is_the_docstring_up_to_the_arguments():
    def draw(x):
        """One ``sentence``.

        Of two
        lines.

        Args:
            x: no.
        """

    assert caption_of(draw) == "One `sentence`. Of two lines."
    assert captions_text([], {}) == "# Captions\n"


def test_captions_are_read_as_they_were_written():
    own = {"mine": "What **I** draw, `x`.", "bare": ""}
    text = captions_text(["mine.png", "bare.png", "lyapunov.png"], own)
    found = read_captions(text)
    assert found == {"mine.png": own["mine"], "bare.png": "", "lyapunov.png": caption("lyapunov")}
    assert read_captions("# Captions\n") == {}


@pytest.mark.parametrize("name", sorted({load_config(name)[0].analysis for name in NAMES}))
def test_the_functions_that_draw_claims_say_what_they_draw(name):
    measure = load_analysis(name, "analysis", folder("configs")).measure
    own = measure.__globals__
    draws = [own[draw] for draw in SHARED if draw in own] or [own["figure"]]
    for draw in draws:
        text = caption_of(draw)
        assert text.endswith(".")
        assert any(word in text for word in ("mark", "Mark", "line", "Line", "column")), text


SHARED = (
    "curves_and_published",
    "against_forget_bias",
    "paths_and_learning",
    "decay_by_place",
    "left_by_layers_and_length",
    "norms_by_control",
)
