"""Pictures in a real browser: exact values, sliders, colours that spread, and the keyboard."""

import base64
import io
import os
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import treeview
from treeview.arrays.colors import diverging_map

pytestmark = pytest.mark.browser

ONE_CELL = {"truncate": False, "pixels_per_cell": 12}


def page_of(*figures):
    body = "".join(figure if isinstance(figure, str) else figure.html() for figure in figures)
    return f"<!doctype html><html lang=en><meta charset=utf-8><title>T</title>{body}</html>"


def opened(open_page, *figures, **settings):
    page = open_page(page_of(*figures), **settings)
    count = len([one for one in figures if isinstance(one, treeview.Rendering)])
    page.wait_for_function(f"document.querySelectorAll('figure canvas').length >= {count}")
    return page


def point(page, number, x, y, *, click=False):
    """What is said of the pixel of a picture at some part of its width and height."""
    stage = page.locator(".tv-pic").nth(number)
    box = stage.bounding_box()
    place = {"x": x * box["width"], "y": y * box["height"]}
    stage.click(position=place) if click else stage.hover(position=place)
    line = page.locator("figure").nth(number).locator(".tv-told")
    page.wait_for_function(
        "number => document.querySelectorAll('.tv-told')[number].textContent", arg=number
    )
    return line


def told(page, number=0):
    return page.locator(".tv-told").nth(number).text_content()


def expect_text(page, number, text):
    """Waits until something is said of a picture; what was said instead is in the error."""
    line = page.locator(".tv-told").nth(number)
    for _ in range(100):
        if line.text_content() == text:
            return
        page.wait_for_timeout(20)
    assert line.text_content() == text


def python_text(value):
    """A value as Python writes it, with the digits of its own type."""
    if isinstance(value, np.datetime64 | np.timedelta64):
        return str(value)
    if isinstance(value, np.complexfloating):
        real, imaginary = (
            python_text(part).removesuffix(".0") for part in (value.real, value.imag)
        )
        return f"({real}{'' if imaginary.startswith('-') else '+'}{imaginary}j)"
    if isinstance(value, np.floating) and np.isfinite(value):
        return repr(float(np.format_float_scientific(value, unique=True)))
    return repr(value.item() if hasattr(value, "item") else value)


def samples(rng):
    shape = (6, 7)
    integers = rng.integers(-(2**40), 2**40, shape)
    reals = rng.standard_normal(shape) * 10.0 ** rng.integers(-12, 12, shape)
    reals[0, :3] = np.nan, np.inf, -np.inf
    pairs = np.stack([reals, rng.permutation(reals)], -1)
    arrays = [
        integers > 0,
        (integers % 100).astype(np.int8),
        (integers % 60_000).astype(np.uint16),
        (integers % 1000).astype(np.int32),
        integers,
        integers.astype(np.uint64) * np.uint64(2**20),
        np.nan_to_num(reals, posinf=3, neginf=-3).clip(-9, 9).astype(np.float16),
        reals.astype(np.float32),
        reals,
        pairs.astype(np.float32).view(np.complex64)[..., 0],
        np.datetime64("2020-01-01") + (integers % 10**6).astype("m8[s]"),
        integers.astype("m8[ns]"),
        rng.choice(["a", "it's", "</script>", "世界"], shape),
        np.array([[None, (1, 2), 10**30] * 7] * 6, object)[:, :7],
        reals.astype(np.longdouble),
    ]
    try:
        import ml_dtypes  # noqa: PLC0415 - comes with JAX
    except ImportError:
        return arrays
    halves = np.array([0.5, -1.5, 3.0, 0.25, 96.0, 1.0, 0.0])
    low = [ml_dtypes.bfloat16, ml_dtypes.float8_e4m3fn, ml_dtypes.float8_e5m2]
    arrays += [np.broadcast_to(halves, shape).astype(kind) for kind in low]
    return [*arrays, (integers % 7).astype(ml_dtypes.int4)]


def test_the_value_under_the_pointer_is_what_python_writes(open_page):
    rng = np.random.default_rng(0)
    arrays = samples(rng)
    figures = [treeview.render_array(array, **ONE_CELL) for array in arrays]
    page = opened(open_page, *figures)
    for number, array in enumerate(arrays):
        places = {(0, 0), (0, 1), *map(tuple, rng.integers(0, (6, 7), (2, 2)).tolist())}
        for row, column in places:
            point(page, number, (column + 0.5) / 7, (row + 0.5) / 6)
            value = array[row, column]
            text = str(value) if array.dtype == np.longdouble else python_text(value)
            expect_text(page, number, f"array[{row}, {column}] = {text}")


