"""Pictures that are drawn when somebody looks at them."""

import copy
from dataclasses import replace

import numpy as np
import pytest
import treeview
from treeview._document import Picture
from treeview.adapters.numpy import NumpyAdapter
from treeview.arrays import batch
from treeview.arrays.deferred import brief_description, deferred_picture
from treeview.arrays.style import PictureStyle

PIXELS = np.full((2, 3, 4), 7, np.uint8)


def drawing(log):
    def draw():
        log.append("drawn")
        return Picture(PIXELS, 5, "from the drawing")

    return draw


def test_a_picture_is_drawn_once_and_not_for_its_description():
    log = []
    picture = deferred_picture("what it is", drawing(log))
    assert isinstance(picture, Picture)
    assert picture.description == "what it is"
    assert log == []
    assert picture.pixels is PIXELS
    assert (picture.scale, picture.labels, picture.caption.plain) == (5, (), "")
    assert (picture.description, log) == ("what it is", ["drawn"])


def test_what_goes_wrong_is_said_below_an_empty_picture():
    def draw():
        raise RuntimeError("no colours")

    picture = deferred_picture("what it is", draw)
    assert picture.caption.plain == "<no picture: RuntimeError: no colours>"
    assert picture.pixels.shape == (1, 1, 4)


def test_copies_are_pictures_too():
    picture = deferred_picture("what it is", drawing([]))
    assert replace(picture, scale=9).pixels is PIXELS
    assert copy.copy(picture).pixels is PIXELS


def test_a_picture_has_no_other_attributes():
    picture = deferred_picture("what it is", drawing([]))
    with pytest.raises(AttributeError, match="nothing"):
        _ = getattr(picture, "nothing")  # noqa: B009 - no such attribute is known


def test_descriptions_say_how_much_is_shown_and_where():
    info = NumpyAdapter().describe(np.zeros((100, 200)))
    style = PictureStyle(maximum_size=100, minimum_edge=2)
    assert brief_description(info, style.window(info.shape), style).startswith(
        "float64[100, 200]: 96 of 20_000 values; rows: axis 0"
    )


def test_text_draws_nothing_and_pages_draw_what_was_there_at_the_first_look(monkeypatch):
    drawn = []
    real = batch.draw_picture
    monkeypatch.setattr(
        batch, "draw_picture", lambda values, *rest: drawn.append(values) or real(values, *rest)
    )
    array = np.ones((30, 30))
    assert "<picture: " in treeview.render_text(array, autovisualize=True)
    rendering = treeview.render(array, autovisualize=True)
    before = rendering.text()
    assert drawn == []
    array[:] = 5
    assert "<img " in rendering.html()
    assert [values.max() for values in drawn] == [1]
    rendering.html()
    assert len(drawn) == 1
    assert rendering.text() == before
