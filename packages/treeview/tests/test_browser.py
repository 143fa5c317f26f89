"""Pages in a real browser: quiet, foldable, legible, and complete without scripts."""

import ast
import collections
import dataclasses
import itertools
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


def started(open_page, html, **settings):
    """A page whose trees the script has taken over."""
    page = open_page(html, **settings)
    page.wait_for_function(
        "[...document.querySelectorAll('script.tv-data')].length === 0"
        " && [...document.querySelectorAll('.tv-list')].every((list) => list.firstChild)"
    )
    return page


def line(page, start):
    """The line that begins with some text."""
    script = """start => [...document.querySelectorAll(".r")]
        .find((line) => line.innerText.trim().startsWith(start))"""
    return page.evaluate_handle(script, start).as_element()


def shown(page):
    """The text of all lines, as it can be read."""
    return page.locator(".tv-list").first.inner_text()


def test_branches_fold_and_unfold(open_page):
    page = started(open_page, tour())
    before = shown(page)
    line(page, "'blocks'").click(position={"x": 40, "y": 8})
    folded = line(page, "'blocks'")
    assert folded.get_attribute("aria-expanded") == "false"
    assert re.search(r"\[.*….*\],$", folded.inner_text())
    assert line(page, "Block(") is None
    folded.click(position={"x": 40, "y": 8})
    assert shown(page) == before


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


def test_pictures_are_drawn(open_page):
    page = started(open_page, tour(autovisualize=True))
    page.get_by_role("button", name="Expand all").click()
    page.wait_for_function("document.querySelectorAll('figure canvas').length === 8")
    sizes = page.eval_on_selector_all("figure canvas", "all => all.map(one => one.width)")
    assert min(sizes) >= 8


COPY = """() => {
    getSelection().selectAllChildren(document.querySelector(".treeview"));
    return getSelection().toString();
}"""


def copied(page):
    return page.evaluate(COPY).strip("\n")


Point = collections.namedtuple("Point", "x y")
COPIES = {
    "nested": {"a": [1, {"b": None}], "text": "x  y", "long": list(range(60)), "set": {1}},
    "deep": {"er": {"and": {"deeper": ["some words to fill the line"] * 4}}},
    "words": {f"key {i}": ["word"] * i for i in range(40)},
    "wide": {"世界": ["é" * 30, "世" * 45, "\u202e", "a\u0301bc"] * 2},
    "mixed": [Point(1, (2.5, None)), b"bytes", 1e300, -0.0, 2**70, True, ..., 1j, {1: {True: ()}}],
    "records": [{"name": f"n{i}", "at": Point(i, -i), "more": list(range(i))} for i in range(30)],
    "plain object": Block(3),
    "a scalar": "text",
}


@pytest.mark.parametrize("limit", [None, 40, 12])
def test_what_is_copied_is_the_text_output(open_page, limit):
    page = treeview.Page("T")
    renderings = [treeview.render(value, max_lines=limit, width=90) for value in COPIES.values()]
    for rendering in renderings:
        page.add(rendering)
    opened = started(open_page, page.html())
    found = opened.evaluate(COPIES_SCRIPT)
    assert dict(zip(COPIES, found)) == dict(zip(COPIES, [one.text() for one in renderings]))


COPIES_SCRIPT = """() => [...document.querySelectorAll(".treeview")].map((tree) => {
    getSelection().selectAllChildren(tree);
    return getSelection().toString().replace(/\\n$/, "");
})"""


def test_what_is_copied_without_scripts_is_the_text_output(open_page):
    # The page's own script stays out by its type; the test's may run.
    renderings = [treeview.render(value, max_lines=None, width=90) for value in COPIES.values()]
    page = treeview.Page("T")
    for rendering in renderings:
        page.add(rendering)
    opened = open_page(page.html().replace("<script>", "<script type=inert>"))
    found = opened.evaluate(COPIES_SCRIPT)
    assert dict(zip(COPIES, found)) == dict(zip(COPIES, [one.text() for one in renderings]))


