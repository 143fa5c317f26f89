"""Statistics of NumPy arrays, against NumPy in extended precision."""

import math
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from treeview.arrays.protocol import Statistics
from treeview.arrays.statistics import array_statistics, number_kind

SHAPES = npst.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=6)
INTEGERS = npst.integer_dtypes(endianness="?") | npst.unsigned_integer_dtypes(endianness="?")
FLOATS = npst.floating_dtypes(endianness="?", sizes=(16, 32, 64))


def exact_moments(values):
    """Mean and standard deviation in whole numbers and fractions, without rounding."""
    from fractions import Fraction

    items = [Fraction(value) for value in values]
    mean = sum(items) / len(items)
    variance = sum((item - mean) ** 2 for item in items) / len(items)
    return float(mean), math.isqrt(int(variance * 10**40)) / 10**20


def close(found, expected, scale):
    return found == pytest.approx(expected, rel=1e-6, abs=1e-9 * scale)


@given(npst.arrays(INTEGERS, SHAPES))
def test_integers_have_exact_extremes_and_counts(array):
    found = array_statistics(array)
    values = [int(value) for value in array.ravel()]
    assert found.finite == len(values)
    if not values:
        assert found == Statistics(finite=0)
        return
    assert (found.low, found.high) == (min(values), max(values))
    assert type(found.low) is type(found.high) is int
    assert found.zeros == values.count(0)
    mean, std = exact_moments(values)
    assert found.mean == pytest.approx(mean, rel=1e-9, abs=1e-6 * std)
    assert found.std == pytest.approx(std, rel=1e-6)


@given(npst.arrays(FLOATS, SHAPES))
def test_floats_have_exact_extremes_and_moments_of_what_is_finite(array):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = array_statistics(array)
    values = [float(value) for value in array.ravel()]
    finite = [value for value in values if math.isfinite(value)]
    assert found.finite == len(finite)
    assert found.nans == sum(map(math.isnan, values))
    assert found.positive_infinities == values.count(math.inf)
    assert found.negative_infinities == values.count(-math.inf)
    assert found.zeros == finite.count(0.0)
    if not finite:
        assert (found.mean, found.std, found.low, found.high) == (None, None, None, None)
        return
    assert (found.low, found.high) == (min(finite), max(finite))
    largest = max(map(abs, finite))
    mean, std = scaled_moments(finite, largest)
    assert close(found.mean, mean, largest)
    assert close(found.std, std, largest)


def scaled_moments(values, largest):
    if largest == 0:
        return 0.0, 0.0
    mean, std = exact_moments([value / largest for value in values])
    return mean * largest, std * largest


@given(npst.arrays(np.bool_, SHAPES))
def test_truth_values_are_counted(array):
    found = array_statistics(array)
    assert found.finite == array.size
    assert found.zeros == int((~array).sum())
    if array.size:
        assert found.mean == pytest.approx(array.mean())
        assert found.std == pytest.approx(array.std())
        assert (found.low, found.high) == (array.all(), array.any())


@given(
    npst.arrays(
        npst.complex_number_dtypes(endianness="="),
        SHAPES,
        elements=st.complex_numbers(max_magnitude=1e6, width=64),
    )
)
def test_complex_numbers_have_moments_in_the_plane(array):
    found = array_statistics(array)
    wide = array.astype(np.complex128)
    assert found.finite == array.size
    assert found.zeros == int((array == 0).sum())
    if array.size:
        scale = float(np.abs(wide).max())
        assert close(found.mean, wide.mean(), scale)
        assert close(found.std, wide.std(), scale)


@pytest.mark.parametrize("largest", [1e300, 1e-300, 5e-324])
def test_extreme_complex_numbers_neither_overflow_nor_vanish(largest):
    found = array_statistics(np.array([complex(0, largest), complex(0, -largest)]))
    assert (found.mean, found.std) == (0, largest)


def test_complex_numbers_that_are_not_finite_are_counted_apart():
    array = np.array([1, complex(math.nan, math.inf), complex(-math.inf, 0), 0])
    found = array_statistics(array)
    assert (found.finite, found.nans, found.positive_infinities) == (2, 1, 1)
    assert found.mean == 0.5