PIXELS = """all => all.map(one => [one.width, one.height, Array.from(
    one.getContext("2d").getImageData(0, 0, one.width, one.height).data)])"""


def canvases(page):
    found = page.eval_on_selector_all("figure canvas", PIXELS)
    return [np.array(data, np.uint8).reshape(high, wide, 4) for wide, high, data in found]


def test_the_canvas_is_the_png(open_page):
    rng = np.random.default_rng(1)
    marked = rng.standard_normal((5, 9))
    marked[0, :3] = np.nan, np.inf, -np.inf
    arrays = [rng.standard_normal((3, 8, 9)), marked, np.arange(-40, 40).reshape(8, 10)]
    figures = [treeview.render_array(array) for array in arrays]
    drawn = canvases(opened(open_page, *figures))
    for pixels, figure in zip(drawn, figures, strict=True):
        data = re.search(r"data:image/png;base64,([A-Za-z0-9+/=]+)", figure.html())[1]
        image = Image.open(io.BytesIO(base64.b64decode(data))).convert("RGBA")
        visible = np.asarray(image)[..., 3:] > 0
        assert (np.where(visible, pixels, 0) == np.where(visible, image, 0)).all()
        assert (pixels[..., 3] == np.asarray(image)[..., 3]).all()


def test_pictures_that_no_markup_shows_are_drawn_from_their_pixels(open_page):
    rng = np.random.default_rng(2)
    arrays = [rng.standard_normal((4, 5)) for _ in range(1001)]
    options = {"autovisualize": True, "max_lines": None, "max_items": 2000}
    rendering = treeview.render(arrays, **options)
    html = rendering.html()
    assert html.count("data:image/png") < 90
    page = open_page(page_of(html))
    page.locator(".tv-list figure canvas").nth(90).wait_for()
    drawn = canvases(page)
    for number in (0, 50, 90):
        picture = rendering.document.values[number].values[0]
        assert (drawn[number] == picture.pixels).all()
    point(page, 90, 0.5, 0.5)
    assert told(page, 90).startswith("array[2, 2] ")


def test_values_that_are_not_in_the_page_are_told_about(open_page):
    rng = np.random.default_rng(3)
    values = {"large": rng.uniform(-50, 50, (60, 60)), "small": rng.uniform(0, 1, (4, 4))}
    page = opened(
        open_page,
        treeview.render(
            {**values, "more": [values["large"] + i for i in range(9)]}, autovisualize=True
        ),
    )
    last = page.locator(".tv-pic").count() - 1
    point(page, 1, 0.4, 0.4)
    page.get_by_text(f"array[1, 1] = {values['small'][1, 1].item()!r}").wait_for()
    canvas = page.locator("figure canvas").nth(last)
    before = canvas.evaluate("one => one.toDataURL()")
    point(page, last, 0.5, 0.5, click=True)
    found = re.fullmatch(r"array\[(\d+), (\d+)\] ≈ (-?[\d.]+)", told(page, last))
    assert canvas.evaluate("one => one.toDataURL()") == before
    exact = values["large"][int(found[1]), int(found[2])] + 8
    assert abs(float(found[3]) - exact) < 2.5


def test_masked_values_named_axes_labels_and_cuts_are_told(open_page):
    masked = np.ma.array(np.arange(6.0).reshape(2, 3), mask=[[1, 0, 0], [0, 0, 0]])
    labelled = treeview.render_array(
        np.arange(6).reshape(2, 3),
        axis_item_labels={1: ["the", "cat", "</script>"]},
        value_item_labels={5: "five"},
        axis_labels={1: "token"},
    )
    cut = treeview.render_array(np.zeros((1000, 3)), truncate=True, maximum_size=60)
    page = opened(open_page, treeview.render_array(masked), labelled, cut)
    point(page, 0, 0.1, 0.1)
    page.get_by_text("array[0, 0] = masked").wait_for()
    point(page, 1, 0.9, 0.9)
    page.get_by_text("array[1, 2] = 5 (five) · token: </script>").wait_for()
    point(page, 2, 0.5, 0.5)
    page.get_by_text(re.compile(r"array\[10:990, 1\] left out")).wait_for()


