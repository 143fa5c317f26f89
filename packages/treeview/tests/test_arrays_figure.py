"""`render_array`: axes by position or name, masks, labels, refusals."""

import re
from dataclasses import dataclass

import numpy as np
import pytest
import treeview
from hypothesis import given, settings, strategies
from hypothesis.extra.numpy import array_shapes, arrays
from treeview.arrays import colors
from treeview.arrays.blocks import block_lines
from treeview.arrays.delegate import delegating_adapter
from treeview.arrays.protocol import Axis


@dataclass
class Named:
    """An array with a name for each axis; names that are numbers are positions."""

    data: np.ndarray
    names: tuple


def axes(named):
    return [
        Axis(size, position=name) if isinstance(name, int) else Axis(size, name=name)
        for size, name in zip(named.data.shape, named.names, strict=True)
    ]


treeview.register_array(
    Named, delegating_adapter(lambda named: named.data, axes=axes, type_name="Named")
)


class Placed(Named):
    """An array whose axes have names and positions."""

    def __init__(self, data):
        super().__init__(data, ("a", "b", "c")[-data.ndim :])


def placed_axes(named):
    return [Axis(one.size, one.name, position) for position, one in enumerate(axes(named))]


treeview.register_array(Placed, delegating_adapter(lambda named: named.data, axes=placed_axes))

CUBE = np.arange(24).reshape(2, 3, 4) % 7


def sides(figure):
    """Which axes the rows and the columns show, as the description says."""
    return re.search(r"; (?:rows: (.*?))?(?:; )?(?:columns: (.*))?$", figure.text()).groups()


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({}, ("axis 1", "axis 2 within axis 0")),
        ({"rows": [0]}, ("axis 0", "axis 2 within axis 1")),
        ({"rows": [-1], "columns": [-2]}, ("axis 2", "axis 1 within axis 0")),
        ({"columns": (0, 1, 2)}, (None, "axis 0 within axis 1 within axis 2")),
        ({"columns": 1, "rows": (2, 0)}, ("axis 2 within axis 0", "axis 1")),
    ],
)
def test_axes_are_placed_by_position(arguments, expected):
    assert sides(treeview.render_array(CUBE, **arguments)) == expected


def test_axes_are_placed_by_name():
    named = Named(CUBE, ("heads", 0, "kv seq"))
    figure = treeview.render_array(named, rows="kv seq", columns=[-1])
    assert sides(figure) == ("kv seq", "axis 0 within heads")
    assert figure.text().startswith("int64[heads:2, 3, kv seq:4]: values from 0 to 6;")


def test_elements_stand_where_their_axes_were_put():
    figure = treeview.render_array(CUBE, rows=[2], columns=[1, 0])
    table = colors.digit_colors()
    for i, j, k in np.ndindex(CUBE.shape):
        assert (figure.picture.pixels[k, 4 * i + j] == table[CUBE[i, j, k]]).all()


@pytest.mark.parametrize(
    ("mask", "cells"),
    [
        (np.array([True, False, True, True]), 6),
        (np.array([[[True]], [[False]]]), 12),
        (np.zeros((2, 3, 4), bool), 24),
        (CUBE > 2, int((CUBE <= 2).sum())),
        ([[True], [False], [True]], 8),
    ],
)
def test_masks_broadcast_like_numpy(mask, cells):
    figure = treeview.render_array(CUBE * 1.0, valid_mask=mask)
    assert f", {cells} masked" in figure.text()


@pytest.mark.parametrize("array", [CUBE, CUBE > 3, CUBE.astype(str), CUBE * 1j])
def test_every_picture_says_how_many_values_are_masked(array):
    figure = treeview.render_array(array, valid_mask=np.arange(4) > 0)
    assert ", 6 masked" in figure.text()


def test_integers_without_a_colour_are_counted():
    figure = treeview.render_array(
        CUBE, colormap=["#000", "#fff"], valid_mask=np.arange(4) > 0, rows=[0]
    )
    missing = int((CUBE[..., 1:] > 1).sum())
    assert figure.text().splitlines()[1:] == [f"{missing} without a colour"]
    assert "values from 0 to 6, 6 masked" in figure.text()


