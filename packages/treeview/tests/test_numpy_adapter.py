"""NumPy's own types in trees."""

import numpy as np
import pytest
import treeview
from treeview.adapters.numpy import NumpyAdapter
from treeview.arrays.protocol import ArrayInfo, positional_axes


def test_arrays_are_described_without_looking_at_values():
    assert NumpyAdapter().describe(np.zeros((2, 3), np.int16)) == ArrayInfo(
        "np.ndarray", "int16", positional_axes((2, 3)), bytes=12
    )


def test_subclasses_keep_their_names(tmp_path):
    class Mine(np.ndarray):
        pass

    names = [
        NumpyAdapter().describe(array).type_name
        for array in (
            np.ma.zeros(2),
            np.memmap(tmp_path / "a", np.uint8, "w+", shape=(3,)),
            np.rec.array([(1, 2.0)]),
            np.zeros(2).view(Mine),
            np.zeros((2, 2)).view(np.matrix),
        )
    ]
    assert names == ["np.ma.MaskedArray", "np.memmap", "np.recarray", "Mine", "np.matrix"]


def test_windows_are_copies_of_the_chosen_indices():
    array = np.arange(12).reshape(3, 4)
    (values,) = NumpyAdapter().fetch([(array, (np.array([0, 2]), np.array([1, 3])))])
    assert values.tolist() == [[1, 3], [9, 11]]
    (single,) = NumpyAdapter().fetch([(np.array(5), ())])
    assert single.shape == ()
    values[:] = single[...] = 0
    assert array[0, 1] == 1


@pytest.mark.parametrize("shape", [(1,) * 64, (1,) * 40 + (3,) + (1,) * 20 + (60, 2), (2,) * 12])
def test_arrays_of_any_rank_have_pictures(shape):
    array = np.arange(np.prod(shape), dtype=float).reshape(shape)
    figure = treeview.render_array(array, truncate=True, maximum_size=100, valid_mask=array >= 0)
    assert figure.text().startswith("float64[")
    assert "masked" not in figure.text()
    exact = treeview.render_array(array.squeeze()[None], truncate=True, maximum_size=100)
    assert (figure.picture.grids[0].values.size > 10) == (array.size > 10)
    assert exact.picture.grids[0].values.max() == figure.picture.grids[0].values.max()


def test_masks_travel_with_their_values():
    array = np.ma.array([1, 2, 3], mask=[0, 1, 0])
    (values,) = NumpyAdapter().fetch([(array, (np.array([1, 2]),))])
    assert np.ma.getmaskarray(values).tolist() == [True, False]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (np.float32(1.5), "np.float32(1.5)"),
        (np.int64(3), "np.int64(3)"),
        (np.bool_(True), "np.True_"),
        (np.str_("a"), "np.str_('a')"),
        (np.datetime64("2020-01-01"), "np.datetime64('2020-01-01')"),
        (np.dtype("float32"), "dtype('float32')"),
        (np.dtype([("x", "i4")]), "dtype([('x', '<i4')])"),
        (np.arange(3), "np.ndarray int64[3] [0, 1, 2]"),
        ([np.float32(1), np.zeros((2, 2))], "[np.float32(1.0), np.ndarray float64[2, 2] all 0]"),
    ],
)
def test_values_stand_on_one_line(value, expected):
    assert treeview.render_text(value, width=100) == expected


def test_element_types_can_be_evaluated_in_a_roundtrip():
    assert treeview.render_text(np.dtype("int8"), roundtrip=True) == "numpy.dtype('int8')"


@pytest.mark.parametrize(
    "array",
    [
        np.arange(6, dtype=np.int8).reshape(2, 3),
        np.array([0.1, np.nan, np.inf, -np.inf], np.float32),
        np.array([1e300, 5e-324, -0.0]),
        np.array([1 + 2j, complex(np.nan, -np.inf)]),
        np.array([True, False]),
        np.array(3.5),
        np.zeros((0, 3), np.float16),
        np.array([2**63 - 1, -(2**63)]),
        np.array([2**64 - 1], np.uint64),
        np.array(["2020-01-01", "NaT"], "M8[s]"),
        np.array([5, -3], "m8[ms]"),
        np.array(["a'b", "\n"]),
        np.array([b"x\xff"]),
        np.array([1, 2], ">i4"),
        np.float32(0.1),
        np.str_("x"),
    ],
)
def test_roundtrip_text_evaluates_to_an_equal_array(array):
    source = treeview.render_text(array, roundtrip=True)
    back = eval(source, {"numpy": np})
    assert (back.dtype, back.shape) == (array.dtype, array.shape)
    np.testing.assert_array_equal(back, array)
    if array.dtype.kind == "f":
        np.testing.assert_array_equal(np.signbit(back), np.signbit(array))


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (np.array([None]), "<np.ndarray object[1]>"),
        (np.ma.array([1]), "<np.ma.MaskedArray int64[1]>"),
        (np.zeros(10**6), "<np.ndarray float64[1000000]>"),
        (np.zeros(1, np.longdouble), "<np.ndarray float128[1]>"),
    ],
)
def test_roundtrip_text_shows_where_it_cannot_be_evaluated(array, expected):
    assert treeview.render_text(array, roundtrip=True) == expected
