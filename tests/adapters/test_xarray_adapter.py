"""Arrays and data sets of xarray; nothing is loaded."""

import numpy as np
import pytest
import treeview
import xarray as xr
from xarray.backends import BackendArray
from xarray.core import indexing

ARRAY = xr.DataArray(
    np.arange(12.0).reshape(3, 4),
    dims=("x", "y"),
    coords={"x": [1, 2, 3]},
    name="t",
    attrs={"unit": "m"},
)


class Remote(BackendArray):
    """Values that must not be read."""

    shape, dtype = (1000, 1000), np.dtype("float32")

    def __getitem__(self, key):
        raise RuntimeError("fetched")


@pytest.fixture
def remote():
    return xr.Variable(("x", "y"), indexing.LazilyIndexedArray(Remote()))


def test_importing_treeview_imports_no_xarray(imported_by_treeview):
    assert imported_by_treeview("xarray", "treeview.adapters.xarray") == []


def test_an_array_shows_its_named_axes_coordinates_and_attributes(lines):
    assert lines(ARRAY) == [
        "DataArray(",
        "  name='t',",
        "  values=float64[x:3, y:4] ≈5.5 ±3.5 [0, 11] zero:1,",
        "  coords={'x': int64[x:3] [1, 2, 3]},",
        "  attrs={'unit': 'm'},",
        ")",
    ]


def test_a_data_set_shows_its_sizes_and_variables(lines):
    dataset = xr.Dataset({"t": ARRAY, "v": ("x", [1, 2, 3])}, attrs={"by": "us"})
    assert lines(dataset) == [
        "Dataset(  # x: 3, y: 4",
        "  x=int64[x:3] [1, 2, 3],",
        "  t=float64[x:3, y:4] ≈5.5 ±3.5 [0, 11] zero:1,",
        "  v=int64[x:3] [1, 2, 3],",
        "  attrs={'by': 'us'},",
        ")",
    ]


def test_a_tree_shows_its_nodes(shown):
    tree = xr.DataTree.from_dict({"/": xr.Dataset({"v": ("x", [1])}), "/g": xr.Dataset()})
    assert shown(tree) == "DataTree(v=int64[x:1] [1], g=DataTree())"


def test_variables_are_arrays_with_named_axes(shown):
    assert shown(xr.Variable(("a",), [1, 2])) == "Variable int64[a:2] [1, 2]"


def test_what_is_not_loaded_stays_so(shown, remote):
    dataset = xr.Dataset({"far": remote})
    assert "far=float32[x:1000, y:1000] <not loaded>" in shown(dataset)
    assert "fetched" not in treeview.render_html(dataset, autovisualize=True)
    assert shown(remote) == "Variable float32[x:1000, y:1000] <not loaded>"


def test_chunks_of_dask_are_not_computed(shown):
    dask = pytest.importorskip("dask.array")

    def boom(block):
        raise RuntimeError("computed")

    array = dask.zeros((10, 10)).map_blocks(boom, dtype=float)
    assert "values=float64[x:10, y:10] <not computed, dask>" in shown(
        xr.DataArray(array, dims=("x", "y"))
    )


def test_arrays_of_other_libraries_are_seen_through(shown):
    jax = pytest.importorskip("jax")
    variable = xr.Variable(("a", "b"), jax.numpy.ones((2, 9)))
    assert shown(variable) == "Variable float32[a:2, b:9] all 1"


def test_an_array_is_drawn_with_its_axes():
    page = treeview.render_html(ARRAY, autovisualize=True)
    assert "data:image/png" in page


def test_odd_names_and_broken_attributes_are_shown(survives):
    class Sour:
        def __repr__(self):
            raise ValueError("boom")

    array = xr.DataArray([1.0], dims=("</script>",), attrs={3: Sour(), "\x1b": "\u202e"})
    text = survives(array)
    assert "float64[</script>:1]" in text
    assert "boom" in text


def test_labelled_arrays_and_variables_have_pictures_with_named_axes():
    for array in (ARRAY, ARRAY.variable, ARRAY.transpose("y", "x")):
        figure = treeview.render_array(array, rows="y", sliders={"x": -1})
        assert figure.text().splitlines()[-1] == "x at 2 of 3, which a script moves"
        assert "rows: y" in figure.text()
    by_position = treeview.render_array(ARRAY, columns=0, axis_labels={"y": "time"})
    assert by_position.text().endswith("rows: y; columns: x")


@pytest.mark.parametrize("mask", [ARRAY > 3, ARRAY.x > 1, np.arange(4) > 0, (ARRAY.x > 1).variable])
def test_masks_of_labelled_arrays_match_by_name_and_plain_ones_by_position(mask):
    masked = int((~np.asarray(xr.ones_like(ARRAY) * mask).astype(bool)).sum())
    assert f", {masked} masked" in treeview.render_array(ARRAY, valid_mask=mask).text()


def test_labelled_masks_fit_plain_arrays():
    figure = treeview.render_array(ARRAY.values, valid_mask=ARRAY > 3)
    assert ", 4 masked" in figure.text()


def test_what_is_not_loaded_is_not_drawn(remote):
    with pytest.raises(ValueError, match=r"got float32\[x:1000, y:1000\], which is not loaded"):
        treeview.render_array(remote)


def test_coordinates_are_labels():
    figure = treeview.render_array(ARRAY, axis_item_labels={"x": ARRAY.x})
    labels = [label.text for label in figure.picture.labels if label.side == "left"]
    assert labels == ["1", "2", "3", "x: 3"]
