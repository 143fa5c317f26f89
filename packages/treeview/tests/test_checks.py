"""What pictures of arrays cannot mean is refused; what is meant may be written in many ways."""

import numpy as np
import pytest
import treeview
from treeview.arrays import colors

CUBE = np.arange(24).reshape(2, 3, 4) % 7
WORDS = np.array([["a", "b"]])


@pytest.mark.parametrize(
    ("array", "arguments", "message"),
    [
        (CUBE, {"around_zero": "yes"}, "Expected `around_zero` to be True, False or 'auto', got"),
        (CUBE, {"continuous": None}, "Expected `continuous` to be True, False or 'auto', got None"),
        (CUBE, {"dynamic_colormap": "x"}, "Expected `dynamic_colormap` to be True, False or"),
        (CUBE, {"truncate": 1}, "Expected `truncate` to be True, False or 'auto', got 1"),
        (CUBE, {"maximum_size": 0}, "Expected `maximum_size` to be a whole number from 1 on, got"),
        (CUBE, {"maximum_size": "a"}, "Expected `maximum_size` to be a whole number from 1 on"),
        (CUBE, {"cutoff_size_per_axis": -3}, "Expected `cutoff_size_per_axis` to be a whole"),
        (CUBE, {"minimum_edge_items": 1.5}, "Expected `minimum_edge_items` to be a whole number"),
        (CUBE, {"minimum_edge_items": None}, "Expected `minimum_edge_items` to be a whole number"),
        (CUBE, {"pixels_per_cell": "7"}, "Expected `pixels_per_cell` between 1 and 64, got '7'"),
        (CUBE, {"vmin": "a"}, "Expected `vmin` to hold real numbers, got 'a'"),
        (CUBE, {"vmax": 1j}, "Expected `vmax` to hold real numbers, got 1j"),
        (CUBE, {"vmax": {0: 1}, "scale_axis": 0}, "Expected `vmax` to hold real numbers, got"),
        (CUBE, {"vmin": ["a"] * 2, "scale_axis": 0}, "Expected `vmin` to hold real numbers, got"),
        (
            CUBE,
            {"vmin": 0, "continuous": False},
            "Expected `continuous` to be True or 'auto' with `vmin`, got False; digits have no",
        ),
        (
            np.zeros(3, "M8[s]"),
            {"around_zero": True},
            r"Expected `around_zero` to be False or 'auto' for datetime64\[s\], got True; the zero",
        ),
        (
            CUBE * 1j,
            {"dynamic_colormap": True},
            "Expected real numbers for `dynamic_colormap=True`",
        ),
        (WORDS, {"vmax": 1}, "Expected numbers for `vmax`, got <U1.*; leave `vmax` out"),
        (WORDS, {"scale_axis": 0}, "Expected numbers for `scale_axis`, got <U1"),
        (WORDS, {"continuous": True}, "Expected numbers for `continuous`, got <U1"),
        (WORDS, {"dynamic_colormap": True}, "Expected numbers for `dynamic_colormap`, got <U1"),
        (WORDS, {"colormap": ["#000000"]}, "Expected numbers for `colormap`, got <U1"),
        (CUBE, {"rows": [np.arange(2)]}, "Expected `rows` to name axes of .* got array"),
        (
            CUBE,
            {"axis_labels": {-1: "x", 2: "y"}},
            "Expected each axis once in `axis_labels`, got axis 2 twice",
        ),
        (CUBE, {"valid_mask": [[1], [1, 2]]}, "Expected `valid_mask` to be an array, got .* which"),
        (CUBE, {"valid_mask": ["a"] * 4}, "Expected `valid_mask` to hold truth values, got <U1"),
        (
            np.broadcast_to(np.zeros(1), (10**6, 10**6)),
            {"truncate": False},
            "Expected at most 20_000_000 values with `truncate=False`, got float64",
        ),
        (
            np.broadcast_to(np.zeros(1, int), (10**4, 10**3)),
            {"truncate": False},
            "Expected at most 500_000 values with `truncate=False`, got int64",
        ),
    ],
)
def test_wishes_that_mean_nothing_are_refused(array, arguments, message):
    with pytest.raises(ValueError, match=message):
        treeview.render_array(array, **arguments)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"axis_labels": ["x"]}, r"Expected `axis_labels` to be a mapping from axes, got \['x'\]"),
        ({"axis_item_labels": {0: 5}}, "Expected `axis_item_labels` to give a sequence of labels"),
        ({"axis_item_labels": {0: {0: "a", 1: "b"}}}, "Expected `axis_item_labels` to give a seq"),
        ({"value_item_labels": ["a"]}, "Expected `value_item_labels` to be a mapping from integ"),
        ({"value_item_labels": {"k": "a"}}, "Expected the keys of `value_item_labels` to be int"),
    ],
)
def test_labels_of_another_form_are_refused(arguments, message):
    with pytest.raises(TypeError, match=message):
        treeview.render_array(CUBE, **arguments)


