"""One-line summaries, compared whole."""

import numpy as np
import pytest
from treeview.adapters.numpy import NumpyAdapter
from treeview.arrays.elements import dtype_name
from treeview.arrays.protocol import ArrayInfo, Axis, Statistics
from treeview.arrays.statistics import array_statistics
from treeview.arrays.summary import shows_values, summary_text, values_text

ADAPTER = NumpyAdapter()


def summary(array):
    info = ADAPTER.describe(array)
    if shows_values(info):
        return summary_text(info, values=np.ma.array(array) if np.ma.isMA(array) else array).plain
    return summary_text(info, statistics=array_statistics(array)).plain


TABLE = np.arange(12).reshape(3, 4)
SUMMARIES = {
    "np.ndarray int64[3, 4] ≈5.5 ±3.5 [0, 11] zero:1": TABLE,
    "np.ndarray float32[3, 4] ≈0.55 ±0.35 [0, 1.1] zero:1": (TABLE / 10).astype(np.float32),
    "np.ndarray float64[3, 4] all 0.1": np.full((3, 4), 0.1),
    "np.ndarray float64[2, 2] ≈0 ±0 [0, 0] zero:2 nan:2": np.array([[0, 0], [np.nan, np.nan]]),
    "np.ndarray float64[1, 3] nan:1 inf:1 -inf:1": np.array([[np.nan, np.inf, -np.inf]]),
    "np.ndarray bool[3, 4] true:7 false:5": TABLE > 4,
    "np.ma.MaskedArray int64[3, 4] ≈8 ±2 [5, 11] masked:5": np.ma.array(TABLE, mask=TABLE < 5),
    "np.ndarray uint64[1, 2] ≈9.2e+18 ±9.2e+18 [0, 18446744073709551615] zero:1": np.array(
        [[0, 2**64 - 1]], np.uint64
    ),
    "np.ndarray float64[1, 2] ≈0 ±1e+300 [-1e+300, 1e+300]": np.array([[-1e300, 1e300]]),
    "np.ndarray complex128[1, 2] ≈0.5+1j ±1.1 zero:1": np.array([[0, 1 + 2j]]),
    "np.ndarray datetime64[D][1, 2] [2020-01-01, 2021-01-01]": np.array(
        [["2020-01-01", "2021-01-01"]], "M8[D]"
    ),
    "np.ndarray float64[1, 2] ≈16034 ±10000 [6034, 26034]": np.array([[6034.2, 26034.2]]),
    "np.ndarray float64[1, 2] ≈2.6e+06 ±0.5 [2.6e+06, 2.6e+06]": np.array([[2.6e6, 2.6e6 + 1]]),
    "np.ndarray int64[3] [1, 2, 3]": np.array([1, 2, 3]),
    "np.ndarray float64[3] [0.5, 1, 1e+20]": np.array([0.5, 1, 1e20]),
    "np.ndarray float64[2] ≈[0.3333, nan]": np.array([1 / 3, np.nan]),
    "np.ndarray float32[2] [0.1, -0.2]": np.array([0.1, -0.2], np.float32),
    "np.ndarray bool[2] [True, False]": np.array([True, False]),
    "np.ndarray complex128[1] [1+2j]": np.array([1 + 2j]),
    "np.ndarray <U2[2] ['a', 'bc']": np.array(["a", "bc"]),
    "np.ndarray float64[] 3.5": np.array(3.5),
    "np.ma.MaskedArray int64[3] [1, --, 3]": np.ma.array([1, 2, 3], mask=[0, 1, 0]),
    "np.ndarray float64[0, 3]": np.zeros((0, 3)),
    "np.ndarray object[2]": np.array([None, []], object),
    "np.ndarray {x: int32, y: float64[3]}[1]": np.zeros(1, [("x", "i4"), ("y", "f8", 3)]),
}


@pytest.mark.parametrize("expected", SUMMARIES)
def test_summary_says_type_axes_and_values_in_one_line(expected):
    assert summary(SUMMARIES[expected]) == expected


def test_summary_names_axes_that_have_names():
    info = ArrayInfo("", "float32", (Axis(16, name="heads"), Axis(64, position=0), Axis(3, name=7)))
    statistics = Statistics(finite=3, mean=-1.5e-6, std=0.007, low=-0.1, high=0.2, nans=2)
    expected = "float32[heads:16, 64, 7:3] ≈-1.5e-06 ±0.007 [-0.1, 0.2] nan:2"
    assert summary_text(info, statistics=statistics).plain == expected


def test_summary_groups_large_counts():
    info = ArrayInfo("", "float32", (Axis(10**7, position=0),))
    text = summary_text(info, statistics=Statistics(finite=9, low=1.0, high=2.0, nans=1234567))
    assert text.plain == "float32[10000000] [1, 2] nan:1_234_567"


def test_summary_says_why_values_are_missing():
    info = ArrayInfo("X", "float32", (), problem="deleted", note="on cpu:1")
    assert summary_text(info).plain == "X float32[] on cpu:1 <deleted>"
    assert ("<deleted>", "error") in [(s.strip(), style) for s, style in summary_text(info).spans]
    fine = ArrayInfo("X", "float32", ())
    assert summary_text(fine, name="Y", skipped="too large").plain == "Y float32[] <too large>"
    assert summary_text(fine, failure="OSError: gone").plain == "X float32[] <OSError: gone>"


def test_long_texts_are_cut():
    text = values_text(np.array(["x" * 200]))
    assert len(text) == 100
    assert text.endswith("…")


def test_hostile_texts_and_names_cannot_leave_the_line():
    info = ArrayInfo("X", "float32", (Axis(2, name="a\nb\u202e"),))
    assert summary_text(info).plain == "X float32[a\\nb\\u202e:2]"


@pytest.mark.parametrize(
    ("dtype", "name"),
    [
        ("f4", "float32"),
        (">f4", ">f4"),
        ("S3", "S3"),
        ("M8[ns]", "datetime64[ns]"),
        ("V3", "V3"),
        ("O", "object"),
        ([("a", [("b", "?")])], "{a: {b: bool}}"),
    ],
)
def test_element_types_have_short_names(dtype, name):
    assert dtype_name(np.dtype(dtype)) == name
