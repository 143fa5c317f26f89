"""Pages for everybody: no accessibility violation in any theme, paper, and colours of the system."""

import numpy as np
import pytest

import treeview

pytestmark = pytest.mark.browser

THEMES = {
    "light": {"color_scheme": "light"},
    "dark": {"color_scheme": "dark"},
    "high contrast, light": {"color_scheme": "light", "contrast": "more"},
    "high contrast, dark": {"color_scheme": "dark", "contrast": "more"},
    "colours of the system": {"forced_colors": "active"},
}


class Note:
    def _repr_html_(self):
        return "<p>rich</p>"


def sampler():
    value = {"numbers": list(range(300)), "text": "word", "flags": [True, None, 1.5]}
    value["layers"] = [{"weights": np.eye(8) * index, "sizes": {"a": [1, 2]}} for index in range(9)]
    value["again"] = value["layers"][0]
    value["note"] = Note()
    page = treeview.Page("A tour").heading("Values").paragraph("Words and `code`.")
    page.add(value, max_lines=60, autovisualize=True).add([1, 2])
    page.table(["token", "p"], [["a", 0.5]], caption="A table")
    words = ["The", " cat", " sat"]
    page.add(treeview.render_array(np.arange(24.0).reshape(2, 3, 4), sliders=0))
    page.add(treeview.token_scores(words, [-1, 0.5, 2]))
    page.add(treeview.token_attention(words, np.tril(np.ones((2, 3, 3)))))
    page.add(treeview.inline(treeview.text_on_color("a", 3), treeview.text_on_color("b", -1)))
    return page.html()


@pytest.mark.parametrize("theme", THEMES)
def test_no_page_has_accessibility_violations(open_page, axe_violations, theme):
    page = open_page(sampler())
    page.emulate_media(**THEMES[theme])
    page.locator(".tv-bar").wait_for()
    assert axe_violations(page) == []
    page.get_by_role("searchbox").fill("weights")
    page.get_by_text("9 lines match").wait_for()
    page.get_by_role("button", name="Next match").click()
    assert axe_violations(page) == []


def test_no_page_has_accessibility_violations_without_the_script(open_page, axe_violations):
    page = open_page(sampler().replace("<script>", "<script type=inert>"))
    assert axe_violations(page) == []


def test_who_asks_for_contrast_gets_black_and_white(open_page):
    page = open_page(sampler(), color_scheme="dark")
    page.emulate_media(contrast="more", color_scheme="dark")
    script = "getComputedStyle(document.querySelector('.treeview')).color"
    assert page.evaluate(script) == "rgb(255, 255, 255)"


def test_paper_shows_what_is_open_and_no_controls(open_page):
    page = open_page(sampler())
    page.locator(".tv-bar").wait_for()
    count = page.locator(".r:visible").count()
    page.emulate_media(media="print")
    assert page.locator(".tv-bar, .tv-do").all()
    assert page.locator(":is(.tv-bar, .tv-do):visible").count() == 0
    assert page.locator(".r:visible").count() == count
