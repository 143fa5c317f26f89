"""Settings of the documentation site, built by `nox -s docs`."""

import re
from typing import Any

from sphinx.application import Sphinx

project = "treeview and modeldata"
author = "The treeview and modeldata authors"
project_copyright = author

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["_build"]
myst_heading_anchors = 2

autodoc_default_options = {"members": True}
autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
# Fields are described in the docstring of their class.
napoleon_use_ivar = True

html_theme = "furo"
html_title = "treeview and modeldata"


def mark_code(*event: Any) -> None:
    """Turn code, as docstrings have it, into that of reST.

    Docstrings put code in single backticks, and indent a block of code after a colon.
    """
    lines: list[str] = event[-1]
    text = "\n".join(lines)
    # A literal of reST may not begin or end with a space, so those of `# ` are dropped.
    text = re.sub(r"(?<![`:\\])`\s*([^`]+?)\s*`(?![`_])", r"``\1``", text)
    text = re.sub(r"^( *)(\S.*[^:]):\n\n(?=\1    \S)", r"\1\2::\n\n", text, flags=re.MULTILINE)
    lines[:] = text.split("\n")


def setup(app: Sphinx) -> None:
    """Connect the handler, before napoleon reads the sections."""
    app.connect("autodoc-process-docstring", mark_code, priority=100)
