"""Histograms in summaries, against a count of each value by itself."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from treeview.arrays.histogram import (
    LEAST_VALUES,
    SAMPLE_SIZE,
    histogram,
    histogram_text,
    part_count,
    sample_step,
)
from treeview.arrays.statistics import array_statistics


def frequencies(array):
    found = array_statistics(array)
    assert found is not None
    return found.histogram


def exact_densities(values, low, high):
    """For each part of a range of integers, how many values a single integer in it has."""
    parts, size = min(8, high - low + 1), high - low + 1
    members = [[k for k in range(size) if k * parts // size == part] for part in range(parts)]
    counts = [sum(value - low in group for value in values) for group in members]
    return [Fraction(count, len(group)) for count, group in zip(counts, members, strict=True)]


@given(
    npst.arrays(
        npst.integer_dtypes(endianness="=") | npst.unsigned_integer_dtypes(endianness="="),
        st.integers(LEAST_VALUES, 60),
        elements=st.integers(0, 100),
    )
)
@settings(max_examples=50)
def test_integers_are_counted_in_parts_of_whole_numbers(array):
    values = array.tolist()
    low, high = min(values), max(values)
    expected = [] if low == high else [float(one) for one in exact_densities(values, low, high)]
    assert list(frequencies(array)) == pytest.approx(expected)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.longdouble])
def test_numbers_are_counted_in_equal_parts_of_their_range(dtype):
    array = np.random.default_rng(0).normal(size=(60, 70)).astype(dtype)
    expected, _ = np.histogram(array.astype(np.float64), bins=8)
    assert frequencies(array) == pytest.approx(expected, abs=1)


@pytest.mark.parametrize("change", [lambda a: a.T, lambda a: a[::-2, 1:], np.asfortranarray])
def test_layout_in_memory_does_not_matter(change):
    array = change(np.random.default_rng(1).normal(size=(60, 70)))
    assert frequencies(array) == frequencies(np.ascontiguousarray(array))


def test_what_is_not_finite_or_masked_is_not_counted():
    array = np.linspace(0, 1, 64)
    with_more = np.concatenate([array, [np.nan, np.inf, -np.inf]])
    masked = np.ma.array(np.concatenate([array, [99.0]]), mask=[False] * 64 + [True])
    assert frequencies(array) == frequencies(with_more) == frequencies(masked) == (8.0,) * 8


@example(18_480)
@example(30_030)
@given(st.integers(1, 10**12))
def test_samples_prefer_no_column_of_a_matrix(size):
    step = sample_step(size)
    assert np.gcd(step, size) == 1
    # 18,480 is even and a multiple of 3, 5, 7 and 11, so only every 13th value is left.
    assert size < 2 * SAMPLE_SIZE or SAMPLE_SIZE / 6 < size / step < 2 * SAMPLE_SIZE


def test_large_arrays_tell_about_all_of_their_columns():
    scale = np.where(np.arange(1024) % 2, 1.0, 0.0)
    array = np.random.default_rng(0).uniform(size=(600, 1024)) * scale
    expected, _ = np.histogram(array, bins=8)
    found = np.array(frequencies(array))
    assert found / found.sum() == pytest.approx(expected / expected.sum(), abs=0.02)


@pytest.mark.parametrize("largest", [1.7e308, 1e-300, 5e-324 * 100])
def test_extreme_magnitudes_have_a_histogram(largest):
    array = np.concatenate([np.full(30, -largest), np.full(10, largest)])
    assert frequencies(array) == (30, 0, 0, 0, 0, 0, 0, 10)


def test_extreme_integers_have_a_histogram():
    signed = np.array([-(2**63), 2**63 - 1, 2**63 - 2] * 20)
    unsigned = np.array([0, 2**64 - 1, 2**64 - 2] * 20, np.uint64)
    for array in (signed, unsigned):
        assert histogram_text(frequencies(array)) == "▅▁▁▁▁▁▁█"
    near = np.array([2**63 - 1, 2**63 - 3] * 20)
    assert frequencies(near) == (20, 0, 20)


@pytest.mark.parametrize(
    "array",
    [
        np.linspace(0, 1, LEAST_VALUES - 1),
        np.full(100, 3.5),
        np.full(100, np.nan),
        np.zeros((0, 5)),
        np.arange(64.0) * 1j,
        np.arange(64) > 3,
        np.array(["a"] * 64),
        np.arange(64).astype("M8[D]"),
    ],
)
def test_too_few_values_equal_values_and_what_is_no_real_number_have_none(array):
    found = array_statistics(array)
    assert found is None or found.histogram == ()


@pytest.mark.parametrize("name", ["bfloat16", "float8_e4m3fn", "int4"])
def test_small_types_of_accelerators_are_counted(name):
    ml_dtypes = pytest.importorskip("ml_dtypes")
    array = np.resize(np.arange(8.0, dtype=np.float32), 64).astype(getattr(ml_dtypes, name))
    expected = (8.0,) * 8
    if name != "int4":
        expected, _ = np.histogram(array.astype(np.float64), bins=8)
    assert frequencies(array) == tuple(expected)


def test_blocks_are_as_high_as_their_parts_are_frequent():
    assert histogram_text([0, 1, 2, 3, 4, 5, 6, 7]) == "▁▂▃▄▅▆▇█"
    assert histogram_text([]) == histogram_text([0, 0]) == ""


def test_what_other_adapters_claim_cannot_break_a_summary():
    assert histogram_text([float("nan"), 1]) == histogram_text([1, float("nan")]) == ""
    assert histogram_text([float("inf"), 1]) == ""
    assert histogram_text([-5, 1]) == "▁█"


def test_a_range_that_is_none_has_no_parts():
    values = np.zeros(50)
    assert histogram(values, 1.0, 1.0, whole=False) == ()
    assert part_count(3, 4, whole=True) == 2