def test_masks_find_their_axes_by_name():
    named = Named(CUBE * 1.0, ("a", "b", "c"))
    mask = Named(np.array([[True, False]] * 4), ("c", "a"))
    assert ", 12 masked" in treeview.render_array(named, valid_mask=mask).text()
    assert (
        ", 12 masked" in treeview.render_array(named, valid_mask=Named(mask.data[0], ("a",))).text()
    )


@pytest.mark.parametrize(
    "mask", [np.ones(3, bool), np.ones((1, 2, 3, 4), bool), Named(np.ones(2), ("x",))]
)
def test_masks_that_do_not_fit_are_refused(mask):
    with pytest.raises(
        ValueError, match=r"Expected `valid_mask` to broadcast to int64\[2, 3, 4\], got"
    ):
        treeview.render_array(CUBE, valid_mask=mask)


def test_large_arrays_are_truncated_and_small_ones_are_not():
    assert treeview.render_array(np.zeros((500, 500))).picture.pixels.shape[:2] == (500, 500)
    assert "of 500" in treeview.render_array(np.zeros((500, 500), int)).text()
    cut = treeview.render_array(np.zeros((5000, 500)))
    assert "of 5000 along axis 0" in cut.text()
    assert cut.picture.pixels.shape[0] * cut.picture.pixels.shape[1] < 11_000
    told = treeview.render_array(
        np.zeros((50, 50)), truncate=True, maximum_size=100, minimum_edge_items=3
    )
    assert told.text().endswith("showing 10 of 50 along axis 0, 10 of 50 along axis 1")


def test_masks_are_truncated_with_their_arrays():
    mask = np.ones((50, 50), bool)
    mask[25] = False  # left out
    figure = treeview.render_array(np.eye(50), valid_mask=mask, truncate=True, maximum_size=100)
    assert "masked" not in figure.text()


def test_labels_stand_at_their_axes():
    figure = treeview.render_array(
        np.zeros((2, 3)),
        axis_item_labels={-1: ["a", "b", "c"]},
        axis_labels={0: "rows!"},
        value_item_labels={0: "zero"},
    )
    texts = {(label.side, label.text) for label in figure.picture.labels}
    assert texts == {
        ("top", "a"),
        ("top", "b"),
        ("top", "c"),
        ("top", "axis 1: 3"),
        ("left", "rows!"),
    }
    assert figure.text().endswith("0 = zero")


def test_hostile_labels_stay_text():
    hostile = "</script><img src=x onerror=alert(1)>"
    figure = treeview.render_array(
        np.zeros((1, 2)), axis_item_labels={1: [hostile, "\u202e\x00"]}, axis_labels={0: hostile}
    )
    assert "<img src=x" not in figure.html()


def test_scalars_and_numbers_of_numpy_have_a_picture():
    assert treeview.render_array(np.float32(2)).picture.pixels.shape == (1, 1, 4)
    assert treeview.render_array(np.array(2)).text() == "int64[]: values from 2 to 2"


@pytest.mark.parametrize(
    ("value", "facts"),
    [
        (complex("nan"), "no finite values, 1 NaN"),
        (complex("-inf"), "no finite values, 1 infinite"),
        (3 + 4j, "magnitudes from 5 to 5, phases as hues"),
    ],
)
def test_single_complex_numbers_have_a_picture(value, facts):
    figure = treeview.render_array(np.array(value))
    assert figure.text().splitlines()[0] == f"complex128[]: {facts}"


RECORD = np.dtype([("c", "c8", (2,)), ("when", "M8[ns]")])
ANY_DTYPE = strategies.sampled_from(
    ["?", "i1", ">i8", "u8", "f2", ">f8", "g", "c16", "M8[ns]", ">m8[D]", "S2", "U2", RECORD]
)


@settings(max_examples=40, deadline=None)
@given(arrays(ANY_DTYPE, array_shapes(min_dims=0, max_side=3, min_side=0)), strategies.data())
def test_any_array_has_a_picture_with_its_axes_anywhere(array, data):
    axes = data.draw(strategies.permutations(range(array.ndim)))
    first, second = sorted(data.draw(strategies.tuples(*[strategies.integers(0, array.ndim)] * 2)))
    figure = treeview.render_array(array, rows=axes[:first], columns=axes[first:second])
    assert figure.picture.pixels.dtype == np.uint8
    assert figure.text(color=True)


