"""Outputs for marimo, which runs scripts only in a frame that knows nothing of what is in it."""

import sys
from typing import Any

from treeview._markup import read_static


def marimo_html(html: str) -> str:
    """A fragment as marimo shows it: with scripts, in a frame that fits and follows the theme.

    Args:
        html: A fragment.
    """
    marimo: Any = sys.modules.get("marimo")
    if marimo is None:
        return html
    clear = ".treeview.treeview{background:none}"
    if "<script" not in html:
        return f"<style>{clear}</style>{html}"
    start = f"<!doctype html><style>body{{margin:0}}{clear}</style>"
    page = f"{start}<script>{read_static('framed.js')}</script>{html}"
    return str(marimo.iframe(page).text)
