"""Structs of msgspec."""

import msgspec


class Point(msgspec.Struct):
    x: int
    y: object = None


def test_importing_treeview_imports_no_msgspec(imported_by_treeview):
    assert imported_by_treeview("msgspec", "treeview.adapters.msgspec") == []


def test_a_struct_shows_its_fields(lines, shown):
    assert shown(Point(1)) == "Point(x=1, y=None)"
    assert lines(Point(1, list(range(3))), 20) == ["Point(", "  x=1,", "  y=[0, 1, 2],", ")"]
    assert shown(msgspec.UNSET) == "UNSET"


def test_a_struct_within_itself_ends(shown):
    point = Point(1)
    point.y = point
    assert shown(point) == "Point(x=1, y=<back to the Point at the root>)"


def test_missing_fields_and_broken_methods_are_said(survives):
    class Sour(msgspec.Struct):
        x: int

        def __repr__(self):
            raise ValueError("boom")

    sour = Sour(3)
    assert survives(sour) == "Sour(x=3)"
    del sour.x
    assert survives(sour) == "Sour(x=<is missing>)"