def test_numbers_of_every_library_are_numbers():
    figure = treeview.render_array(
        CUBE * 1.0,
        vmin=np.float32(1),
        vmax=np.array(5),
        around_zero=np.bool_(0),
        value_item_labels={np.int64(3): "three"},
    )
    (legend,) = figure.picture.legends
    assert (legend.low, legend.high) == ("1", "5")
    assert figure.text().endswith("\n3 = three")
    assert "three" in figure.html()


def test_limits_of_times_are_times():
    days = np.arange("2024-01-01", "2024-01-31", dtype="M8[D]")
    figure = treeview.render_array(days, vmin="2024-01-10", vmax=np.datetime64("2024-01-20T00"))
    (legend,) = figure.picture.legends
    assert (legend.low, legend.high) == ("2024-01-10", "2024-01-20")
    assert legend.note == "times, 19 beyond the scale"
    each = treeview.render_array(days[None], scale_axis=0, vmin=["2024-01-10"], vmax=["2024-01-20"])
    assert (each.picture.pixels == figure.picture.pixels).all()
    assert each.picture.legends[0].low == "0: 2024-01-10"
    with pytest.raises(ValueError, match="Expected `vmax` to be a finite number, got nan"):
        treeview.render_array(days, vmax=np.datetime64("NaT"))


def test_dates_are_exact_and_have_no_middle():
    moments = np.array([1_709_600_523_123_456_789, 1_709_600_523_123_456_999, -(2**63)])
    figure = treeview.render_array(moments.astype("M8[ns]"))
    first, last = "2024-03-05T01:02:03.123456789", "2024-03-05T01:02:03.123456999"
    assert figure.text().startswith(f"datetime64[ns][3]: times from {first} to {last}, 1 NaN;")
    (legend,) = treeview.render_array(np.arange("1960", "1980", dtype="M8[Y]")).picture.legends
    assert (legend.low, legend.high) == ("1960", "1979")
    assert legend.colors[0] == "#{:02x}{:02x}{:02x}".format(*colors.sequential_map()[0, :3])


def test_limits_of_long_integers_have_all_their_digits():
    figure = treeview.render_array(2**40 + np.arange(10), trim_outliers=False)
    assert figure.text().startswith("int64[10]: values from 1099511627776 to 1099511627785;")
    (legend,) = figure.picture.legends
    assert (legend.low, legend.high) == ("1099511627776", "1099511627785")
    extreme = treeview.render_array(np.array([-(2**63), 2**63 - 1]))
    assert extreme.text().startswith("int64[2]: values from -9.22e+18 to 9.22e+18;")


def test_integers_with_limits_are_colors():
    figure = treeview.render_array(np.array([[0, 5, 10]]), vmin=0, vmax=5)
    table = colors.sequential_map()
    assert (figure.picture.pixels[0] == table[[0, 255, 255]]).all()


class Lying:
    """An array whose adapter answers what it is told to."""

    def __init__(self, fetched=None, axes=(treeview.Axis(3, position=0),), region=()):
        self.fetched, self.axes, self.region = fetched, axes, region


class LyingAdapter:
    def describe(self, array):
        axes = tuple(treeview.Axis(size) for size in array.axes) if array.fetched else array.axes
        return treeview.ArrayInfo("Lying", "float32", axes)

    def statistics(self, arrays):
        return [None] * len(arrays)

    def fetch(self, requests):
        return requests[0][0].fetched

    def shards(self, array):
        return [treeview.Shard("A", array.region)]


treeview.register_array(Lying, LyingAdapter())


@pytest.mark.parametrize("fetched", [None, [], [[1, 2, 3]], [np.zeros(4)], [np.zeros(3)] * 2])
def test_adapters_must_fetch_what_they_are_asked_for(fetched):
    array = Lying()
    array.fetched = fetched
    array.axes = (3,) if fetched else array.axes
    message = r"Expected the adapter of `Lying` to fetch one array of NumPy of shape \(3,\), got"
    with pytest.raises(TypeError, match=message):
        treeview.render_array(array)
    with pytest.raises(TypeError, match=message):
        treeview.render_array(np.zeros(3), valid_mask=array)


@pytest.mark.parametrize("size", ["x", -1, 2.5, None])
def test_sizes_of_axes_are_whole_numbers(size):
    with pytest.raises(TypeError, match="Expected `size` of an `Axis` to be a whole number from 0"):
        treeview.Axis(size)
    bad = Lying([np.zeros(3)], (size,))
    text = treeview.render_text({"bad": bad, "good": np.arange(2)}, totals=True)
    assert "adapter raised TypeError: Expected `size` of an `Axis`" in text
    assert "int64[2] [0, 1]" in text


def test_sizes_of_numpy_are_whole_numbers():
    assert type(treeview.Axis(np.int64(3)).size) is int


def test_a_shard_says_where_it_is_along_every_axis():
    with pytest.raises(ValueError, match="Expected each `Shard` to have a slice for each of the 1"):
        treeview.render_array_sharding(Lying())
