"""Settings of the documentation site, built by `nox -s docs`."""

import ast
import html
import os
import re
from typing import Any

from sphinx.application import Sphinx

# The gallery shows how arrays are spread over devices.
os.environ.setdefault("XLA_FLAGS", "--xla_force_host_platform_device_count=8")

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
html_static_path = ["_static"]
html_css_files = ["site.css"]
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


def show_outputs(app: Sphinx, page: str, source: list[str]) -> None:  # noqa: ARG001
    """Run the code of the gallery, and put each output below its code."""
    if page != "gallery":
        return
    namespace: dict[str, Any] = {"__name__": page}

    def with_output(block: re.Match[str]) -> str:
        output = run_block(block[1], namespace)
        return block[0] if output is None else f"{block[0]}\n``````{{raw}} html\n{output}\n``````\n"

    source[0] = re.sub(
        r"^```python\n(.*?)^```$", with_output, source[0], flags=re.MULTILINE | re.DOTALL
    )


def run_block(code: str, namespace: dict[str, Any]) -> str | None:
    """Run code as a cell of a notebook; its last expression as HTML, if it has such a form."""
    *before, last = ast.parse(code).body
    if not isinstance(last, ast.Expr):
        before, last = [*before, last], None
    exec(compile(ast.Module(before, []), "gallery.md", "exec"), namespace)  # noqa: S102
    if last is None:
        return None
    value = eval(compile(ast.Expression(last.value), "gallery.md", "eval"), namespace)  # noqa: S307
    if isinstance(value, str):
        return f'<pre class="gallery terminal">{terminal_html(value)}</pre>'
    return f'<div class="gallery">{value.html()}</div>' if hasattr(value, "html") else None


def terminal_html(text: str) -> str:
    """What a terminal shows of text with colours of 24 bits."""
    parts = []
    for piece in re.split(r"\x1b\[(?=[\d;]*m)", html.escape(text)):
        codes, _, shown = piece.partition("m") if parts else ("", "", piece)
        found = re.fullmatch(r"(?:0;)?38;2;(\d+;\d+;\d+)(?:;48;2;(\d+;\d+;\d+))?", codes)
        if found is None:
            parts.append(shown)
            continue
        ink, paper = (
            "none" if one is None else f"rgb({one.replace(';', ' ')})" for one in found.groups()
        )
        parts.append(f'<span style="color: {ink}; background: {paper}">{shown}</span>')
    return "".join(parts)


def setup(app: Sphinx) -> None:
    """Connect the handlers; that of docstrings before napoleon reads the sections."""
    app.connect("autodoc-process-docstring", mark_code, priority=100)
    app.connect("source-read", show_outputs)
