"""What marimo is given: outputs with scripts in a frame, others as they are."""

import html
import sys
from types import SimpleNamespace

import numpy as np
import pytest

import treeview


@pytest.fixture
def marimo(monkeypatch):
    """marimo, as far as it makes frames."""

    def iframe(source):
        return SimpleNamespace(text=f'<iframe srcdoc="{html.escape(source)}"></iframe>')

    monkeypatch.setitem(sys.modules, "marimo", SimpleNamespace(iframe=iframe))


def test_without_marimo_it_is_the_usual_output(monkeypatch):
    monkeypatch.delitem(sys.modules, "marimo", raising=False)
    rendering = treeview.render_array(np.eye(3))
    kind, shown = rendering._mime_()
    assert kind == "text/html"
    assert shown.startswith('<div class="treeview"><style>')


@pytest.mark.usefixtures("marimo")
def test_a_small_tree_stands_in_the_page_and_lets_its_background_through():
    rendering = treeview.render([1, 2])
    assert rendering._mime_() == (
        "text/html",
        f"<style>.treeview.treeview{{background:none}}</style>{rendering.html()}",
    )


@pytest.mark.usefixtures("marimo")
def test_scripts_stand_in_a_frame_that_fits_itself_to_them():
    shown = treeview.render_array(np.eye(3))._mime_()[1]
    assert shown.startswith('<iframe srcdoc="&lt;!doctype html&gt;')
    source = html.unescape(shown)
    assert source.index("frameElement") < source.index('<div class="treeview">')
