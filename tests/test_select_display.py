"""Selections show themselves through treeview."""

import sys

import pytest
import treeview

import modeldata as md


@pytest.fixture
def tree():
    return {"a": [list(range(30)), {"k": 5}], "b": 2}


def test_a_selection_shows_its_tree_with_the_places_marked(tree, capsys):
    selection = md.select(tree).at_path("[a][1][k]", "[b]")
    selection.show_selection()
    shown = capsys.readouterr().out
    assert shown == treeview.render_text(selection) + "\n"
    assert shown.splitlines()[0] == "select(  # 2 selected"
    assert shown.count("◆") == shown.count("# selected") == 2


def test_a_selection_shows_its_tree_opened_down_to_the_places(capsys):
    deep = [[[["here"]]] for _ in range(40)]
    selection = md.select(deep).at_path("[7][0][0][0]")
    with treeview.options(max_lines=30):
        selection.show_value()
    lines = capsys.readouterr().out.splitlines()
    assert [line.strip() for line in lines if line.strip().startswith("'here'")] == ["'here',"]


@pytest.mark.parametrize("method", ["show_selection", "show_value"])
def test_showing_without_treeview_says_what_to_install(tree, monkeypatch, method):
    monkeypatch.setitem(sys.modules, "modeldata._treeview", None)
    with pytest.raises(
        ImportError, match=rf"because `{method}` uses it, but: .*pip install 'modeldata\[view\]'"
    ):
        getattr(md.select(tree), method)()