def test_what_is_copied_follows_the_folds(open_page):
    value = {
        "a": {"b": list(range(300)), "c": ["some words to fill the line"] * 9},
        "d": [None] * 80,
    }
    opened = started(open_page, treeview.Page("T").add(value, max_lines=None, width=90).html())
    for name in ("'d'", "'b'"):
        line(opened, name).click(position={"x": 60, "y": 8})
    kept = treeview._document.Branch  # the same document, with two branches folded
    root = treeview.render(value, max_lines=None, width=90).document
    fold = lambda branch: dataclasses.replace(branch, opened=False)
    inner = root.values[0]
    inner = dataclasses.replace(inner, values=[fold(inner.values[0]), inner.values[1]])
    root = dataclasses.replace(root, values=[inner, fold(root.values[1])])
    assert isinstance(root, kept)
    options = treeview.Options(max_lines=None, width=90)
    assert copied(opened) == treeview.Rendering(root, options).text()


def test_the_bar_is_not_copied(open_page):
    page = started(open_page, tour())
    page.locator(".tv-bar").wait_for()
    assert "Expand" not in copied(page)


def test_expand_and_collapse_all(open_page):
    page = started(open_page, tour())
    page.get_by_role("button", name="Expand all").click()
    assert page.locator(".r[aria-expanded=false]").count() == 0
    assert "'widths': [\n" in shown(page)
    page.get_by_role("button", name="Collapse all").click()
    assert page.locator(".r[aria-expanded=true]").count() == 1
    assert line(page, "{").get_attribute("aria-expanded") == "true"


def test_trees_open_to_a_depth(open_page):
    page = started(open_page, tour())
    page.get_by_label("Open to a depth").select_option("2")
    levels = page.eval_on_selector_all(
        ".r[aria-expanded=true]", "all => all.map(one => Number(one.ariaLevel))"
    )
    assert set(levels) == {1, 2}
    page.get_by_label("Open to a depth").select_option("3")
    assert page.locator(".r[aria-level='4']").count() > 8


def search(page, words):
    page.evaluate("document.querySelector('[role=status]').textContent = ''")
    page.get_by_role("searchbox").fill(words)
    page.wait_for_function("document.querySelector('[role=status]').textContent.includes('match')")
    return page.locator("[role=status]").inner_text()


def test_the_filter_shows_matches_and_what_they_stand_in(open_page):
    page = started(open_page, tour())
    before = shown(page)
    assert search(page, "HEADS") == "8 lines match"
    lines = shown(page).splitlines()
    assert sum("heads" in line for line in lines) == 8
    assert line(page, "'flags'") is None
    assert "widths" not in shown(page)
    assert search(page, "no such line") == "0 lines match"
    page.get_by_role("searchbox").fill("")
    page.wait_for_function("document.querySelector('[role=status]').textContent === ''")
    assert shown(page) == before


QUERIES = [
    ("type:Block", 8),
    ("type:block index", 0),
    ("path:[3].sizes -path:sizes[", 1),
    ("path:[3].sizes.", 0),
    ('"heads\': 4"', 8),
    ("type:dict path:blocks", 8),
    ("type:int -path:blocks", 0),
    ("index=3", 1),
    ("type:str", 1),
    ("dtype:float", 8),
    ("dtype:int", 0),
    ("shape:8 path:blocks*.weights", 8),
    ("shape:8,8 -path:[3]", 7),
    ("shape:8,64", 0),
]


def test_queries_ask_for_types_paths_and_words(open_page):
    page = started(open_page, tour())
    found = {query: int(search(page, query).split()[0]) for query, _ in QUERIES}
    assert found == dict(QUERIES)


