"""How Sphinx builds the site: make docs."""

import os
import sys
from pathlib import Path

import rnnlab

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "docs"))  # for extensions/
os.environ.setdefault("PYTHONPATH", str(ROOT))  # for notebooks of a checkout

PAGES = ROOT / "build" / "pages"  # which extensions.whole_pages writes
PAGES.mkdir(parents=True, exist_ok=True)

project = "rnnlab"
author = "The rnnlab authors"
copyright = f"{author}. Apache License 2.0"
version = release = rnnlab.__version__

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "extensions.docstrings",
    "extensions.formulas",
    "extensions.generated",
    "extensions.notebook_cells",
    "extensions.repository_links",
    "extensions.subscripts",
    "extensions.whole_figures",
    "extensions.whole_pages",
]
exclude_patterns = ["findings_head.md", "findings_foot.md", "extensions"]
nitpicky = False

html_theme = "sphinx_book_theme"
html_title = "rnnlab"
html_static_path = ["static"]
html_extra_path = [str(PAGES)]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sourcelink = False
html_math_renderer = "mathml"
html_theme_options = {
    "home_page_in_toc": True,
    "show_toc_level": 2,
    "use_download_button": False,
    "use_fullscreen_button": False,
    "navbar_persistent": [],
    "navbar_end": [],
}

myst_enable_extensions = ["dollarmath", "colon_fence"]
myst_heading_anchors = 3
myst_links_external_new_tab = False

nb_execution_mode = "cache"
nb_execution_cache_path = str(ROOT / "build" / "notebooks")
nb_execution_timeout = 600
nb_execution_in_temp = True
nb_execution_raise_on_error = True
nb_merge_streams = True

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_custom_sections = [("Attributes", "params_style")]
napoleon_attr_annotations = False
