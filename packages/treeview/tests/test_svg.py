"""Pictures as SVG and PNG files."""

import io
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from PIL import Image

import treeview

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def figure():
    values = np.arange(12.0).reshape(3, 4) - 5
    return treeview.render_array(
        values,
        axis_labels={0: "rows & more"},
        axis_item_labels={1: ["<a>", "b", "a long label", "d"]},
        pixels_per_cell=10.5,
    )


def parsed(figure, tmp_path):
    figure.save(tmp_path / "picture.svg")
    return ET.fromstring((tmp_path / "picture.svg").read_text("utf-8"))


def test_svg_says_everything_that_the_page_says(figure, tmp_path):
    root = parsed(figure, tmp_path)
    texts = [element.text for element in root.iter(f"{SVG}text")]
    assert texts == ["rows & more", "<a>", "b", "a long label", "d", "axis 1: 4", "-6", "6"]
    assert root.find(f"{SVG}title").text == figure.picture.description


def test_svg_shows_the_same_image_in_the_same_size(figure, tmp_path):
    image = parsed(figure, tmp_path).find(f"{SVG}image")
    assert (float(image.get("width")), float(image.get("height"))) == (42, 31.5)
    from base64 import b64decode

    decoded = Image.open(io.BytesIO(b64decode(image.get("href").partition(",")[2])))
    np.testing.assert_array_equal(np.asarray(decoded.convert("RGBA")), figure.picture.pixels)


def test_everything_in_an_svg_is_inside_its_frame(figure, tmp_path):
    root = parsed(figure, tmp_path)
    width, height = float(root.get("width")), float(root.get("height"))
    for element in root.iter():
        if element.get("x") is not None:
            assert 0 <= float(element.get("x")) <= width
            assert 0 <= float(element.get("y")) <= height
    image = root.find(f"{SVG}image")
    assert float(image.get("x")) > 6.7 * len("rows & more")


def test_a_long_caption_is_wrapped(tmp_path):
    names = {i: f"a rather long name number {i}" for i in range(12)}
    figure = treeview.render_array(np.arange(12), value_item_labels=names)
    texts = [element.text for element in parsed(figure, tmp_path).iter(f"{SVG}text")]
    lines = [text for text in texts if "rather long" in text]
    assert len(lines) > 3
    assert max(map(len, lines)) <= 70
    assert " ".join(lines) == figure.picture.caption.plain


def test_png_is_the_image_in_its_size(tmp_path):
    values = np.arange(6).reshape(2, 3)
    figure = treeview.render_array(values, pixels_per_cell=5)
    figure.save(tmp_path / "picture.png")
    decoded = np.asarray(Image.open(tmp_path / "picture.png").convert("RGBA"))
    assert decoded.shape == (10, 15, 4)
    pixels = figure.picture.pixels
    np.testing.assert_array_equal(decoded, pixels.repeat(5, 0).repeat(5, 1))


def test_a_figure_can_be_saved_as_a_page_and_as_words(figure, tmp_path):
    figure.save(tmp_path / "picture.html")
    assert "<img" in (tmp_path / "picture.html").read_text("utf-8")
    figure.save(tmp_path / "picture.txt")
    assert (tmp_path / "picture.txt").read_text("utf-8") == figure.text(color=False) + "\n"


def test_another_suffix_is_refused_and_nothing_is_written(figure, tmp_path):
    with pytest.raises(ValueError, match=r"`\.html`, `\.svg`, `\.png` or `\.txt`, got '\.jpg'"):
        figure.save(tmp_path / "picture.jpg")
    with pytest.raises(FileNotFoundError, match="Expected the folder of"):
        figure.save(tmp_path / "absent" / "picture.png")
    assert list(tmp_path.iterdir()) == []