def test_a_click_keeps_a_cell_and_the_keyboard_moves_it(open_page):
    array = np.arange(12.0).reshape(3, 4)
    page = opened(open_page, treeview.render_array(array))
    point(page, 0, 0.1, 0.1, click=True)
    page.mouse.move(600, 500)
    page.get_by_text("array[0, 0] = 0.0").wait_for()
    for key, text in [
        ("ArrowRight", "[0, 1] = 1.0"),
        ("ArrowDown", "[1, 1] = 5.0"),
        ("End", "[1, 3] = 7.0"),
        ("ArrowRight", "[1, 3] = 7.0"),
        ("Home", "[1, 0] = 4.0"),
        ("Control+End", "[2, 3] = 11.0"),
        ("ArrowUp", "[1, 3] = 7.0"),
    ]:
        page.keyboard.press(key)
        page.get_by_text(f"array{text}", exact=True).wait_for()
    page.keyboard.press("Escape")
    page.wait_for_function("document.querySelector('.tv-told').textContent === ''")
    stage = page.locator(".tv-pic")
    assert stage.get_attribute("role") == "application"
    assert stage.get_attribute("aria-label").startswith("float64[3, 4]: values from 0 to 11")
    page.reload()
    page.wait_for_selector("figure canvas")
    page.keyboard.press("Tab")
    page.get_by_text("array[0, 0] = 0.0").wait_for()


def test_cells_are_made_larger_and_smaller_and_stay_exact(open_page):
    array = np.arange(40.0).reshape(5, 8)
    rows = [f"row {number}" for number in range(5)]
    figure = treeview.render_array(array, pixels_per_cell=8, axis_item_labels={0: rows})
    page = opened(open_page, figure)
    (before,) = canvases(page)
    stage, label = page.locator(".tv-pic"), page.locator(".ed.left > span").nth(3)

    def cell():
        label_top = float(label.evaluate("one => parseFloat(one.style.top)"))
        box = stage.bounding_box()
        assert box["width"] / 8 == box["height"] / 5 == label_top / 3
        return label_top / 3

    assert cell() == 8
    page.keyboard.press("Tab")
    page.get_by_text("array[0, 0] = 0.0").wait_for()
    for key, size in [("+", 10), ("=", 13), ("-", 10), ("0", 8)]:
        page.keyboard.press(key)
        page.get_by_text(f"{size} pixels per cell", exact=True).wait_for()
        assert cell() == size
    page.get_by_role("button", name="Larger cells").click()
    page.get_by_text("10 pixels per cell").wait_for()
    page.get_by_role("button", name="Smaller cells").press("Enter")
    page.get_by_text("8 pixels per cell").wait_for()
    stage.hover()
    page.keyboard.down("Alt")
    for _ in range(2):
        page.mouse.wheel(0, -100)
    page.keyboard.up("Alt")
    page.get_by_text("13 pixels per cell").wait_for()
    for row, column in [(0, 0), (4, 7), (2, 3)]:
        point(page, 0, (column + 0.9) / 8, (row + 0.9) / 5)
        page.get_by_text(f"array[{row}, {column}] = {array[row, column]}").wait_for()
    (after,) = canvases(page)
    assert (after == before).all()
    stage.focus()
    for _ in range(20):
        page.keyboard.press("+")
    page.get_by_text("64 pixels per cell").wait_for()


def test_sliders_show_every_slice_in_the_colours_of_all(open_page):
    array = np.random.default_rng(4).standard_normal((3, 4, 5))
    array[1, 0, 0] = np.nan
    figure = treeview.render_array(array, sliders={0: 1})
    page = opened(open_page, figure)
    slider = page.get_by_role("slider", name="axis 0")
    slider.wait_for()
    assert slider.get_attribute("aria-valuetext") == "1"
    point(page, 0, 0.05, 0.05, click=True)
    page.get_by_text("array[1, 0, 0] = nan").wait_for()
    for index, key in [(2, "ArrowRight"), (1, "ArrowLeft"), (0, "ArrowLeft")]:
        slider.press(key)
        page.get_by_text(f"array[{index}, 0, 0] = {array[index, 0, 0].item()!r}").wait_for()
        (pixels,) = canvases(page)
        other = treeview.render_array(array, sliders={0: index})
        assert (pixels == other.picture.pixels).all()


