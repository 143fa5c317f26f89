"""What scripts are told of pictures: values as they were, within a budget, all in one element."""

import base64
import json
import re
import struct
import zlib

import numpy as np
import pytest

import treeview
from treeview._cells import MOST_BYTES, CellData
from treeview.arrays.figure import array_picture


def unpacked(html, name="tv-cells"):
    """The header and the blob of a page."""
    (data,) = re.findall(rf'<script type="application/json" class={name}>"([^"]*)"</script>', html)
    body = zlib.decompress(base64.b64decode(data))
    (length,) = struct.unpack_from("<I", body)
    return json.loads(body[4 : 4 + length]), body[4 + length :]


def numbers(grid, blob, dtype):
    """The values of a grid, from the planes of their bytes."""
    width, start = np.dtype(dtype).itemsize, grid["values"]
    planes = np.frombuffer(blob, np.uint8, width * grid["count"], start).reshape(width, -1)
    return np.ascontiguousarray(planes.T).view(dtype).ravel()


@pytest.mark.parametrize(
    "array",
    [
        np.array([[2**63 - 1, -(2**63)], [0, 2**40 + 7]]),
        np.array([[2**64 - 1, 0]], np.uint64),
        np.array([[1e300, 5e-324], [np.nan, -np.inf]]),
        np.array([[1e300 + 2j, np.nan * 1j]]),
        np.arange(24, dtype=">f4").reshape(2, 3, 4),
        np.random.default_rng(0).standard_normal((4, 5)).astype(np.float16),
    ],
)
def test_pages_hold_every_bit_of_the_values(array):
    figure = treeview.render_array(array)
    header, blob = unpacked(figure.html())
    (grid,) = header["views"]["0"]["grids"]
    order = [*reversed(grid["rows"]), *reversed(grid["columns"])]
    kept = numbers(grid, blob, array.dtype.newbyteorder("<"))
    expected = array.transpose(order).ravel().astype(kept.dtype)
    assert kept.tobytes() == expected.tobytes()


def test_values_are_those_at_the_time_of_drawing():
    array = np.zeros((2, 3))
    figure = treeview.render_array(array)
    array[:] = 7
    header, blob = unpacked(figure.html())
    assert not numbers(header["views"]["0"]["grids"][0], blob, np.float64).any()


def test_hostile_text_stays_in_its_element():
    figure = treeview.render_array(
        np.array([["</script><script>alert(1)</script>", "\u202e"]]),
        axis_item_labels={1: ["</script>", "<!--"]},
        axis_labels={0: "</script>"},
    )
    header, _ = unpacked(figure.html())
    (grid,) = header["views"]["0"]["grids"]
    assert grid["texts"] == ["'</script><script>alert(1)</script>'", r"'\u202e'"]
    assert grid["axes"][1][6] == ["</script>", "<!--"]
    assert figure.html().count("<script") == 2


def test_trees_hold_exact_values_of_the_smallest_arrays():
    rng = np.random.default_rng(0)
    arrays = {f"a{size}": rng.standard_normal((size, size)) for size in (50, 3, 30, 60, 40, 55)}
    html = treeview.render_html(arrays, autovisualize=True)
    header, _ = unpacked(html)
    kinds = {}
    for view in header["views"].values():
        (grid,) = view["grids"]
        kinds[grid["axes"][0][2]] = grid["kind"]
    exact = sorted(size for size, kind in kinds.items() if kind == "f8")
    rest = sorted(size for size, kind in kinds.items() if kind == "~")
    assert exact[0] == 3
    assert exact[-1] < rest[0]
    assert sum(8 * size**2 for size in exact) < 1.3 * MOST_BYTES


def test_a_figure_of_its_own_has_no_limit():
    array = np.random.default_rng(0).standard_normal((200, 300))
    header, blob = unpacked(treeview.render_array(array).html())
    kept = numbers(header["views"]["0"]["grids"][0], blob, np.float64)
    assert (kept.reshape(200, 300) == array).all()


def test_without_pictures_there_is_neither_element_nor_script():
    assert CellData().element(name="x") == ""
    assert "tv-cells" not in treeview.render_html({"a": np.zeros((9, 9))})
    assert "<script" not in treeview.integer_digitbox(3).html()


def test_pictures_share_palette_and_markup():
    rng = np.random.default_rng(0)
    arrays = [rng.standard_normal((16, 16)).astype(np.float32) for _ in range(1001)]
    html = treeview.render_html(arrays, autovisualize=True, max_items=2000, max_lines=None)
    header, _ = unpacked(html, "tv-more-cells")
    assert len(header["palette"]) // 8 <= 33
    assert len(header["views"]) > 900
    assert len(html) < 550 * len(arrays)


def test_pictures_beyond_the_first_pixels_wait_for_the_script_and_say_so():
    rng = np.random.default_rng(0)
    layers = [{"w": rng.standard_normal((80, 80)), "rest": list(range(9))} for _ in range(30)]
    html = treeview.render_html(layers, autovisualize=True)
    shown = html.count("data:image/png")
    assert 0 < shown < 30
    assert html.count("a picture, which a script draws") == 30 - shown
    header, _ = unpacked(html, "tv-more-cells")
    assert len(header["views"]) == 30 - shown


def test_sliders_hold_all_slices_and_name_the_one_that_shows():
    array = np.arange(24.0).reshape(2, 3, 4)
    figure = treeview.render_array(array, sliders={-1: 2}, axis_labels={2: "time"})
    (grid,) = figure.picture.grids
    assert grid.sliders == (2,)
    assert (grid.values.reshape(4, 2, 3) == array.transpose(2, 0, 1)).all()
    assert figure.picture.pixels.shape == (2, 3, 4)
    assert (
        figure.picture.pixels
        == treeview.render_array(array[..., 2], vmin=0, vmax=23).picture.pixels
    ).all()
    assert "time at 2 of 4, which a script moves" in figure.text()
    assert figure.picture.description.endswith("time at 2 of 4")


def test_large_arrays_on_sliders_keep_all_slices():
    array = np.broadcast_to(np.zeros(1), (20, 300, 400))
    (grid,) = treeview.render_array(array, sliders=0).picture.grids
    assert [axis.count for axis in grid.axes][0] == 20
    assert grid.values.size <= 250_000


def test_fields_have_grids_of_their_own():
    records = np.zeros((3, 4), [("x", "i4"), ("y", "f8")])
    picture = array_picture(records)
    assert [(grid.part, grid.kind) for grid in picture.grids] == [("x", "i4"), ("y", "f8")]
    assert picture.grids[1].top > picture.grids[0].top