@given(npst.arrays(npst.datetime64_dtypes() | npst.timedelta64_dtypes(), SHAPES))
def test_times_have_extremes_and_count_what_is_no_time(array):
    found = array_statistics(array)
    valid = array[~np.isnat(array)]
    assert (found.finite, found.nans) == (valid.size, array.size - valid.size)
    assert found.mean is None
    if valid.size:
        assert (found.low, found.high) == (valid.min(), valid.max())


@pytest.mark.parametrize("dtype", [np.int32, np.float32, np.float64, np.bool_])
@settings(max_examples=25)
@given(data=st.data())
def test_masked_values_count_nowhere_but_as_masked(dtype, data):
    shape = data.draw(SHAPES)
    array = data.draw(npst.arrays(dtype, shape))
    mask = data.draw(npst.arrays(np.bool_, shape))
    found = array_statistics(np.ma.array(array, mask=mask))
    expected = array_statistics(np.asarray(array)[~mask])
    assert found.masked == int(mask.sum())
    for name in ("finite", "low", "high", "zeros", "nans", "mean", "std"):
        assert getattr(found, name) == getattr(expected, name)


@pytest.mark.parametrize(
    "change",
    [
        lambda a: a.T,
        lambda a: a[::2, ::-1],
        lambda a: np.asfortranarray(a),
        lambda a: a[:, 1],
        lambda a: np.broadcast_to(a[:, :1], (200, 300)),
    ],
)
def test_layout_in_memory_does_not_matter(change):
    array = change(np.random.default_rng(0).normal(size=(200, 700)).astype(np.float32))
    found = array_statistics(array)
    wide = array.astype(np.float64)
    assert found.finite == array.size
    assert found.mean == pytest.approx(wide.mean(), abs=1e-12)
    assert found.std == pytest.approx(wide.std(), rel=1e-10)
    assert (found.low, found.high) == (wide.min(), wide.max())


def test_repeated_memory_is_read_once():
    array = np.broadcast_to(np.array([0.0, 2.0, np.nan]), (10**9, 3))
    found = array_statistics(array)
    assert found == Statistics(
        finite=2 * 10**9, mean=1.0, std=1.0, low=0.0, high=2.0, zeros=10**9, nans=10**9
    )


def test_deviation_survives_a_mean_that_is_much_larger():
    offset = 2.0**40
    found = array_statistics(np.array([offset, offset + 1, offset + 2]))
    assert found.std == pytest.approx(math.sqrt(2 / 3), rel=1e-9)
    integers = array_statistics(np.array([2**63 - 1, 2**63 - 3]))
    assert (integers.std, integers.low, integers.high) == (1.0, 2**63 - 3, 2**63 - 1)


@pytest.mark.parametrize("largest", [1e300, 1e-300, 5e-324, 1.7e308])
def test_extreme_magnitudes_neither_overflow_nor_vanish(largest):
    found = array_statistics(np.array([largest, -largest, np.inf]))
    assert (found.mean, found.std) == (0.0, largest)


@pytest.mark.parametrize(
    "name", ["bfloat16", "float8_e4m3fn", "float8_e5m2", "float4_e2m1fn", "int4", "uint4", "uint2"]
)
def test_small_types_of_accelerators_are_numbers(name):
    ml_dtypes = pytest.importorskip("ml_dtypes")
    array = np.array([0, 1, 3, 2, 1], np.float32).astype(getattr(ml_dtypes, name))
    found = array_statistics(array)
    assert (found.low, found.high, found.zeros, found.finite) == (0, 3, 1, 5)
    assert found.mean == pytest.approx(1.4)


def test_long_doubles_keep_their_extremes():
    array = np.array([1, 2], np.longdouble) * np.longdouble(10) ** 300
    found = array_statistics(array)
    assert (found.low, found.high) == (array[0], array[1])


@pytest.mark.parametrize(
    "array",
    [
        np.array(["a"]),
        np.array([b"a"]),
        np.array([None]),
        np.zeros(2, [("x", int)]),
        np.array([b"ab"], np.void),
    ],
)
def test_what_is_not_a_number_has_no_statistics(array):
    assert array_statistics(array) is None
    assert number_kind(array.dtype) == ""
