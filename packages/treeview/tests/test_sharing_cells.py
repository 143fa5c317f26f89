"""Many pictures in one tree share what it may show; few show what they would alone."""

import numpy as np
import pytest
from bs4 import BeautifulSoup
from hypothesis import given
from hypothesis import strategies as st

import treeview
from treeview import ArrayAutovisualizer
from treeview._document import Branch, Picture
from treeview.arrays.sharing import LEAST_CELLS, even_share


def shown(obj, **options):
    """How many values each picture in a tree shows, in reading order."""
    found = []
    stack = [treeview.render(obj, autovisualize=True, **options).document]
    while stack:
        node = stack.pop()
        if isinstance(node, Picture):
            (grid,) = node.grids
            found.append(grid.values.size)
        elif isinstance(node, Branch):
            stack += reversed(node.values)
    return found


@given(st.lists(st.integers(1, 100), min_size=1, max_size=20), st.integers(0, 1000))
def test_shares_are_as_large_as_the_whole_allows(wishes, most):
    share = even_share(wishes, most)
    assert sum(min(wish, share) for wish in wishes) <= most or sum(wishes) == 0
    if share < max(wishes):
        assert sum(min(wish, share + 1) for wish in wishes) > most


def test_few_arrays_show_what_each_would_alone():
    large = [np.full((100, 100), k) / 7 for k in range(30)]
    alone = shown(large[:1])
    assert 3500 < alone[0] <= 4000
    assert shown(large) == alone * 30


def test_many_arrays_share_evenly_and_small_ones_are_shown_in_full():
    large = [np.full((100, 100), k) / 7 for k in range(60)]
    small = [np.full((12, 20), k) / 7 for k in range(60)]
    counts = shown(large + small)
    assert counts[60:] == [240] * 60
    assert len(set(counts[:60])) == 1
    assert 0.85 * 150_000 < sum(counts) <= 150_000


def test_of_every_array_some_values_are_shown():
    arrays = [np.full((50, 50), k) / 7 for k in range(8)]
    counts = shown(arrays, max_cells=10)
    assert all(0.7 * LEAST_CELLS < count <= LEAST_CELLS for count in counts)
    assert shown([np.full((16, 16), k) / 7 for k in range(8)], max_cells=10) == [256] * 8


def test_there_need_not_be_a_limit():
    arrays = [np.full((50, 50), k) / 7 for k in range(8)]
    assert shown(arrays, max_cells=None) == [2500] * 8


def test_what_settings_say_of_an_array_goes_before():
    arrays = {f"a{k}": np.full((50, 50), k) / 7 for k in range(8)}

    def rule(value, path):
        return ArrayAutovisualizer(maximum_size=2500) if path == "['a3']" else True

    with treeview.options(max_cells=5000):
        documents = treeview.render(arrays, autovisualize=rule).document
    sizes = [branch.values[0].grids[0].values.size for branch in documents.values]
    assert sizes[3] == 2500
    assert sum(sizes) - 2500 <= 5000
    assert len({*sizes[:3], *sizes[4:]}) == 1


def test_what_is_left_out_is_said_in_text_and_page_alike():
    arrays = [np.arange(2500.0).reshape(50, 50) + k for k in range(4)]
    options = {"autovisualize": True, "max_cells": 1600, "width": 200}
    words = "400 of 2_500 values"
    assert treeview.render_text(arrays, **options).count(words) == 4
    page = BeautifulSoup(treeview.render_html(arrays, **options), "html.parser")
    assert [one["alt"].count(words) for one in page.select("figure img")] == [1] * 4
    assert "showing 20 of 50 along axis 0, 20 of 50 along axis 1" in page.select("figure")[0].text


def test_the_limit_is_checked():
    with pytest.raises(ValueError, match="Expected `max_cells` to be at least 1, got 0"):
        treeview.render_html([], max_cells=0)
