"""Classes of attrs."""

import attrs


@attrs.define
class Item:
    name: str
    _size: int = 2
    parts: list = attrs.field(factory=list)
    cache: object = attrs.field(default=None, repr=False)


@attrs.define
class Login:
    user: str
    password: str = attrs.field(repr=lambda value: "***")


def test_a_class_shows_its_fields(lines, shown):
    assert shown(Item("a")) == "Item(name='a', _size=2, parts=[])"
    assert lines(Item("a", parts=[[1], {"b": 2}]), 20) == [
        "Item(",
        "  name='a',",
        "  _size=2,",
        "  parts=[",
        "    [1],",
        "    {'b': 2},",
        "  ],",
        ")",
    ]


def test_fields_with_a_printer_of_their_own_are_not_given_away(shown):
    assert shown(Login("ann", "hunter2")) == "Login(user='ann', password=***)"
    assert "hunter2" not in shown(Login("ann", "hunter2"), roundtrip=True)


def test_missing_fields_and_broken_printers_are_said(survives):
    @attrs.define
    class Sour:
        x: int = attrs.field(default=1, repr=lambda value: 1 / 0)
        y: int = 2

    sour = Sour()
    del sour.y
    assert (
        survives(sour)
        == "Sour(x=<.repr raised ZeroDivisionError: division by zero>, y=<is missing>)"
    )
