"""Tables, columns and indices of pandas."""

import numpy as np
import pandas as pd
import pytest
import treeview

FRAME = pd.DataFrame(
    {
        "a": [1.0, 2.5, None],
        "b": ["x", "y", "z"],
        "c": pd.Categorical(["u", "v", "u"]),
        "d": pd.to_datetime(["2020", "2021", "2022"]),
        "e": pd.array([1, None, 3], dtype="Int64"),
    }
)


def test_importing_treeview_imports_no_pandas(imported_by_treeview):
    assert imported_by_treeview("pandas", "treeview.adapters.pandas") == []


def test_a_table_shows_types_and_rows_and_its_columns_as_arrays(lines):
    shown = lines(FRAME, 100)
    assert shown[0].startswith("DataFrame(  # 3 rows, 5 columns, ")
    assert shown[2].split() == [
        "float64",
        str(FRAME["b"].dtype),
        "category",
        str(FRAME["d"].dtype),
        "Int64",
    ]
    assert [shown[1], *shown[3:6]] == [
        "           a    b         c                    d      e",
        "  0      1.0    x         u  2020-01-01 00:00:00      1",
        "  1      2.5    y         v  2021-01-01 00:00:00   <NA>",
        "  2      nan    z         u  2022-01-01 00:00:00      3",
    ]
    assert shown[6].startswith("  columns={'a': float64[3] [1, 2.5, nan], 'b': ")
    assert shown[7] == ")"


def test_a_large_table_shows_its_head_and_end_and_counts_the_rest(lines):
    frame = pd.DataFrame(np.arange(100_000.0).reshape(1000, 100))
    shown = lines(frame, 60)
    assert shown[0] == "DataFrame(  # 1,000 rows, 100 columns, 800.1 kB"
    assert shown[1] == "             0        1        2        3  … 96 more"
    assert shown[3] == "    0      0.0      1.0      2.0      3.0"
    assert shown[9] == "  … 992 more rows"
    assert shown[10].split()[:2] == ["998", "99800.0"]
    assert max(map(len, shown)) <= 60


def test_a_table_of_many_columns_and_rows_reads_few_of_them(shown, monkeypatch):
    huge = pd.DataFrame(np.broadcast_to(np.int8(1), (10_000_000, 3)), copy=False)
    monkeypatch.setattr(pd.DataFrame, "__repr__", None)
    monkeypatch.setattr(pd.DataFrame, "_repr_html_", None)
    assert shown(huge, statistics=False).startswith("DataFrame(  # 10,000,000 rows, 3 columns")


def test_columns_show_their_values_and_statistics(lines):
    assert lines(pd.Series([1.5, 2.0], index=["p", "q"], name="s"))[1:] == [
        "           s",
        "     float64",
        "  p      1.5",
        "  q      2.0",
        "  values=float64[2] [1.5, 2]",
        ")",
    ]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (pd.RangeIndex(3), "RangeIndex(0, 3, 1)"),
        (pd.Index([1, 2], name="n"), "Index([1, 2])  # int64, named n"),
        (pd.MultiIndex.from_product([[1], ["a", "b"]]), "MultiIndex([(1, 'a'), (1, 'b')])"),
        (pd.Categorical(["u", "v"]), "Categorical(['u', 'v'])  # 2 categories"),
        (pd.array([1, None], dtype="Int64"), "IntegerArray([1, <NA>])  # Int64"),
        (pd.Timestamp("2020"), "Timestamp('2020-01-01 00:00:00')"),
        (pd.NA, "<NA>"),
        (pd.NaT, "NaT"),
        (pd.DataFrame(), "DataFrame()  # 0 rows, 0 columns, 132 B"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_value_looks_like_this(shown, value, text):
    if isinstance(value, pd.DataFrame):
        assert shown(value).startswith("DataFrame()  # 0 rows, 0 columns, ")
    else:
        assert shown(value) == text


def test_groups_show_what_is_grouped_by_what(lines):
    assert lines(FRAME.groupby("b"))[:2] == ["DataFrameGroupBy(", "  keys='b',"]


def test_a_folded_table_names_its_columns(shown):
    assert "DataFrame(a, b, c, d, e)" in shown([FRAME, FRAME.copy()], max_lines=4)


def test_pages_hold_the_head_as_text_and_no_markup_of_cells():
    frame = pd.DataFrame({"</script><script>alert(1)</script>": ["<b>bold</b>"] * 3})
    page = treeview.render_html(frame)
    assert "<script>alert" not in page
    assert "<b>bold" not in page


def test_broken_values_stay_in_their_cells(survives):
    class Sour:
        def __str__(self):
            raise ValueError("boom")

        __repr__ = __str__

    frame = pd.DataFrame({"a": [Sour(), "\x1b[2J\u202e"]}, dtype=object)
    text = survives(frame)
    assert "<__str__ raised ValueError: …" in text
    assert "\\x1b[2J\\u202e" in text


def test_a_broken_table_is_still_named(survives):
    class Lying(pd.DataFrame):
        @property
        def iloc(self):
            raise ValueError("boom")

    assert survives(Lying({"a": [1]})).startswith("<Lying")
    assert "boom" in survives(Lying({"a": [1]}))


def test_duplicate_column_names_have_no_path(shown):
    frame = pd.DataFrame([[1, 2]], columns=["a", "a"])
    assert "columns={'a': int64[1] [1], 'a': int64[1] [2]}" in shown(frame)


def test_roundtrip_text_is_marked(shown):
    assert shown(FRAME, roundtrip=True).startswith("<")
    assert shown(pd.Index([1]), roundtrip=True).startswith("<")
