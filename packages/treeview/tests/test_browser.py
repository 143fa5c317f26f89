"""Pages in a real browser: quiet, foldable, legible, and complete without scripts."""

import re

import numpy as np
import pytest

import treeview

pytestmark = pytest.mark.browser


class Block:
    def __init__(self, index):
        self.index = index
        self.weights = np.arange(64.0).reshape(8, 8) - 32
        self.sizes = {"heads": 4, "widths": list(range(100))}


def tour(**options):
    value = {"name": "</script>", "blocks": [Block(index) for index in range(8)], "flags": [True]}
    value["again"] = value["blocks"][0]
    page = treeview.Page("A tour").heading("The model").add(value, max_lines=60, **options)
    return page.table(["token", "p"], [["a", 0.5]]).html()


def test_branches_fold_and_unfold(open_page):
    page = open_page(tour())
    branch = page.locator("details", has=page.locator(":scope > summary", has_text="blocks")).last
    summary = branch.locator(":scope > summary")
    inside = branch.locator("li").first
    assert inside.is_visible()
    assert summary.inner_text().strip().endswith("[")
    summary.click(position={"x": 40, "y": 8})
    assert not inside.is_visible()
    assert re.search(r"\[.*….*\],$", summary.inner_text().split("copy path")[0].strip())
    summary.click(position={"x": 40, "y": 8})
    assert inside.is_visible()


def test_trees_and_pictures_show_without_scripts(open_page):
    page = open_page(tour(autovisualize=True), java_script_enabled=False)
    assert page.locator("details[open] > ul > li").first.is_visible()
    pictures = page.locator("figure img")
    assert pictures.count() == 8
    assert max(box["width"] for box in map(lambda one: one.bounding_box(), pictures.all())) >= 40
    assert page.locator(".tv-bar").count() == 0
    first = page.locator("details").first
    first.locator(":scope > summary").click(position={"x": 10, "y": 8})
    assert first.get_attribute("open") is None


def test_pictures_are_decoded(open_page):
    page = open_page(tour(autovisualize=True))
    sizes = page.eval_on_selector_all("figure img", "all => all.map(one => one.naturalWidth)")
    assert len(sizes) == 8
    assert min(sizes) >= 8


def copied(page, selector=".treeview"):
    script = """selector => {
        getSelection().selectAllChildren(document.querySelector(selector));
        return getSelection().toString();
    }"""
    return page.evaluate(script, selector)


@pytest.mark.parametrize("as_page", [True, False])
def test_what_is_copied_is_the_text_output(open_page, as_page):
    value = {"a": [1, {"b": None}], "text": "x  y", "long": list(range(60)), "set": {1}}
    value["deep"] = {"er": {"and": {"deeper": ["some words to fill the line"] * 4}}}
    rendering = treeview.render(value, max_lines=None)
    html = treeview.Page("T").add(rendering).html() if as_page else rendering.html()
    page = open_page(html)
    assert copied(page).strip() == rendering.text(width=100)


def test_the_bar_is_not_copied(open_page):
    page = open_page(tour())
    page.locator(".tv-bar").wait_for()
    assert "Expand" not in copied(page)


def test_expand_and_collapse_all(open_page):
    page = open_page(tour())
    page.get_by_role("button", name="Expand all").click()
    assert page.locator("details:not([open])").count() == 0
    page.get_by_role("button", name="Collapse all").click()
    assert page.locator("details[open]").count() == 1
    assert page.locator("details").first.get_attribute("open") is not None


def test_the_filter_shows_matches_and_what_they_stand_in(open_page):
    page = open_page(tour())
    opened = page.locator("details[open]").count()
    page.get_by_role("searchbox").fill("HEADS")
    page.get_by_text("8 lines match").wait_for()
    lines = page.locator(".treeview li:visible").all_inner_texts()
    assert sum("heads" in line and "\n" not in line.strip() for line in lines) == 8
    assert not page.locator("li", has_text="flags").last.is_visible()
    page.get_by_role("searchbox").fill("no such line")
    page.get_by_text("0 lines match").wait_for()
    page.get_by_role("searchbox").fill("")
    page.locator("li", has_text="flags").last.wait_for()
    assert page.locator("details[open]").count() == opened


