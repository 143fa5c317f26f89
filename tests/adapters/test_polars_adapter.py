"""Tables, columns and lazy tables of polars."""

import polars as pl
import pytest
import treeview


def test_importing_treeview_imports_no_polars(imported_by_treeview):
    assert imported_by_treeview("polars", "treeview.adapters.polars") == []


def test_a_table_shows_types_and_rows(lines):
    frame = pl.DataFrame({"number": [1, 2], "text": ["x", None]})
    assert lines(frame) == [
        "DataFrame(  # 2 rows, 2 columns, 17 B",
        "  number    text",
        "   Int64  String",
        "       1       x",
        "       2    null",
        ")",
    ]


def test_a_long_column_shows_its_head_and_end(lines):
    assert lines(pl.Series("s", range(1000)))[:3] == [
        "Series(  # 1,000 rows, 8.0 kB",
        "      s",
        "  Int64",
    ]
    assert lines(pl.Series("s", range(1000)))[9:] == [
        "  … 992 more rows",
        "    998",
        "    999",
        ")",
    ]


def test_lists_in_cells_stay_on_their_line(lines):
    assert lines(pl.Series([[1, 2], [3]])) == [
        "Series(  # 2 rows, 40 B",
        "  List(Int64)",
        "       [1, 2]",
        "          [3]",
        ")",
    ]


def test_lazy_tables_are_never_collected(shown, monkeypatch):
    def boom(*_, **__):
        raise RuntimeError("collected")

    lazy = pl.DataFrame({"a": [1]}).lazy()
    for name in ("collect", "explain", "collect_schema", "_repr_html_", "__repr__", "show_graph"):
        monkeypatch.setattr(pl.LazyFrame, name, boom, raising=False)
    assert shown(lazy) == "<LazyFrame not collected>"
    assert "not collected" in treeview.render_html(lazy)


def test_expressions_and_types_are_written(shown):
    assert shown(pl.col("a")) == '<Expr col("a")>'
    assert shown(pl.Int64).startswith("polars.Int64")


def test_a_broken_table_is_still_named(survives):
    class Lying(pl.DataFrame):
        @property
        def width(self):
            raise ValueError("boom")

    assert "boom" in survives(Lying({"a": [1]}))