def test_the_paths_of_matches_can_be_copied(open_page):
    page = started(open_page, tour(), **CLIPBOARD)
    assert not page.get_by_role("button", name="Copy paths").is_visible()
    search(page, "dtype:float64 -path:[3]")
    page.get_by_role("button", name="Copy paths").click()
    page.get_by_text("7 paths copied").wait_for()
    copied_text = page.evaluate("navigator.clipboard.readText()")
    expected = [f"['blocks'][{i}].weights" for i in range(8) if i != 3]
    assert ast.literal_eval(copied_text) == expected
    page.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject(new Error()); }")
    page.get_by_role("button", name="Copy paths").click()
    page.wait_for_function("getSelection().toString().includes('weights')")
    assert ast.literal_eval(page.evaluate("getSelection().toString()").strip()) == expected


def test_matches_can_be_visited_in_place(open_page):
    page = started(open_page, tour())
    page.get_by_role("button", name="Collapse all").click()
    page.get_by_role("button", name="Only matches").click()
    search(page, "index=")
    assert "'flags'" in shown(page)
    for number in (1, 2):
        page.get_by_role("button", name="Next match").click()
        page.get_by_text(f"{number} of 8 lines").wait_for()
        assert page.locator(".tv-now").inner_text().strip() == f"index={number - 1},"
    page.get_by_role("button", name="Previous match").click()
    page.get_by_role("searchbox").press("Shift+Enter")
    page.get_by_text("8 of 8 lines").wait_for()
    assert page.locator(".tv-now").is_visible()


def test_matches_are_highlighted(open_page):
    page = started(open_page, tour())
    search(page, "heads")
    assert page.evaluate("[...CSS.highlights.get('treeview')].map(String)") == ["heads"] * 8
    assert page.locator(".tv-hit").count() == 8


def hover_line(page, start):
    line(page, start).hover(position={"x": 60, "y": 8})


PATHS = [
    ("'name'", "['name']"),
    ("'blocks'", "['blocks']"),
    ("index=3", "['blocks'][3].index"),
    ("weights", "['blocks'][0].weights"),
]
CLIPBOARD = {"permissions": ["clipboard-read", "clipboard-write"]}


def test_the_path_of_a_line_can_be_copied(open_page):
    page = started(open_page, tour(), **CLIPBOARD)
    page.get_by_role("button", name="Expand all").click()
    for start, path in PATHS:
        hover_line(page, start)
        button = page.locator(".tv-do button").first
        assert button.get_attribute("title") == path
        button.click()
        page.get_by_text("copied").wait_for()
        assert page.evaluate("navigator.clipboard.readText()") == path


def test_a_value_can_be_copied(open_page):
    page = started(open_page, tour(), **CLIPBOARD)
    page.get_by_role("button", name="Expand all").click()
    hover_line(page, "'widths'")
    page.get_by_role("button", name="copy value").click()
    page.get_by_text("copied").wait_for()
    assert page.evaluate("navigator.clipboard.readText()") == repr(list(range(100)))
    # What the tree only sums up is copied in full.
    hover_line(page, "weights")
    page.get_by_role("button", name="copy value").click()
    page.get_by_text("copied").wait_for()
    text = page.evaluate("navigator.clipboard.readText()")
    np.testing.assert_array_equal(eval(text, {"numpy": np}), Block(0).weights)


def test_what_the_page_does_not_hold_is_copied_as_it_is_shown(open_page):
    page = treeview.Page("T").add([np.zeros(30_000), "a word " * 12, {"a": [Block]}])
    page = started(open_page, page.html(), **CLIPBOARD)
    hover_line(page, "np.ndarray")
    page.get_by_role("button", name="copy text").click()
    page.get_by_text("copied").wait_for()
    assert page.evaluate("navigator.clipboard.readText()") == "<np.ndarray float64[30000]>"
    hover_line(page, "'a word")
    assert page.get_by_role("button", name="copy value").is_visible()