def test_records_in_records_are_drawn_by_field():
    inner = np.dtype([("c", ">i4"), ("d", "V2")])
    figure = treeview.render_array(np.zeros((1, 2), [("a", "f4"), ("b", inner)]))
    assert figure.text().splitlines()[0] == (
        "{a: float32, b: {c: >i4, d: V2}}[1, 2] by field; "
        "a: float32[1, 2]: values from 0 to 0; rows: axis 0; columns: axis 1; "
        "b: {c: >i4, d: V2}[1, 2] by field; "
        "c: >i4[1, 2]: values from 0 to 0; rows: axis 0; columns: axis 1; "
        "d: V2[1, 2]: 1 category; rows: axis 0; columns: axis 1"
    )


def test_the_latest_and_the_earliest_time_are_in_the_legend():
    times = np.array([2**63 - 1, -(2**63) + 1]).astype("m8[s]")
    (legend,) = treeview.render_array(times, trim_outliers=False).picture.legends
    assert (legend.low, legend.high) == (f"-{2**63 - 1} seconds", f"{2**63 - 1} seconds")


def test_integers_can_be_drawn_as_colors():
    figure = treeview.render_array(np.array([[0, 5, 10]]), continuous=True, trim_outliers=False)
    assert (figure.picture.pixels[0] == colors.sequential_map()[[0, 128, 255]]).all()


def test_html_holds_the_picture_and_its_description():
    html = treeview.render_array(np.eye(3), axis_labels={0: "left"}).html()
    assert 'alt="float64[3, 3]: values from 0 to 1; rows: axis 0; columns: axis 1"' in html
    assert "data:image/png;base64," in html


@pytest.mark.parametrize(
    ("array", "arguments", "error", "message"),
    [
        (
            [1, 2],
            {},
            TypeError,
            "Expected an array of a registered type, got `list`; convert it with `numpy.asarray`",
        ),
        (
            CUBE,
            {"rows": [3]},
            ValueError,
            r"Expected `rows` to name axes of int64\[2, 3, 4\], got 3; it has the axes 0, 1, 2",
        ),
        (CUBE, {"columns": [-4]}, ValueError, "Expected `columns` to name axes of .* got -4"),
        (CUBE, {"columns": "x"}, ValueError, "Expected `columns` to name axes of .* got 'x'"),
        (CUBE, {"rows": [True]}, ValueError, "Expected `rows` to name axes of .* got True"),
        (
            CUBE,
            {"axis_labels": {9: "x"}},
            ValueError,
            "Expected `axis_labels` to name axes of .* got 9",
        ),
        (
            CUBE,
            {"rows": [1], "columns": [1]},
            ValueError,
            "Expected each axis at most once in `rows`, `columns` and `sliders`, got axis 1 twice",
        ),
        (CUBE, {"rows": [1, -2]}, ValueError, "got axis 1 twice"),
        (
            CUBE,
            {"sliders": {0: 2}},
            ValueError,
            "Expected `sliders` to give an index of axis 0, which has 2, got 2",
        ),
        (CUBE, {"sliders": {0: "x"}}, ValueError, "an index of axis 0, which has 2, got 'x'"),
        (CUBE, {"sliders": "head"}, ValueError, "Expected `sliders` to name axes of .* got 'head'"),
        (CUBE, {"sliders": 0, "rows": 0}, ValueError, "got axis 0 twice"),
        (
            np.broadcast_to(np.zeros(1), (2_001, 2_000)),
            {"sliders": 0, "truncate": False},
            ValueError,
            "Expected at most 4_000_000 values with `sliders` and `truncate=False`",
        ),
        (
            np.broadcast_to(np.zeros(1), (3_000, 2_000)),
            {"sliders": 0},
            ValueError,
            "Expected at most 2_500 slices for `sliders`, got 3_000",
        ),
        (
            np.zeros((2, 3), [("x", "i4")]),
            {"sliders": 0},
            ValueError,
            "Expected `sliders` to be empty for records",
        ),
        (
            CUBE,
            {"dynamic_colormap": True},
            ValueError,
            "Expected `continuous=True` with `dynamic_colormap=True`, got nested squares",
        ),
        (
            CUBE * 1.0,
            {"dynamic_colormap": True, "around_zero": False},
            ValueError,
            "Expected `around_zero` to be True or 'auto' with `dynamic_colormap=True`, got False",
        ),
        (
            CUBE,
            {"axis_item_labels": {0: ["a"]}},
            ValueError,
            "to have one label for each of its 2 indices, got 1",
        ),
        (
            CUBE * 1.0,
            {"continuous": False},
            ValueError,
            "Expected integers or truth values for `continuous=False`, got float64",
        ),
        (CUBE, {"vmin": 2, "vmax": 1}, ValueError, "Expected `vmin` <= `vmax`, got 2.0 and 1.0"),
        (
            CUBE,
            {"vmax": float("nan")},
            ValueError,
            "Expected `vmax` to be a finite number, got nan",
        ),
        (
            CUBE,
            {"vmin": -1, "vmax": 2, "around_zero": True},
            ValueError,
            "Expected `vmin` to be -`vmax` with `around_zero=True`, got -1.0 and 2.0",
        ),
        (
            CUBE,
            {"pixels_per_cell": 0},
            ValueError,
            "Expected `pixels_per_cell` between 1 and 64, got 0",
        ),
        (
            Named(CUBE, ("a", "b", "c")),
            {"valid_mask": Named(np.ones((2, 2)), ("a", "a"))},
            ValueError,
            r"Expected `valid_mask` to broadcast to int64\[a:2, .*; give it axes of the same names",
        ),
        (
            CUBE,
            {"colormap": ["jet"]},
            ValueError,
            "Expected `colormap` to be a sequence of colours",
        ),
    ],
)
def test_misfits_are_explained(array, arguments, error, message):
    with pytest.raises(error, match=message):
        treeview.render_array(array, **arguments)


