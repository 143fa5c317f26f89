"""The roundtrip view of a page: made where it is cheap, and only where it says something else."""

import json

import numpy as np
import pytest
from bs4 import BeautifulSoup

import treeview
from treeview._exact import exact_source
from treeview._walk import build_document


class Point:
    def __init__(self, x):
        self.x = x


def source(value, **changes):
    options = treeview.Options(**changes)
    return exact_source(value, build_document(value, options=options), options)


def test_it_is_the_document_of_a_roundtrip():
    value = {"text": "word " * 60, "array": np.arange(3)}
    exact = treeview.Rendering(source(value)(), treeview.Options(roundtrip=True)).text()
    assert exact == treeview.render_text(value, roundtrip=True)


LARGE = {
    "many values": [[0] * 80 for _ in range(80)],
    "a large array": [np.zeros(5_000)],
    "something left out": [[1] * 5],
    "a scalar": 3,
    "a roundtrip already": [Point(1)],
}


@pytest.mark.parametrize("name", LARGE)
def test_nothing_is_made_where_it_costs_much_or_adds_nothing(name):
    changes = {"something left out": {"max_items": 3}, "a roundtrip already": {"roundtrip": True}}
    assert source(LARGE[name], **changes.get(name, {})) is None


def payloads(value):
    soup = BeautifulSoup(treeview.Page("T").add(value).html(), "html.parser")
    return [json.loads(one.string) for one in soup.find_all("script", class_="tv-data")]


def test_a_page_holds_it_where_it_reads_otherwise():
    shown, exact = payloads([Point(1)])
    assert "Point" in shown
    assert f"{Point.__module__}.Point" in exact


def test_a_page_does_not_hold_the_same_twice():
    assert len(payloads([1, {"a": None}, "text"])) == 1