def test_without_scripts_the_first_slice_is_named(open_page):
    figure = treeview.render_array(np.zeros((3, 4, 5)), sliders=0)
    page = open_page(page_of(figure), java_script_enabled=False)
    assert page.locator("figure img").is_visible()
    said = "axis 0 at 0 of 3, which a script moves"
    assert said in page.locator("figcaption").inner_text()
    assert said in figure.text()


def test_a_click_spreads_the_colours_around_a_magnitude(open_page):
    array = np.array([[-1.0, 1e-6, 1e-3, 1.0]])
    page = opened(open_page, treeview.render_array(array, trim_outliers=False))
    table = diverging_map()
    (before,) = canvases(page)
    assert (before[0] == table[[0, 128, 128, 256]]).all()
    point(page, 0, 0.4, 0.5, click=True)
    page.get_by_text("half of the colours up to ±1e-06").wait_for()
    (after,) = canvases(page)
    assert (after[0, [0, 1, 3]] == table[[0, 192, 256]]).all()
    assert (after[0, 2] == table).all(1).nonzero()[0][0] > 192
    page.keyboard.press("Escape")
    page.wait_for_function("document.querySelector('.le').children[3].textContent === ''")
    (reset,) = canvases(page)
    assert (reset == before).all()
    for key in ("ArrowRight", "ArrowRight", "Enter"):
        page.keyboard.press(key)
    page.get_by_text("half of the colours up to ±1e-06").wait_for()
    assert (canvases(page)[0] == after).all()
    page.keyboard.press("End")
    page.keyboard.press("Enter")  # a large value has contrast in even steps
    page.wait_for_function("document.querySelector('.le').children[3].textContent === ''")
    assert (canvases(page)[0] == before).all()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_live_pictures_have_no_accessibility_violations(open_page, axe_violations, scheme):
    array = np.random.default_rng(5).standard_normal((3, 4, 5))
    page = treeview.Page("T").heading("Pictures").add(treeview.render_array(array, sliders=0))
    html = page.add({"a": array, "b": np.arange(20)}, autovisualize=True).html()
    page = open_page(html, color_scheme=scheme)
    page.get_by_role("slider").wait_for()
    point(page, 0, 0.5, 0.6, click=True)
    page.get_by_text("array[0, 2, 2] = ").wait_for()
    assert axe_violations(page) == []


INSERT = """html => {
    const host = document.createElement("div");
    host.innerHTML = html;
    for (const old of host.querySelectorAll("script")) {
        const script = document.createElement("script");
        for (const {name, value} of old.attributes) script.setAttribute(name, value);
        script.textContent = old.textContent;
        old.replaceWith(script);
    }
    document.body.append(host);
}"""
POLICY = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:"


def test_pictures_work_where_notebooks_put_them_and_under_a_strict_policy(open_page):
    first, second = np.arange(6.0).reshape(2, 3), np.arange(6.0, 12.0).reshape(2, 3)
    policy = f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
    page = open_page(f"<!doctype html><head>{policy}</head><body></body>")
    outputs = [treeview.render_array(first), treeview.render_array(second)]
    beside = treeview.inline("both:", *outputs)
    for output in [*outputs, outputs[0], beside]:
        page.evaluate(INSERT, output.html())
    page.locator("figure canvas").nth(4).wait_for()
    for number, array in enumerate([first, second, first, first, second]):
        point(page, number, 0.9, 0.9)
        expected = f"array[1, 2] = {array[1, 2].item()!r}"
        page.locator(".tv-told").nth(number).get_by_text(expected).wait_for()


def test_pictures_fold_and_unfold_with_their_tree(open_page):
    values = [np.arange(4.0).reshape(2, 2) + i for i in range(3)]
    html = treeview.Page("T").add(values, autovisualize=True).html()
    page = open_page(html)
    page.locator(".tv-list figure canvas").nth(2).wait_for()
    line = page.locator(".r[aria-expanded]").nth(1)
    for _ in range(2):
        line.press("ArrowLeft")
        line.press("ArrowRight")
    point(page, 0, 0.9, 0.9, click=True)
    page.keyboard.press("ArrowLeft")
    page.get_by_text("array[1, 0] = 2.0").wait_for()