def test_paths_of_values_that_share_a_line_are_their_own(open_page):
    page = started(open_page, treeview.Page("T").add({"a": list(range(90))}, max_lines=None).html())
    page.locator(".r b", has_text="57").hover()
    assert page.get_by_role("button", name="copy path").get_attribute("title") == "['a'][57]"


def test_paths_behind_the_fold_of_a_long_list_are_right(open_page):
    page = started(
        open_page, treeview.Page("T").add({"a": [f"item {i:>60}" for i in range(90)]}).html()
    )
    page.locator(".tv-rest").click()
    hover_line(page, f"'item {89:>60}'")
    assert page.get_by_role("button", name="copy path").get_attribute("title") == "['a'][89]"


def test_without_a_clipboard_the_path_is_shown_to_copy_by_hand(open_page):
    page = started(open_page, tour())
    refuse = "() => { navigator.clipboard.writeText = () => Promise.reject(new Error()); }"
    page.evaluate(refuse)
    hover_line(page, "'blocks'")
    page.get_by_role("button", name="copy path").click()
    page.locator(".tv-do", has_text="['blocks']").wait_for()
    assert page.evaluate("getSelection().toString()") == "['blocks']"


def test_totals_are_shown_when_asked_for(open_page):
    page = started(open_page, tour())
    before = shown(page)
    hover_line(page, "'blocks'")
    assert "512" in page.locator(".tv-do span").inner_text()
    page.get_by_role("button", name="Totals").click()
    script = "line => getComputedStyle(line, '::after').content"
    assert "64" in page.evaluate(script, line(page, "Block("))
    assert shown(page) == before


def focused(page):
    return page.evaluate("document.activeElement.textContent").strip()


def test_the_tree_can_be_walked_by_keyboard(open_page):
    page = started(open_page, tour())
    line(page, "{").focus()
    press = page.keyboard.press
    press("ArrowDown")
    assert focused(page).startswith("'name'")
    press("ArrowDown")
    assert focused(page).startswith("'blocks'")
    press("ArrowLeft")
    assert page.evaluate("document.activeElement.ariaExpanded") == "false"
    press("ArrowRight")
    assert page.evaluate("document.activeElement.ariaExpanded") == "true"
    press("ArrowRight")
    assert focused(page).startswith("Block(")
    press("ArrowLeft")
    press("ArrowLeft")
    assert focused(page).startswith("'blocks'")
    press("Home")
    assert focused(page).startswith("{")
    press("End")
    assert focused(page).startswith("'again'")
    press("n")
    assert focused(page).startswith("'name'")
    press("ArrowDown")
    press("ArrowRight")
    press("ArrowLeft")
    press("*")
    assert "'flags': [True]" in shown(page)
    assert page.locator(".r[tabindex='0']").count() == 1


def test_a_star_opens_all_branches_beside(open_page):
    page = started(open_page, tour())
    page.get_by_label("Open to a depth").select_option("2")
    line(page, "Block(").focus()
    page.keyboard.press("*")
    assert page.locator(".r[aria-level='3'][aria-expanded=true]").count() == 8


def test_the_tree_tells_assistive_technology_what_it_is(open_page):
    page = started(open_page, tour())
    assert page.get_by_role("tree").count() == 1
    item = page.get_by_role("treeitem", name="'flags'", exact=False)
    described = {
        name: item.get_attribute(f"aria-{name}") for name in ("level", "posinset", "setsize")
    }
    assert described == {"level": "2", "posinset": "3", "setsize": "4"}


def test_the_path_is_copied_where_nothing_is_selected(open_page):
    page = started(open_page, tour(), **CLIPBOARD)
    line(page, "'blocks'").focus()
    page.keyboard.press("Control+c")
    assert page.evaluate("navigator.clipboard.readText()") == "['blocks']"


def test_references_lead_to_the_first_sighting(open_page):
    page = started(open_page, tour())
    page.get_by_role("button", name="Collapse all").click()
    page.locator(".r a").click()
    assert focused(page).startswith("Block(")
    assert page.locator(".tv-flash").is_visible()


