"""Images of Pillow."""

import base64
import io

import pytest
import treeview
from bs4 import BeautifulSoup
from PIL import Image


def embedded(obj):
    (image,) = BeautifulSoup(treeview.render_html(obj), "html.parser").find_all("img")
    return Image.open(io.BytesIO(base64.b64decode(image["src"].partition(",")[2])))


def test_importing_treeview_imports_no_pillow(imported_by_treeview):
    assert imported_by_treeview("PIL", "treeview.adapters.pillow") == []


def test_an_image_shows_mode_and_size(shown):
    assert shown(Image.new("RGB", (30, 20))) == "<PIL.Image RGB 30x20>"
    assert shown([Image.new("L", (0, 5))]) == "[<PIL.Image L 0x5>]"


@pytest.mark.parametrize(
    "mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "HSV", "I", "F", "I;16"]
)
def test_pages_show_a_copy_of_it(mode):
    assert embedded(Image.new(mode, (30, 20))).size == (30, 20)


def test_large_images_become_small_copies():
    image = Image.new("RGB", (3000, 10), "red")
    copy = embedded(image)
    assert max(copy.size) <= 256
    assert copy.convert("RGB").getpixel((0, 0)) == (255, 0, 0)


def test_an_image_that_was_only_opened_is_not_read(shown, tmp_path):
    path = tmp_path / "image.png"
    Image.new("RGB", (4, 4)).save(path)
    with Image.open(path) as image:
        assert shown(image) == "<PIL.PngImageFile RGB 4x4 not loaded>"
        assert image._im is None
        image.load()
        assert shown(image) == "<PIL.PngImageFile RGB 4x4>"


def test_closed_and_broken_images_are_still_named(survives):
    image = Image.new("RGB", (4, 4))
    image.close()
    assert survives(image).startswith("<PIL.Image RGB 4x4")

    class Lying(Image.Image):
        size = property(lambda self: 1 / 0)

        def __repr__(self):
            return "Lying()"

    assert "division by zero" in survives(Lying())
