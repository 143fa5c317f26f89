"""Totals: counts and bytes in words."""

import numpy as np
import pytest

import treeview
from treeview._totals import ArrayShare, Totals, short_bytes, short_count


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0"),
        (9_999, "9,999"),
        (10_000, "10.0K"),
        (999_949, "999.9K"),
        (999_999, "1.0M"),
        (268_098_176, "268.1M"),
        (7_000_000_000, "7.0B"),
        (10**18, "1000000.0T"),
    ],
)
def test_counts_are_short(count, text):
    assert short_count(count) == text


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (999_999, "1.0 MB"),
        (1_072_392_704, "1.1 GB"),
    ],
)
def test_sizes_are_short(size, text):
    assert short_bytes(size) == text


def share(unit="values", dtype="float32", count=1, size=4, nans=0, infinities=0):
    return ArrayShare(unit, dtype, count, size, nans, infinities)


def total(*shares):
    found = Totals()
    for one in shares:
        found.add(one)
    return found


def test_totals_add_up_by_unit_and_by_element_type():
    found = total(share("parameters", count=2, size=8, nans=1), share(dtype="int8", size=1))
    assert found.units == {"parameters": (2, 8), "values": (1, 1)}
    assert found.dtypes == {"float32": (2, 8), "int8": (1, 1)}
    assert (found.count, found.bytes, found.arrays, found.nans) == (3, 9, 2, 1)


def test_an_array_counted_twice_can_be_taken_away_once():
    found = total(share(nans=2), share(nans=2))
    found.add(share(nans=2), -1)
    assert found == total(share(nans=2))


def test_totals_add_up_to_totals():
    first, second = total(share(infinities=2)), total(share(dtype="int8"), share(nans=1))
    first.add(second)
    assert first == total(share(infinities=2), share(dtype="int8"), share(nans=1))


def test_what_nobody_looked_at_is_counted():
    assert total(share(), share(nans=None, infinities=None)).unread == 1


def test_totals_read_as_words():
    found = total(share("parameters", "bfloat16", 268_098_176, 536_196_352))
    assert str(found) == "268.1M parameters, 536.2 MB"
    found.add(share(count=3, size=12, nans=2, infinities=1))
    assert str(found) == (
        "268.1M parameters, 536.2 MB; 3 values, 12 B, >99% bfloat16, <1% float32, nan:2 inf:1"
    )
    found.partial = True
    assert str(found).startswith("≥268.1M parameters, ≥536.2 MB; ≥3 values")


def test_many_element_types_are_counted():
    found = total(*(share(dtype=f"int{bits}", count=bits) for bits in (8, 16, 32, 64)))
    assert str(found) == "120 values, 16 B, 53% int64, 27% int32, 13% int16, 1 more"


def test_a_rendering_knows_the_totals_of_what_it_shows():
    shared = np.array([1.0, np.nan], np.float32)
    tree = {"a": shared, "b": [shared, np.arange(3)]}
    assert treeview.render(tree).totals == treeview.totals(tree)
    assert treeview.render(shared).totals == treeview.totals(shared)
    assert str(treeview.render([1, "a"]).totals) == "no arrays"


def test_totals_of_a_rendering_are_lower_bounds_where_something_is_left_out():
    arrays = [np.zeros(10) for _ in range(9)]
    found = treeview.render(arrays, max_items=3).totals
    assert (found.count, found.partial) == (30, True)
    assert str(found) == "≥30 values, ≥240 B"