def test_references_lead_to_the_first_sighting_without_scripts(open_page):
    page = open_page(tour(), java_script_enabled=False)
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
]


def test_the_theme_of_the_surroundings_wins(open_page):
    fragment = treeview.render_html([1, 2])
    page = open_page("")

    def color(around, system):
        page.emulate_media(color_scheme=system)
        page.set_content(f"<!doctype html>{around}{fragment}")
        return number_color(page)

    expected = {scheme: color("<body>", scheme) for scheme in ("light", "dark")}
    assert expected["light"] != expected["dark"]
    for around, system, wanted in THEMES:
        assert color(around, system) == expected[wanted], around


def test_paper_is_light(open_page):
    page = open_page(tour(), color_scheme="dark")
    page.emulate_media(media="print")
    light = open_page(tour(), color_scheme="light")
    assert number_color(page) == number_color(light)


JUPYTER = """<style>
    .jp-RenderedHTMLCommon ul:not(.list-inline) {padding-left: 2em}
    .jp-RenderedHTMLCommon * + ul {margin-top: .5em}
    .jp-RenderedHTMLCommon ul ul ul {list-style: circle}
    .jp-RenderedHTMLCommon img {max-width: 100%; height: auto}
    .jp-RenderedHTMLCommon b {font-weight: bold}
    </style>"""


@pytest.mark.parametrize(("scripts", "lines"), [(False, "summary, li li"), (True, ".r")])
def test_notebook_styles_do_not_break_the_tree(open_page, scripts, lines):
    words = [f"item {i:>60}" for i in range(9)]
    fragment = treeview.render_html({"a": words, "b": [{}] * 5}, max_lines=None)
    html = f"{JUPYTER}<div class='jp-RenderedHTMLCommon'>{fragment}</div>"
    page = open_page(html, java_script_enabled=scripts)
    boxes = [one.bounding_box() for one in page.locator(lines).all()[1:9]]
    for above, below in itertools.pairwise(boxes):
        assert above["x"] == below["x"]
        assert above["y"] + above["height"] == pytest.approx(below["y"], abs=0.6)


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
    opened = started(open_page, page.add([dict(value) for _ in range(15)], max_lines=None).html())
    opened.get_by_role("searchbox").fill("<script>")
    opened.get_by_text("lines match").wait_for()


def foreign_page(html):
    from treeview._document import Foreign, text
    from treeview._rendering import Rendering

    return treeview.Page("safe").add(Rendering(Foreign(html, text("mine")))).html()


def test_foreign_output_cannot_reach_the_page(open_page):
    foreign = "<script>try { parent.document.title = 'taken' } catch { }</script><p>frame</p>"
    page = started(open_page, foreign_page(foreign))
    page.frame_locator("iframe").get_by_text("frame").wait_for()
    assert page.title() == "safe"
    assert page.locator("iframe").get_attribute("sandbox") == "allow-scripts"
    assert page.locator("iframe").get_attribute("title") == "mine"


@pytest.mark.parametrize(("height", "expected"), [(90, (90, 130)), (5_000, (600, 600))])
def test_foreign_output_takes_the_height_that_it_needs(open_page, height, expected):
    page = started(open_page, foreign_page(f"<div style='height:{height}px'>x</div>"))
    page.wait_for_function("document.querySelector('iframe').style.height")
    low, high = expected
    assert low <= page.locator("iframe").bounding_box()["height"] <= high


def test_what_a_rule_wants_to_show_is_in_view_until_all_is_folded(open_page):
    class Card:
        def _repr_html_(self):
            return "<p>card</p>"

    value = {"a": [], "many": [[{}, [i]] for i in range(15)]}
    rule = lambda value, path: Card() if path == "['a']" else None
    page = started(open_page, treeview.Page("T").add(value, autovisualize=rule).html())
    page.frame_locator("iframe").get_by_text("card").wait_for()
    page.get_by_role("button", name="Collapse all").click()
    assert page.locator("iframe").count() == 0


