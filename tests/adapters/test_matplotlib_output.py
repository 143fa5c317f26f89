"""Figures of Matplotlib, of which pages show the picture itself."""

import base64
import io

import matplotlib as mpl
import pytest
import treeview
from bs4 import BeautifulSoup
from matplotlib.figure import Figure
from PIL import Image


@pytest.fixture
def figure():
    made = Figure(figsize=(2, 1), dpi=50)
    made.subplots().plot([1, 3, 2], color="#ff0000", linewidth=6)
    return made


def images(html):
    found = BeautifulSoup(html, "html.parser").find_all("img")
    return [Image.open(io.BytesIO(base64.b64decode(one["src"].split(",")[1]))) for one in found]


def test_text_is_the_repr(shown, figure):
    assert shown([figure]) == "[<Figure size 100x50 with 1 Axes>]"


def test_a_roundtrip_does_not_draw(shown, figure):
    assert shown(figure, roundtrip=True) == "<<Figure size 100x50 with 1 Axes>>"


def test_pages_show_the_picture(figure):
    (image,) = images(treeview.render_html(figure))
    colors = {color for _, color in image.convert("RGB").getcolors(100_000)}
    assert (255, 0, 0) in colors
    assert image.width <= 130


def test_figures_stand_beside_others_and_answer_rules(figure):
    beside = treeview.inline("before ", figure, " after")
    assert beside.text() == "before <Figure size 100x50 with 1 Axes> after"
    assert len(images(beside.html())) == 1
    rule = lambda value, path: figure if path == "['a']" else None
    assert len(images(treeview.render_html({"a": [1], "b": [2]}, autovisualize=rule))) == 1


def test_drawing_leaves_the_figure_as_it_was(figure):
    before = (figure.dpi, tuple(figure.get_size_inches()), figure.canvas)
    treeview.render_html(figure)
    assert (figure.dpi, tuple(figure.get_size_inches()), figure.canvas) == before


def test_large_figures_are_drawn_coarser():
    (image,) = images(treeview.render_html(Figure(figsize=(100, 100), dpi=200)))
    assert image.width * image.height <= 4_100_000


def test_figures_that_cannot_be_drawn_say_so(figure):
    figure.axes[0].set_title(r"$\frac{$")
    text = treeview.render_text(figure, width=300)
    assert text.startswith("<Figure size 100x50 with 1 Axes> <savefig raised ValueError")


def test_no_back_end_is_chosen(figure):
    before = mpl.rcParams._get_backend_or_none()
    treeview.render_html(figure)
    assert mpl.rcParams._get_backend_or_none() == before
