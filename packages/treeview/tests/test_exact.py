"""The roundtrip view of a page: made where it is cheap, and only where it says something else."""

import base64
import json
import zlib

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
    exact = treeview.Rendering(source(value).make(), treeview.Options(roundtrip=True)).text()
    assert exact == treeview.render_text(value, roundtrip=True)


WITHOUT = {
    "many nodes": ([[0] * 800 for _ in range(80)], {"max_nodes": 10**6}, "is too long"),
    "something left out": ([[1] * 5], {"max_items": 3}, "Parts of the value are not on"),
    "a scalar": (3, {}, ""),
    "a roundtrip already": ([Point(1)], {"roundtrip": True}, ""),
}


@pytest.mark.parametrize("name", WITHOUT)
def test_nothing_is_made_where_it_costs_much_or_adds_nothing(name):
    value, changes, reason = WITHOUT[name]
    found = source(value, **changes)
    assert found.make is None
    assert found.reason.startswith(reason) or reason in found.reason
    assert bool(found.reason) == bool(reason)


def exact_text(value):
    return treeview.Rendering(source(value).make(), treeview.Options(roundtrip=True)).text()


def test_long_arrays_stand_in_marks_that_python_refuses():
    value = {"long": np.zeros(30_000), "short": np.arange(3), "point": Point(1)}
    exact = exact_text(value)
    assert "'long': <np.ndarray float64[30000]>" in exact
    assert "'short': numpy.array([0, 1, 2], dtype='int64')" in exact
    assert f"{Point.__module__}.Point(x=1)" in exact
    # The limit is that of the page alone.
    assert "numpy.array([0.0, 0.0" in treeview.render_text(value, roundtrip=True)


def test_many_arrays_share_the_room_there_is():
    arrays = [np.zeros(1_000) for _ in range(100)] + [np.zeros(100)]
    exact = exact_text(arrays)
    assert exact.count("<np.ndarray float64[1000]>") == 100
    assert exact.count("numpy.array([0.0, ") == 1


def test_outputs_of_notebooks_hold_it_only_where_it_is_short():
    for value, short in (([Point(i) for i in range(400)], True), ([np.zeros(5_000)], False)):
        assert source(value).short is short


def header(html):
    data = BeautifulSoup(html, "html.parser").find("script", class_="tv-data")
    text = json.loads(data.string)
    if "data-packed" in data.attrs:
        text = zlib.decompress(base64.b64decode(text)).decode()
    return json.loads(text.split("\n")[0])


def test_an_output_without_it_says_where_to_find_it():
    value = [{"weights": np.zeros(10_000), "sizes": [i] * 9} for i in range(150)]
    rendering = treeview.render(value)
    assert "treeview.render(value).save('page.html')" in header(rendering.html())["reason"]
    assert "reason" not in header(rendering.card().html)
    assert "reason" not in header(treeview.render_html([[i] * 9 for i in range(900)]))


def payloads(value):
    soup = BeautifulSoup(treeview.Page("T").add(value).html(), "html.parser")
    return [json.loads(one.string) for one in soup.find_all("script", class_="tv-data")]


def test_a_page_holds_it_where_it_reads_otherwise():
    shown, exact = payloads([Point(1)])
    assert "Point" in shown
    assert f"{Point.__module__}.Point" in exact


def test_a_page_does_not_hold_the_same_twice():
    assert len(payloads([1, {"a": None}, "text"])) == 1