def test_a_fallback_stands_for_foreign_output_without_scripts(open_page):
    page = open_page(foreign_page("<p>frame</p>"), java_script_enabled=False)
    assert page.locator("summary").inner_text().strip() == "mine"


def test_the_roundtrip_view_writes_what_evaluates(open_page):
    value = {"point": Point(1, 2.5), "block": Block(1), "many": [{"x": [i]} for i in range(15)]}
    value["text"] = "word " * 40
    page = started(open_page, treeview.Page("T").add(value).html(), **CLIPBOARD)
    plain = shown(page)
    page.get_by_role("button", name="Roundtrip").click()
    exact = shown(page)
    assert "numpy.arange" in exact or "numpy.array" in exact
    assert f"{Point.__module__}.Point(" in exact
    assert page.locator(".r[aria-expanded=true]").count() > 1
    page.get_by_role("button", name="Roundtrip").click()
    assert shown(page) == plain
    hover_line(page, "'point'")
    page.get_by_role("button", name="copy value").click()
    page.get_by_text("copied").wait_for()
    copied_text = page.evaluate("navigator.clipboard.readText()")
    assert copied_text == treeview.render_text(value["point"], roundtrip=True)


def test_the_roundtrip_view_marks_what_it_cannot_write(open_page):
    value = [{"weights": np.zeros(10_000), "block": Block(i)} for i in range(15)]
    page = started(open_page, treeview.Page("T").add(value).html())
    page.get_by_role("button", name="Roundtrip").click()
    assert "'weights': <np.ndarray float64[10000]>" in shown(page)
    hover_line(page, "'weights'")
    assert page.get_by_role("button", name="copy text").is_visible()


def test_a_page_says_why_there_is_no_roundtrip_view(open_page):
    value = [{"weights": np.zeros(100), "sizes": [i] * 9} for i in range(15)]
    page = started(open_page, treeview.Page("T").add(value, max_items=8).html())
    page.get_by_role("button", name="Roundtrip").click(force=True)
    assert "Parts of the value are not on this page" in page.locator("[role=status]").inner_text()


# What notebook front ends do with an output: its markup is set, its scripts are made anew.
INSERT = """(outputs) => {
    for (const html of outputs) {
        const host = document.createElement("div");
        host.innerHTML = html;
        for (const old of host.querySelectorAll("script")) {
            const script = document.createElement("script");
            for (const {name, value} of old.attributes) script.setAttribute(name, value);
            script.textContent = old.textContent;
            old.replaceWith(script);
        }
        document.body.append(host);
    }
}"""
POLICY = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:"


def test_outputs_work_where_notebooks_put_them_and_under_a_strict_policy(open_page):
    value = [{"index": i, "words": [f"a longer word {i}"] * 9} for i in range(40)]
    again = treeview.render(value)
    policy = f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
    page = open_page(f"<!doctype html><head>{policy}</head><body></body>")
    page.evaluate(INSERT, [again.html(), again.html(), treeview.render_html([1, 2])])
    page.locator(".tv-list").nth(1).wait_for()
    fields = page.get_by_role("searchbox").all()
    assert len(fields) == 2
    fields[1].fill('"word 7"')
    page.get_by_text("9 lines match").wait_for()
    first, second = (one.inner_text() for one in page.locator(".tv-list").all())
    assert first == again.text(width=100)
    assert "index': 8" not in second


def test_large_trees_in_figures_and_tables_can_be_searched(open_page):
    large = [[f"a longer word {i} {j}" for j in range(30)] for i in range(90)]
    page = treeview.Page("T").add(treeview.inline("beside ", large))
    page.table(["a", "tree"], [["x", treeview.render(large)]])
    opened = started(open_page, page.html())
    assert opened.get_by_role("searchbox").count() == 2
    assert "beside" in opened.locator("main").inner_text()
