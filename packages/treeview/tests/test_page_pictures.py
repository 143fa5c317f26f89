"""Pictures as markup: the image itself, labels beside the stretches they name, legends."""

import base64
import io
import re

import numpy as np
import pytest
from bs4 import BeautifulSoup
from PIL import Image

from treeview._document import ColorScale, EdgeLabel, Picture, text
from treeview._markup import read_static
from treeview._pictures import picture_html
from treeview.arrays.colors import css_colors, diverging_map, sequential_map


def figure_of(labels=(), *, shape=(4, 6), scale=10.0, **changes):
    pixels = np.random.default_rng(0).integers(0, 256, (*shape, 4), dtype=np.uint8)
    picture = Picture(pixels, scale, "a small picture", tuple(labels), **changes)
    return BeautifulSoup(picture_html(picture, depth=2), "html.parser").figure, pixels


def style_of(element):
    return dict(part.split(":", 1) for part in element["style"].split(";"))


def pixels_of(length):
    return float(length.removesuffix("px"))


def test_the_image_holds_the_pixels_and_says_what_it_shows():
    figure, pixels = figure_of()
    kind, data = figure.img["src"].split(",")
    assert kind == "data:image/png;base64"
    image = Image.open(io.BytesIO(base64.b64decode(data))).convert("RGBA")
    assert (np.asarray(image) == pixels).all()
    assert figure.img["alt"] == "a small picture"


def test_the_image_has_its_size_in_css_pixels():
    figure, _ = figure_of(shape=(4, 6), scale=7.5)
    assert (style_of(figure.img)["width"], style_of(figure.img)["height"]) == ("45px", "30px")


def test_the_figure_is_indented_like_its_branch():
    figure, _ = figure_of()
    assert style_of(figure)["--d"] == "2"


LABELS = [
    EdgeLabel("left", 0, 4, "outer", 1),
    EdgeLabel("left", 0, 2, "inner", 0),
    EdgeLabel("top", 0, 6, "above", 0),
    EdgeLabel("bottom", 0, 6, "below", 0),
    EdgeLabel("right", 1, 3, "beside", 0),
]


def test_levels_count_from_the_image_outwards():
    figure, _ = figure_of(LABELS)
    areas = {cell.span.text: style_of(cell)["grid-area"] for cell in figure.select(".ed")}
    assert style_of(figure.img)["grid-area"] == "2/3"
    assert areas == {
        "inner": "2/2",
        "outer": "2/1",
        "above": "1/3",
        "below": "3/3",
        "beside": "2/4",
    }


def test_a_label_stands_beside_its_stretch():
    figure, _ = figure_of(LABELS, scale=10)
    style = style_of(figure.find("span", string="beside"))
    assert (style["top"], style["height"]) == ("10px", "20px")


def test_a_label_that_is_cut_is_told_on_hover():
    long = "word " * 20
    figure, _ = figure_of([EdgeLabel("left", 0, 2, long), EdgeLabel("left", 2, 4, "short")])
    assert [span.get("title") for span in figure.select(".ed span")] == [long, None]


def test_labels_on_top_turn_where_they_are_too_long():
    short = [EdgeLabel("top", i, i + 1, "x") for i in range(6)]
    long = [EdgeLabel("top", i, i + 1, "a longer word") for i in range(6)]
    assert "up" not in figure_of(short, scale=12)[0].select_one(".top")["class"]
    assert "up" in figure_of(long, scale=12)[0].select_one(".top")["class"]


@pytest.mark.parametrize("side", ["left", "top"])
@pytest.mark.parametrize("scale", [1, 3, 8, 20])
def test_labels_never_overlap(side, scale):
    labels = [EdgeLabel(side, i, i + 1, f"label number {i}") for i in range(40)]
    figure, _ = figure_of(labels, shape=(40, 40), scale=scale)
    start, extent = ("top", "height") if side == "left" else ("left", "width")
    styles = [style_of(span) for span in figure.select(".ed span")]
    middles = [pixels_of(style[start]) + pixels_of(style[extent]) / 2 for style in styles]
    sizes = [pixels_of(style.get("font-size", "11px")) for style in styles]
    gaps = np.diff(middles)
    assert (gaps >= np.array(sizes[1:]) - 0.6).all()
    assert len(styles) == 40 or scale < 8


def test_the_legend_names_both_ends_and_uses_only_colours():
    scale = ColorScale(("#000000", "red;x:url(//evil)", "#ffffff"), "-1", "2", "3 clipped")
    figure, _ = figure_of(legends=(scale,))
    spans = figure.select("figcaption .le span")
    assert [span.text for span in spans] == ["-1", " ", "2", "3 clipped"]
    assert style_of(spans[1])["background"] == "linear-gradient(90deg,#000000,#ffffff)"


@pytest.mark.parametrize("colors", [diverging_map(), sequential_map()])
def test_the_bars_of_the_usual_maps_are_in_the_style_sheet(colors):
    figure, _ = figure_of(legends=(ColorScale(css_colors(colors), "0", "1"),))
    bar = figure.select("figcaption .le span")[1]
    assert "style" not in bar.attrs
    gradient = f"linear-gradient(90deg,{','.join(css_colors(colors))})"
    assert f".le .{bar['class'][0]}{{background: {gradient}}}" in read_static("pictures.css")


def test_the_caption_stands_below():
    figure, _ = figure_of(caption=text(("100 of 1000", "comment")))
    assert figure.figcaption.text == "100 of 1000"


def test_without_legend_and_caption_there_is_nothing_below():
    assert figure_of()[0].figcaption is None


def test_numbers_in_styles_are_plain():
    markup = str(figure_of(LABELS, scale=1 / 3)[0])
    assert not re.search(r"\de[-+]\d", markup)
