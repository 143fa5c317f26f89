"""Totals: counts and bytes in words."""

import pytest

from treeview._totals import add_totals, short_bytes, short_count, totals_text


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


def test_totals_add_up_by_unit():
    totals = {"parameters": (1, 4)}
    add_totals(totals, {"parameters": (2, 8), "values": (5, 5)})
    assert totals == {"parameters": (3, 12), "values": (5, 5)}


def test_totals_read_as_words():
    totals = {"parameters": (268_098_176, 1_072_392_704), "values": (3, 12)}
    words = "268.1M parameters, 1.1 GB; 3 values, 12 B"
    assert totals_text(totals, at_least=False) == words
    assert totals_text({"values": (3, 12)}, at_least=True) == "≥3 values, ≥12 B"
