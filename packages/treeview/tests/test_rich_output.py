"""Rich output that objects bring along."""

import dataclasses
import json

import pytest
from bs4 import BeautifulSoup

import treeview
from treeview import _document


class Card:
    def __repr__(self):
        return "Card(1)"

    def _repr_html_(self):
        return "<b id=card>bold</b><script>alert(1)</script>"


class Table:
    def __repr__(self):
        return "a  b\n1  2"

    def _repr_html_(self):
        return "<table><tr><td>1</table>"


class Fields:
    def __init__(self):
        self.size = 3

    def _repr_svg_(self):
        return "<svg></svg>"


@dataclasses.dataclass
class Record:
    size: int = 3

    def _repr_png_(self):
        return b"\x89PNG"


def frames(obj):
    page = BeautifulSoup(treeview.render_html(obj), "html.parser")
    return page.find_all("iframe")


@pytest.mark.parametrize(("shown", "count"), [(treeview.bolded("ours"), 1), (Card(), 0)])
def test_only_a_figure_of_treeview_fills_its_frame(shown, count):
    html = treeview.render_html(Record(), autovisualize=lambda *_: shown)
    frame = BeautifulSoup(html, "html.parser").iframe
    assert frame["srcdoc"].count("<style>body{margin:0}</style>") == count


def test_text_stays_the_text_of_the_object():
    assert treeview.render_text(Card()) == "Card(1)"
    assert treeview.render_text([Card()]) == "[Card(1)]"
    assert treeview.render_text(Table()) == "<Table\n  a  b\n  1  2\n  <HTML>\n>"
    assert treeview.render_text(Fields()) == "Fields(size=3, <SVG>)"
    assert treeview.render_text(Record()) == "Record(size=3, <PNG image>)"


def test_pages_show_it_in_a_sandbox_that_is_a_stranger():
    (frame,) = frames({"card": Card()})
    assert frame["sandbox"] == ["allow-scripts"]
    assert "<b id=card>bold</b>" in frame["srcdoc"]
    page = treeview.render_html({"card": Card()})
    assert BeautifulSoup(page, "html.parser").find(id="card") is None


def test_images_are_embedded_without_a_sandbox():
    page = BeautifulSoup(treeview.render_html(Record()), "html.parser")
    (image,) = page.find_all("img")
    assert image["src"] == "data:image/png;base64,iVBORw=="
    assert image["alt"] == "<PNG image>"
    assert page.find_all("iframe") == []


@pytest.mark.parametrize(
    "attack",
    [
        '<img src="data:image/png;base64,AA==" onerror="alert(1)">',
        '<img src="data:image/png;base64,AA=="><script>alert(1)</script>',
        '<img src="data:image/svg+xml;base64,AA==">',
        '<img src="https://example.org/a.png">',
    ],
)
def test_what_is_more_than_pixels_stays_in_the_sandbox(attack):
    class Attack(Card):
        def _repr_html_(self):
            return attack

    (frame,) = frames(Attack())
    assert attack in frame["srcdoc"]


def test_a_method_that_returns_other_text_as_an_image_cannot_leave_its_attribute():
    class Attack(Card):
        _repr_html_ = None

        def _repr_mimebundle_(self, include=None, exclude=None):
            return {"image/png": '"><script>alert(1)</script>'}

    page = treeview.render_html(Attack())
    assert BeautifulSoup(page, "html.parser").find(string="alert(1)") is None


@pytest.mark.parametrize(
    ("method", "name"), [("_repr_markdown_", "Markdown"), ("_repr_latex_", "LaTeX")]
)
def test_what_needs_typesetting_is_shown_as_it_is_written(method, name):
    kind = type("Written", (), {method: lambda self: "# <b>\n$x^2$"})
    assert treeview.render_text(kind()) == f"Written(<{name}>)"
    (frame,) = frames(kind())
    assert BeautifulSoup(frame["srcdoc"], "html.parser").pre.text == "# <b>\n$x^2$"