def test_a_limit_beyond_all_values_is_in_the_legend():
    (legend,) = treeview.render_array(np.array([5.0, 9.0]), vmax=1).picture.legends
    assert (legend.low, legend.high, legend.note) == ("1", "1", "2 beyond the scale")


def test_integers_of_another_byte_order_are_integers():
    swapped = np.arange(6).astype(">i4")
    figure = treeview.render_array(swapped, continuous=False)
    assert (figure.picture.pixels == treeview.render_array(np.arange(6)).picture.pixels).all()


def test_masked_values_of_a_mask_are_not_shown():
    mask = np.ma.masked_array([True, True, True, False], [True, False, False, False])
    assert ", 12 masked" in treeview.render_array(CUBE * 1.0, valid_mask=mask).text()


def test_named_axes_with_positions_match_plain_masks_by_position():
    mask = np.array([True, False, True, False])
    for array, one in ((Placed(CUBE * 1.0), mask), (CUBE * 1.0, Placed(mask))):
        assert ", 12 masked" in treeview.render_array(array, valid_mask=one).text()


def test_arrays_without_readable_values_are_refused():
    jax = pytest.importorskip("jax")
    gone = jax.numpy.ones(3)
    gone.delete()
    with pytest.raises(
        ValueError, match=r"got jax.Array float32\[3\], which is deleted; pass a concrete array"
    ):
        treeview.render_array(gone)


def test_terminals_show_half_blocks():
    pixels = np.zeros((3, 2, 4), np.uint8)
    pixels[0] = (255, 0, 0, 255)
    pixels[1] = (0, 0, 255, 255)
    pixels[2, 0] = (1, 2, 3, 255)
    assert block_lines(pixels, 80) == [
        "\x1b[38;2;255;0;0;48;2;0;0;255m▀▀\x1b[0m",
        "\x1b[0;38;2;1;2;3m▀\x1b[0m \x1b[0m",
    ]


def test_pictures_wider_than_the_terminal_are_averaged():
    pixels = np.zeros((4, 8, 4), np.uint8)
    pixels[..., 3] = 255
    pixels[:, ::2, 0] = 200
    assert block_lines(pixels, 4) == ["\x1b[38;2;100;0;0;48;2;100;0;0m▀▀▀▀\x1b[0m"]
    figure = treeview.render_array(np.zeros((10, 200)))
    lines = figure.text(width=50, color=True).splitlines()
    assert lines[0].startswith("float64[10, 200]")
    assert all(line.count("▀") + line.count("▄") <= 50 for line in lines[1:])
    assert len(lines) > 1
