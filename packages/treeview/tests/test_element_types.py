"""What summaries, trees and pictures say of arrays of every element type."""

import math
from typing import Any

import numpy as np
import pytest
import treeview
from treeview.arrays.summary import number_text

NAN, INF = math.nan, math.inf

TYPES: dict[str, tuple[Any, str, str]] = {
    "int64": (
        [[2**40 + 1, 2**40 + 2], [-(2**63), 2**63 - 1]],
        "int64[2, 2] ≈5.5e+11 ±6.5e+18 [-9223372036854775808, 9223372036854775807]",
        "int64[2, 2]: values from -9.22e+18 to 9.22e+18",
    ),
    "uint64": (
        [[0, 2**64 - 1], [2**63, 1]],
        "uint64[2, 2] ≈6.9e+18 ±7.6e+18 [0, 18446744073709551615] zero:1",
        "uint64[2, 2]: values from 0 to 1.84e+19",
    ),
    ">i4": ([[0, 1, 2], [3, 4, 5]], ">i4[2, 3] ≈2.5 ±1.7 [0, 5] zero:1", ">i4[2, 3]: values"),
    "float16": (
        [[65504, 6e-8]],
        "float16[1, 2] ≈32752 ±32752 [6e-08, 65504]",
        "float16[1, 2]: values from 5.96e-08 to 65504",
    ),
    "float64": (
        [[1e300, -1e300], [1e-300, 5e-324]],
        "float64[2, 2] ≈0 ±7.1e+299 [-1e+300, 1e+300]",
        "float64[2, 2]: values from -1e+300 to 1e+300",
    ),
    "complex128": (
        [[1 + 2j, complex(NAN, 0)], [complex(INF, 0), 0]],
        "complex128[2, 2] ≈0.5+1j ±1.1 zero:1 nan:1 inf:1",
        "complex128[2, 2]: magnitudes from 0 to 2.24, phases as hues, 1 NaN, 1 infinite",
    ),
    "datetime64[D]": (
        [["2020-01-01", "NaT"], ["2021-06-01", "2022-01-01"]],
        "datetime64[D][2, 2] [2020-01-01, 2022-01-01] nan:1",
        "datetime64[D][2, 2]: times from 2020-01-01 to 2022-01-01, 1 NaN",
    ),
    "timedelta64[s]": (
        [[1, 2], ["NaT", 3]],
        "timedelta64[s][2, 2] [1 seconds, 3 seconds] nan:1",
        "timedelta64[s][2, 2]: times from 1 seconds to 3 seconds, 1 NaN",
    ),
    "bool": ([[True, False], [False, False]], "bool[2, 2] true:1 false:3", "bool[2, 2]: truth"),
    "<U9": ([["a", "b"], ["c", "</script>"]], "<U9[2, 2]", "<U9[2, 2]: 4 categories"),
    "S1": ([[b"a", b"\xff"]], "S1[1, 2]", "S1[1, 2]: 2 categories"),
    "object": ([[None, {}], [1, "x"]], "object[2, 2]", "object[2, 2]: 4 categories"),
}
VALUES: dict[str, tuple[Any, str, str]] = {
    "nothing but NaN": (
        np.full((3, 4), NAN),
        "float64[3, 4] nan:12",
        "float64[3, 4]: no finite values, 12 NaN",
    ),
    "nothing but infinities": (
        np.full((3, 4), INF),
        "float64[3, 4] inf:12",
        "float64[3, 4]: no finite values, 12 infinite",
    ),
    "a constant": (
        np.full((3, 4), 7.5),
        "float64[3, 4] all 7.5",
        "float64[3, 4]: values from 7.5 to 7.5",
    ),
    "no values": (np.zeros((0, 5)), "float64[0, 5]", "float64[0, 5] without values"),
    "no integers": (np.zeros((3, 0), int), "int64[3, 0]", "int64[3, 0] without values"),
    "no axes": (np.array(3.25), "float64[] 3.25", "float64[]: values from 3.25 to 3.25"),
    "an object": (np.array(None), "object[]", "object[]: 1 category"),
    "records": (
        np.zeros((2, 2), [("a", "i4"), ("b", "f8", 2)]),
        "{a: int32, b: float64[2]}[2, 2]",
        "{a: int32, b: float64[2]}[2, 2] by field; a: int32[2, 2]: values from 0 to 0",
    ),
}


def check(array, title, summary, description):
    """Compares the summary whole, and begins to draw in every way there is."""
    assert treeview.render_text(array, width=200) == f"{title} {summary}"
    tree = treeview.render([array], autovisualize=True)
    assert f"{title} {summary}" in tree.text(width=200)
    assert "<no picture" not in tree.html()
    figure = treeview.render_array(array)
    assert figure.text().startswith(description)
    assert "<img " in figure.html()


@pytest.mark.parametrize("dtype", TYPES)
def test_every_element_type_shows_what_it_holds(dtype):
    values, summary, description = TYPES[dtype]
    check(np.array(values, dtype), "np.ndarray", summary, description)


@pytest.mark.parametrize("what", VALUES)
def test_odd_arrays_show_what_they_hold(what):
    array, summary, description = VALUES[what]
    check(array, "np.ndarray", summary, description)


def test_what_is_masked_is_neither_counted_nor_drawn():
    array = np.ma.masked_array([[1.0, 2.0], [1e20, 4.0]], mask=[[False, False], [True, False]])
    summary = "float64[2, 2] ≈2.3 ±1.2 [1, 4] masked:1"
    check(array, "np.ma.MaskedArray", summary, "float64[2, 2]: values from 1 to 4, 1 masked")
    nothing = np.ma.array(np.ones((2, 5)), mask=True)
    described = "float64[2, 5]: no finite values, 10 masked"
    check(nothing, "np.ma.MaskedArray", "float64[2, 5] masked:10", described)


@pytest.mark.parametrize(
    "name",
    ["bfloat16", "float8_e4m3fn", "float8_e5m2", "float4_e2m1fn", "int4", "uint4", "uint2"],
)
def test_small_types_of_accelerators_show_what_they_hold(name):
    ml_dtypes = pytest.importorskip("ml_dtypes")
    array = np.array([[0, 1], [1, 2]], np.float32).astype(getattr(ml_dtypes, name))
    summary = f"{name}[2, 2] ≈1 ±0.71 [0, 2] zero:1"
    check(array, "np.ndarray", summary, f"{name}[2, 2]: values from 0 to 2")


def test_random_keys_of_jax_have_a_summary_and_no_picture():
    jax = pytest.importorskip("jax")
    keys = jax.random.split(jax.random.key(0), (2, 3))
    assert treeview.render_text(keys, autovisualize=True) == "jax.Array key<fry>[2, 3]"
    with pytest.raises(TypeError, match="Expected an array of numbers.*got jax.Array key<fry>"):
        treeview.render_array(keys)


@pytest.mark.skipif(
    np.finfo(np.longdouble).max == np.finfo(float).max, reason="long doubles are doubles here"
)
def test_long_doubles_beyond_the_range_of_doubles_are_written():
    array = np.array([[1, 2]], np.longdouble) * np.longdouble(10) ** 400
    text = treeview.render_text(array)
    assert text.endswith("[1, 2] ≈1.5e+400 ±5e+399 [1e+400, 2e+400]")
    assert number_text(np.longdouble(10) ** -400) == "1e-400"
    assert number_text(np.longdouble(0)) == "0"
