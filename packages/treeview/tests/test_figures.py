"""Figures: text and renderings side by side, indented, coloured."""

import math
import re

import numpy as np
import pytest
from bs4 import BeautifulSoup

import treeview
from treeview._figures import (
    bolded,
    indented,
    inline,
    styled,
    text_on_color,
    with_color,
    with_font_size,
)
from treeview.arrays.colors import diverging_map


def soup_of(figure):
    return BeautifulSoup(figure.html(), "html.parser").select_one(".treeview")


def test_inline_puts_blocks_of_text_side_by_side():
    figure = inline("a\nbb", treeview.render([1, 2]), "x\ny\nz")
    assert figure.text() == "a [1, 2]x\nbb      y\n        z"


def test_inline_renders_objects_and_takes_strings_as_they_are():
    assert [cell.text for cell in soup_of(inline("a'", {"k": 1})).select("pre > div > div")] == [
        "a'",
        "{'k': 1}",
    ]


@pytest.mark.parametrize(("wrap", "value"), [(True, "wrap"), (False, "nowrap")])
def test_inline_wraps_on_demand(wrap, value):
    assert f"flex-wrap:{value}" in soup_of(inline("a", wrap=wrap)).div["style"]


def test_inline_of_nothing_is_nothing():
    assert inline().text() == ""


def test_indented_moves_every_line():
    assert indented("a\nb").text() == "  a\n  b"


def test_styled_keeps_the_text_and_cannot_leave_its_attribute():
    figure = styled("a", 'color: red" onclick="x')
    assert figure.text() == "a"
    assert soup_of(figure).div.attrs == {"style": 'color: red" onclick="x'}


def test_styled_wants_a_string():
    with pytest.raises(TypeError, match="Expected `css` to be a string of CSS declarations, got 3"):
        styled("a", 3)


@pytest.mark.parametrize(
    ("figure", "style"),
    [
        (with_font_size("a", 0.5), "font-size: 0.5em"),
        (with_font_size("a", "12px"), "font-size: 12px"),
        (with_color("a", "teal"), "color: teal"),
        (bolded("a"), "font-weight: bold"),
    ],
)
def test_shorthands_of_styled(figure, style):
    assert soup_of(figure).div["style"] == style


def test_a_colour_must_be_one():
    with pytest.raises(ValueError, match="Expected `color` to be a CSS colour such as 'teal', got"):
        with_color("a", "red; background: url(x)")


def colors_of(figure):
    parts = dict(
        part.split(":", 1) for part in soup_of(figure).span["style"].split(";") if ":" in part
    )
    back = [int(part) for part in parts["background"][4:-1].split(",")]
    front = [int(digit * 2, 16) for digit in parts["color"][1:]]
    return back, front, parts


def luminance(color):
    shares = [channel / 255 for channel in color]
    linear = [s / 12.92 if s <= 0.04045 else ((s + 0.055) / 1.055) ** 2.4 for s in shares]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("vmin", [None, -1.0])
@pytest.mark.parametrize("value", [-1, -0.7, -0.4, -0.1, 0, 0.2, 0.5, 0.8, 1, math.nan, 9])
def test_letters_can_be_read_on_every_colour(value, vmin):
    back, front, _ = colors_of(text_on_color("word", value, vmin=vmin))
    low, high = sorted([luminance(back), luminance(front)])
    assert (high + 0.05) / (low + 0.05) >= 4.5


def test_opposite_numbers_have_different_colours_and_zero_is_light():
    assert colors_of(text_on_color("a", -1))[0] != colors_of(text_on_color("a", 1))[0]
    assert min(colors_of(text_on_color("a", 0))[0]) > 230


@pytest.mark.parametrize("value", [2, -2, math.inf, math.nan])
def test_numbers_outside_of_the_range_have_an_outline(value):
    assert "outline" in colors_of(text_on_color("a", value))[2]
    assert "outline" not in colors_of(text_on_color("a", 1))[2]


def test_a_colormap_of_ones_own_is_used():
    figure = text_on_color("a", 1, colormap=["#000000", "#102030"])
    assert colors_of(figure)[0] == [16, 32, 48]


def test_the_number_is_told_on_hover_and_the_text_is_text():
    figure = text_on_color("<b>", 0.25)
    assert soup_of(figure).span["title"] == "0.25"
    assert soup_of(figure).span.text == "<b>"
    assert figure.text() == "<b>"
    assert figure.text(color=True).startswith("\x1b[48;2;")