@pytest.mark.parametrize(
    ("html", "host"),
    [
        (
            '<script charset="utf-8" src="https://cdn.plot.ly/plotly.min.js"></script>',
            "cdn.plot.ly",
        ),
        ("<script>load('https://cdn.jsdelivr.net/npm/vega@6')</script>", "cdn.jsdelivr.net"),
    ],
)
def test_output_that_is_not_complete_says_where_the_rest_comes_from(html, host):
    class Plot(Card):
        def _repr_html_(self):
            return html

    assert treeview.render_text(Plot()) == f"Card(1) <HTML that loads {host}>"
    linked = type("Linked", (Card,), {"_repr_html_": lambda self: '<a href="https://a.org">a</a>'})
    assert treeview.render_text(linked()) == "Card(1)"


def payload(page):
    data = BeautifulSoup(page, "html.parser").find("script", class_="tv-data")
    return json.loads(json.loads(data.string).split("\n")[0])


def test_what_a_rule_wants_to_show_starts_unfolded_with_scripts_and_without():
    page = treeview.Page("T").add([1, Record()], autovisualize=lambda value, path: ruled(value))
    html = page.html()
    assert [leaf.get("open") for leaf in payload(html)["leaves"] if "view" in leaf] == [None, 1]
    opened = BeautifulSoup(html, "html.parser").find_all("details", open=True)
    assert any(one.find("iframe", recursive=False) for one in opened)


def ruled(value):
    return Card() if isinstance(value, Record) else None


@pytest.mark.parametrize(
    ("bundle", "html"),
    [
        ({"text/plain": "x", "text/html": "<i>x</i>"}, "<i>x</i>"),
        (({"text/html": "<i>x</i>"}, {"meta": 1}), "<i>x</i>"),
        ({"image/png": "iVBORw=="}, '<img src="data:image/png;base64,iVBORw==">'),
        ({"image/jpeg": b"\xff"}, '<img src="data:image/jpeg;base64,/w==">'),
    ],
)
def test_a_bundle_of_formats_gives_its_best_one(bundle, html):
    class Bundle:
        def _repr_mimebundle_(self, include=None, exclude=None):
            return bundle

    assert treeview.render(Bundle()).document.values[-1].html == html


def test_a_bundle_without_a_known_format_leaves_it_to_the_other_methods():
    class Widget(Card):
        def _repr_mimebundle_(self, include=None, exclude=None):
            return {"application/x-widget": {}}

    assert isinstance(treeview.render(Widget()).document, _document.Foreign)


def test_none_is_no_rich_output():
    class Quiet(Card):
        def _repr_html_(self):
            return None

    assert treeview.render(Quiet()).document == treeview._document.text(("Card", "type"), "(1)")


@pytest.mark.parametrize(
    ("result", "problem"),
    [
        (ValueError("boom"), "_repr_html_ raised ValueError: boom"),
        (5, "_repr_html_ returned `int`, not `str`"),
        ("x" * 2_000_000, "HTML of 2,000,000 characters is left out"),
    ],
)
def test_what_goes_wrong_is_said_beside_the_text(result, problem):
    def rich(self):
        if isinstance(result, Exception):
            raise result
        return result

    written = type("Written", (Card,), {"_repr_html_": rich})()
    fields = type("Held", (), {"_repr_html_": rich})()
    assert treeview.render_text(written, width=120) == f"Card(1) <{problem}>"
    assert treeview.render_text(fields, width=120) == f"Held()  # {problem}"
    assert frames(written) == []


def test_rich_output_that_calls_treeview_ends():
    class Loop:
        def __init__(self):
            self.size = 3

        def _repr_html_(self):
            return treeview.render_html(self)

    (frame,) = frames(Loop())
    assert "size" in frame["srcdoc"]
    assert frame["srcdoc"].count("<iframe") == 0


def test_attributes_that_objects_invent_are_not_called():
    class Anything:
        def __getattr__(self, name):
            raise RuntimeError(f"asked for {name}")

        def __repr__(self):
            return "Anything()"

    assert treeview.render_text(Anything()) == "Anything()"


def test_roundtrip_text_leaves_rich_output_alone():
    assert treeview.render_text(Record(), roundtrip=True).endswith("Record(size=3)")
    assert "HTML" not in treeview.render_text(Table(), roundtrip=True)
