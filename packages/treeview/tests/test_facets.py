"""Where elements stand in a picture."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from treeview.arrays.facets import assign_axes, lay_out_side
from treeview.arrays.protocol import Axis, positional_axes
from treeview.arrays.windows import axis_window, balanced_window


def documented_position(index, counts, cuts, cell):
    """The first pixel of an element, straight from the description of the layout."""
    extent, position = cell, 0
    for depth, (i, count, cut) in enumerate(zip(index, counts, cuts, strict=True)):
        gap = 0 if depth == 0 else cell * 2 ** (depth - 1)
        strip = cell + gap if cut else 0
        position += i * (extent + gap) + (strip if cut and i >= cut else 0)
        extent = count * (extent + gap) - gap + strip
    return position, extent


@given(
    st.lists(st.tuples(st.integers(1, 5), st.integers(0, 4)), max_size=4),
    st.sampled_from([1, 7, 14]),
)
def test_every_element_stands_once_at_the_documented_place(axes, cell):
    counts = [count for count, _ in axes]
    cuts = [cut if cut < count else 0 for count, cut in axes]
    window = tuple(
        np.concatenate([np.arange(cut), np.arange(cut, count) + 100]) if cut else np.arange(count)
        for count, cut in zip(counts, cuts, strict=True)
    )
    side = lay_out_side(range(len(axes)), window, cell)
    expected = [
        documented_position(tuple(reversed(index)), counts, cuts, cell)[0]
        for index in np.ndindex(*reversed(counts))
    ]
    assert side.starts.tolist() == expected
    assert side.length == documented_position([0] * len(axes), counts, cuts, cell)[1]
    occupied = {start + offset for start in expected for offset in range(cell)}
    assert len(occupied) == len(expected) * cell
    strips = {start + offset for start in side.cuts.tolist() for offset in range(cell)}
    assert not strips & occupied
    assert max(occupied | strips, default=0) < side.length


def test_levels_say_where_the_indices_of_each_axis_stand():
    side = lay_out_side([1, 0], (np.arange(2), np.arange(3)), 1)
    inner, outer = side.levels
    assert (inner.axis, inner.extent, inner.starts.tolist()) == (1, 1, [[0, 1, 2], [4, 5, 6]])
    assert (outer.axis, outer.extent, outer.starts.tolist()) == (0, 3, [[0, 4]])


def test_matrices_look_as_they_are_printed():
    assert assign_axes(positional_axes((100, 2)), (100, 2)) == ((0,), (1,))


def test_nearly_square_is_better_than_a_long_strip():
    assert assign_axes(positional_axes((64, 8, 8)), (62, 8, 8)) == ((2, 1), (0,))
    assert assign_axes(positional_axes((64, 8, 8)), (30, 8, 8)) == ((2, 1), (0,))
    assert assign_axes(positional_axes((9, 8, 4)), (9, 8, 4)) == ((1,), (2, 0))


def test_vectors_lie_along_the_columns():
    assert assign_axes(positional_axes((5,)), (5,)) == ((), (0,))


def test_numbers_without_axes_take_one_cell():
    assert assign_axes((), ()) == ((), ())
    side = lay_out_side([], (), 7)
    assert (side.starts.tolist(), side.length) == ([0], 7)


def test_stacked_matrices_stand_side_by_side():
    assert assign_axes(positional_axes((4, 64, 64)), (4, 64, 64)) == ((1,), (2, 0))


def test_names_come_outside_of_positions():
    axes = (Axis(4, name="heads"), Axis(8, position=0), Axis(9, position=1))
    assert assign_axes(axes, (4, 8, 9)) == ((1,), (2, 0))


def test_given_axes_stay_innermost_and_in_order():
    rows, columns = assign_axes(positional_axes((2, 3, 4, 5)), (2, 3, 4, 5), (1, 3), (0,))
    assert rows == (1, 3)
    assert columns == (0, 2)


@given(
    st.lists(st.integers(1, 3000), min_size=1, max_size=5),
    st.integers(1, 5000),
    st.none() | st.integers(1, 600),
    st.integers(1, 8),
)
def test_windows_are_balanced_and_within_their_limits(shape, maximum, cutoff, edge):
    window = balanced_window(shape, maximum_size=maximum, axis_cutoff=cutoff, minimum_edge=edge)
    counts = [len(indices) for indices in window]
    floors = [size if size <= 2 * edge + 1 else 2 * edge for size in shape]
    for size, count, indices in zip(shape, counts, window, strict=True):
        assert count <= size
        assert len(set(indices.tolist())) == count
        if count < size:
            assert count % 2 == 0
            half = count // 2
            assert indices.tolist() == [*range(half), *range(size - half, size)]
    assert np.prod(counts) <= max(maximum, np.prod(floors)) or counts == list(shape)
    if np.prod(counts) > maximum:
        assert all(c <= max(f, 2 * edge + 1) for c, f in zip(counts, floors, strict=True))


def test_longer_axes_keep_more_in_proportion_to_square_roots():
    counts = [len(i) for i in balanced_window((100, 10_000), maximum_size=1000)]
    assert counts == [10, 100]


@pytest.mark.parametrize("count", [9, 10, 11])
def test_a_single_index_is_not_left_out(count):
    assert axis_window(10, count).tolist() == list(range(10))