@pytest.mark.parametrize("limits", [{"vmax": 0.0}, {"vmin": 1.0}, {"vmax": math.nan}])
def test_an_empty_range_is_refused(limits):
    with pytest.raises(ValueError, match="Expected `vmin` to be less than `vmax`, both finite"):
        text_on_color("a", 0, **limits)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: text_on_color(3, 0.5), TypeError, "Expected `text` to be a string, got 3"),
        (
            lambda: text_on_color("a", None),
            ValueError,
            "Expected `value` to hold real numbers, got",
        ),
        (lambda: text_on_color("a", "x"), ValueError, "Expected `value` to hold real numbers, got"),
        (
            lambda: text_on_color("a", [0.5]),
            ValueError,
            "Expected `value` to be one number, got an",
        ),
        (lambda: text_on_color("a", 1j), ValueError, "Expected `value` to hold real numbers, got"),
        (lambda: text_on_color("a", 0, vmax=None), ValueError, "Expected `vmax` to hold real"),
        (lambda: text_on_color("a", 0, vmax=np.inf), ValueError, "less than `vmax`, both finite"),
        (lambda: with_color("a", 3), ValueError, "Expected `color` to be a CSS colour such as"),
        (lambda: with_font_size("a", 0), ValueError, "Expected `size` to be a CSS size such as"),
        (
            lambda: with_font_size("a", None),
            ValueError,
            "Expected `size` to hold real numbers, got",
        ),
    ],
)
def test_what_is_no_text_number_or_color_is_refused(call, error, words):
    with pytest.raises(error, match=words):
        call()


def test_the_largest_numbers_have_colors():
    ends = [text_on_color("a", value, vmax=1e308) for value in (-1e308, 0.0, 1e308)]
    expected = diverging_map()[[0, 128, 256], :3].tolist()
    assert [list(colors_of(figure)[0]) for figure in ends] == expected


def test_long_and_wide_parts_stand_below_each_other():
    wide, long = "x" * 100_000, "y\n" * 100_000
    assert inline(wide, long).text() == f"{wide}\n{long}"


def test_figures_nest_and_are_saved(tmp_path):
    figure = indented(inline("a", bolded(with_color("b", "teal"))))
    figure.save(tmp_path / "figure.txt")
    assert (tmp_path / "figure.txt").read_text() == "  ab\n"
    assert set(figure._repr_mimebundle_()) == {"text/plain", "text/html"}


def test_strings_that_have_no_encoding_can_be_saved(tmp_path):
    figure = inline("lone \ud800")
    figure.save(tmp_path / "a.txt")
    figure.save(tmp_path / "a.html")
    assert (tmp_path / "a.txt").read_text() == "lone \\ud800\n"


HOSTILE = "</script><b>\u202e\ud800\x1b[31m\x00"


@pytest.mark.parametrize("make", [inline, indented, bolded, lambda text: text_on_color(text, 0.5)])
def test_texts_reach_no_output_with_what_is_not_plainly_visible(make):
    figure = make(HOSTILE)
    assert r"</script><b>\u202e\ud800\x1b[31m\x00" in figure.text()
    assert "\x1b[31m" not in figure.text(color=True)
    assert "<b>" not in figure.html()
    figure.html().encode()


class Photo:
    def __repr__(self):
        return "Photo()"

    def _repr_png_(self):
        return b"\x89PNG"


class Chart:
    def __repr__(self):
        return "Chart(\n  rows=2)"

    def _repr_html_(self):
        return "<p>chart</p>"


def test_objects_with_rich_output_show_it_beside_others():
    figure = inline("before ", Photo(), Chart(), {"a": 1})
    soup = soup_of(figure)
    assert [one["alt"] for one in soup.find_all("img")] == ["Photo()"]
    (frame,) = soup.find_all("iframe")
    assert frame["srcdoc"].startswith("<p>chart</p>")
    assert frame["sandbox"] == ["allow-scripts"]
    assert soup.find_all("details") == []
    assert figure.text().split("\n")[0] == "before Photo()<Chart     {'a': 1}"


def test_objects_that_hold_rich_output_are_trees():
    soup = soup_of(inline([Photo()]))
    assert soup.find("details") is not None


def test_pictures_of_arrays_stand_beside_text_in_colour_too():
    picture = treeview.render_array(np.eye(4))
    figure = inline("a", picture, "b")
    plain, colored = (re.sub(r"\x1b\[[\d;]*m", "", figure.text(color=c)) for c in (False, True))
    assert plain.startswith("a")
    lines = [re.sub(r"\x1b\[[\d;]*m", "", one) for one in picture.text(color=True).split("\n")]
    width = max(map(len, lines))
    assert colored.split("\n")[0] == ("a" + lines[0].ljust(width) + "b").rstrip()
    assert len(colored.split("\n")) == len(lines)


def test_large_trees_in_figures_keep_what_the_script_needs():
    large = [[f"a longer word {i} {j}" for j in range(30)] for i in range(90)]
    figure = treeview.inline(large, treeview.indented(large), "beside")
    soup = BeautifulSoup(figure.html(), "html.parser")
    assert len(soup.select(".treeview .treeview > script.tv-data")) == 2
    assert len(soup.find_all("script", type=False)) == 1


def test_small_trees_in_figures_bring_no_script():
    assert "<script" not in treeview.inline([1, 2], {"a": ["some words"] * 30}).html()
