"""Sparse arrays of SciPy."""

import numpy as np
import pytest
import treeview
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse
from treeview.adapters.scipy import SparseAdapter
from treeview.arrays.statistics import array_statistics

FORMATS = ["bsr", "coo", "csc", "csr", "dia", "dok", "lil"]


def test_importing_treeview_imports_no_scipy(imported_by_treeview):
    assert imported_by_treeview("scipy", "treeview.adapters.scipy") == []


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("kind", ["array", "matrix"])
def test_every_format_is_an_array_with_the_count_of_its_values(shown, form, kind):
    cls = getattr(sparse, f"{form}_{kind}")
    assert shown(cls(np.eye(3)), 100) == (
        f"{form}_{kind} float64[3, 3] ≈0.33 ±0.47 [0, 1] zero:6 {form} nnz:3"
    )


values = st.sampled_from([0.0, 0.0, 0.0, 1.0, -2.5, np.nan, np.inf])


@given(st.lists(st.lists(values, min_size=3, max_size=3), min_size=1, max_size=4))
def test_statistics_and_windows_equal_those_of_the_dense_array(rows):
    dense, adapter = np.array(rows), SparseAdapter()
    window = (np.arange(0, len(rows), 2), np.array([0, 2]))
    for form in FORMATS:
        array = sparse.coo_array(dense).asformat(form)
        (found,), wanted = adapter.statistics([array]), array_statistics(dense)
        for name in ("finite", "zeros", "nans", "positive_infinities", "low", "high"):
            assert getattr(found, name) == getattr(wanted, name), (form, name)
        assert (found.mean, found.std) == pytest.approx((wanted.mean, wanted.std))
        (part,) = adapter.fetch([(array, window)])
        np.testing.assert_array_equal(part, dense[np.ix_(*window)])


def test_values_stored_twice_add_up(shown):
    twice = sparse.coo_array(([1.0, 2.0], ([0, 0], [1, 1])), shape=(5, 5))
    assert shown(twice) == "coo_array float64[5, 5] ≈0.12 ±0.59 [0, 3] zero:24 coo nnz:2"


def test_huge_sparse_arrays_are_never_made_dense(shown):
    huge = sparse.coo_array(([1.0], ([3], [5])), shape=(10**9, 10**9))
    assert "nnz:1" in shown(huge, 200)
    assert "data:image/png" in treeview.render_html(huge, autovisualize=True)


def test_arrays_of_one_axis_and_other_types_are_shown(shown):
    assert shown(sparse.coo_array(np.array([0, 0, 3]))) == "coo_array int64[3] [0, 0, 3] coo nnz:1"
    assert "bool[3, 3]" in shown(sparse.csr_array(np.eye(3, dtype=bool)))
    assert "complex128[3, 3]" in shown(sparse.csr_array(np.eye(3) * 1j))


def test_broken_arrays_say_what_is_broken(survives):
    array = sparse.csr_array(np.eye(12))
    array.indices = np.array([99] * 12, dtype=array.indices.dtype)
    array.data = array.data[:3]
    assert survives(array).startswith("csr_array float64[12, 12]")