def hover_line(page, start):
    """Moves the pointer over the line that is seen to begin with some text."""
    script = """start => [...document.querySelectorAll("summary, li:not(:has(> details))")]
        .find((line) => line.checkVisibility() && line.innerText.trim().startsWith(start))"""
    page.evaluate_handle(script, start).as_element().hover(position={"x": 60, "y": 8})


PATHS = [
    ("'name'", "['name']"),
    ("'blocks'", "['blocks']"),
    ("index=3", "['blocks'][3].index"),
    ("weights", "['blocks'][0].weights"),
]


@pytest.mark.parametrize(("line", "path"), PATHS)
def test_the_path_of_a_line_can_be_copied(open_page, line, path):
    page = open_page(tour(), permissions=["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Expand all").click()
    hover_line(page, line)
    button = page.locator(".tv-copy")
    assert button.get_attribute("title") == path
    button.click()
    page.get_by_text("copied").wait_for()
    assert page.evaluate("navigator.clipboard.readText()") == path


def test_paths_behind_the_fold_of_a_long_list_are_right(open_page):
    page = open_page(treeview.Page("T").add({"a": [f"item {i:>60}" for i in range(90)]}).html())
    page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    hover_line(page, f"'item {89:>60}'")
    assert page.locator(".tv-copy").get_attribute("title") == "['a'][89]"


def test_without_a_clipboard_the_path_is_shown_to_copy_by_hand(open_page):
    page = open_page(tour())
    refuse = "() => { navigator.clipboard.writeText = () => Promise.reject(new Error()); }"
    page.evaluate(refuse)
    hover_line(page, "'blocks'")
    page.locator(".tv-copy").click()
    page.locator(".tv-copy", has_text="['blocks']").wait_for()
    assert page.evaluate("getSelection().toString()") == "['blocks']"


def focused(page):
    return page.evaluate("document.activeElement.textContent").strip()


def test_the_tree_can_be_walked_by_keyboard(open_page):
    page = open_page(tour())
    page.locator("summary").first.focus()
    page.keyboard.press("ArrowDown")
    assert focused(page).startswith("'name'")
    page.keyboard.press("ArrowDown")
    assert focused(page).startswith("'blocks'")
    page.keyboard.press("ArrowLeft")
    assert page.evaluate("document.activeElement.parentElement.open") is False
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.parentElement.open") is True
    page.keyboard.press("ArrowRight")
    assert focused(page).startswith("Block(")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Home")
    assert focused(page).startswith("{")
    page.keyboard.press("End")
    assert focused(page).startswith("'again'")
    page.keyboard.press("Enter")


def test_references_lead_to_the_first_sighting(open_page):
    page = open_page(tour())
    page.get_by_role("button", name="Collapse all").click()
    page.locator("a[href^='#']").click()
    assert page.locator(":target > summary").is_visible()


CONTRASTS = """() => {
    const canvas = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
    const rgb = (color, under) => {
        canvas.fillStyle = under; canvas.fillRect(0, 0, 1, 1);
        canvas.fillStyle = color; canvas.fillRect(0, 0, 1, 1);
        return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
    };
    const luminance = (channels) => {
        const [r, g, b] = channels.map((channel) => channel / 255).map((share) =>
            share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const found = {};
    for (const element of document.querySelectorAll("main *")) {
        if (![...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim())) continue;
        let back = "rgba(0, 0, 0, 0)";
        for (let at = element; at && back === "rgba(0, 0, 0, 0)"; at = at.parentElement)
            back = getComputedStyle(at).backgroundColor;
        const under = rgb(back, "white");
        const over = rgb(getComputedStyle(element).color, `rgb(${under})`);
        const [low, high] = [luminance(under), luminance(over)].sort((a, b) => a - b);
        const name = `${element.tagName}.${element.className}`;
        found[name] = Math.min(found[name] ?? 99, (high + 0.05) / (low + 0.05));
    }
    return found;
}"""


def every_style():
    from treeview._document import Branch, Style, text
    from typing import get_args

    styles = get_args(Style)
    root = Branch(
        text("styles"),
        [text((style, style)) for style in styles],
        note=text(("note", "comment")),
        opened=True,
        inline=False,
    )
    page = treeview.Page("Styles").paragraph("words and `code`").heading("More").add(root)
    return page.table(["a", "b"], [["x", 1]], caption="caption").add([np.eye(3)]).html()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_colour_of_text_is_legible(open_page, scheme):
    page = open_page(every_style(), color_scheme=scheme)
    contrasts = page.evaluate(CONTRASTS)
    assert len(contrasts) > 12
    assert {name: ratio for name, ratio in contrasts.items() if ratio < 4.5} == {}


def number_color(page):
    return page.evaluate("getComputedStyle(document.querySelector('.treeview b')).color")


THEMES = [
    ("<body data-jp-theme-light='false'>", "light", "dark"),
    ("<body data-jp-theme-light='true'>", "dark", "light"),
    ("<body class='vscode-dark'>", "light", "dark"),
    ("<body class='vscode-high-contrast'>", "light", "dark"),
    ("<body class='vscode-light'>", "dark", "light"),
    ("<html theme='dark'><body>", "light", "dark"),
    ("<html data-theme='dark'><body>", "light", "dark"),
    ("<body>", "dark", "dark"),
    ("<body>", "light", "light"),
]


@pytest.mark.parametrize(("around", "system", "wanted"), THEMES)
def test_the_theme_of_the_surroundings_wins(open_page, around, system, wanted):
    fragment = treeview.render_html([1, 2])
    plain = open_page(f"<!doctype html><body>{fragment}", color_scheme=wanted)
    expected = number_color(plain)
    page = open_page(f"<!doctype html>{around}{fragment}", color_scheme=system)
    assert number_color(page) == expected


def test_paper_is_light(open_page):
    page = open_page(tour(), color_scheme="dark")
    page.emulate_media(media="print")
    light = open_page(tour(), color_scheme="light")
    assert number_color(page) == number_color(light)


def test_notebook_styles_do_not_break_the_tree(open_page):
    jupyter = """<style>
    .jp-RenderedHTMLCommon ul:not(.list-inline) {padding-left: 2em}
    .jp-RenderedHTMLCommon * + ul {margin-top: .5em}
    .jp-RenderedHTMLCommon ul ul ul {list-style: circle}
    .jp-RenderedHTMLCommon img {max-width: 100%; height: auto}
    .jp-RenderedHTMLCommon b {font-weight: bold}
    </style>"""
    fragment = treeview.render_html({"a": dict.fromkeys(range(60))}, max_lines=None)
    page = open_page(f"{jupyter}<div class='jp-RenderedHTMLCommon'>{fragment}</div>")
    summary, item = page.locator("summary").nth(1), page.locator("li li").first
    boxes = [one.bounding_box() for one in (summary, item)]
    assert boxes[0]["x"] == boxes[1]["x"]
    assert boxes[0]["y"] + boxes[0]["height"] == pytest.approx(boxes[1]["y"], abs=0.6)


def test_hostile_text_runs_nothing(open_page):
    attacks = [
        "</script><script>console.log('script')</script>",
        "<img src=x onerror=console.log('img')>",
        "'\"><svg onload=console.log('svg')>",
        "</style><script>console.log('style')</script>",
    ]
    value = {attack: [attack] for attack in attacks}
    page = treeview.Page(attacks[0])
    for attack in attacks:
        page.paragraph(attack).heading(attack).table([attack], [[attack]], caption=attack)
        page.add(treeview.text_on_color(attack, 0.5))
    opened = open_page(page.add([dict(value) for _ in range(15)], max_lines=None).html())
    opened.get_by_role("searchbox").fill("<script>")
    opened.get_by_text("lines match").wait_for()


def test_foreign_output_cannot_reach_the_page(open_page):
    from treeview._document import Branch, Foreign, text
    from treeview._rendering import Rendering

    foreign = "<script>try { parent.document.title = 'taken' } catch { }</script><p>frame</p>"
    rendering = Rendering(Foreign(foreign, text("mine")))
    page = open_page(treeview.Page("safe").add(rendering).html())
    page.frame_locator("iframe").get_by_text("frame").wait_for()
    assert page.title() == "safe"


def test_a_big_page_stays_quick(open_page):
    value = [list(range(100)) for _ in range(150)]
    page = open_page(treeview.Page("T").add(value, max_lines=None).html())
    took = page.evaluate(
        """async () => {
        const start = performance.now();
        const input = document.querySelector("input");
        input.value = "99,"; input.dispatchEvent(new Event("input"));
        while (!document.querySelector("[role=status]").textContent)
            await new Promise((done) => setTimeout(done, 10));
        document.body.offsetHeight;
        return performance.now() - start;
    }"""
    )
    assert took < 5_000
