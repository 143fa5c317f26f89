"""The live widget in a real browser: its script talks to a real widget, without a server between."""

import ast
import base64
import json
import random
import re
from types import SimpleNamespace

import numpy as np
import pytest

import treeview

pytest.importorskip("anywidget")

pytestmark = pytest.mark.browser

PAGE = """<!doctype html><meta charset=utf-8><style>CSS</style><body style="font-size:13px">
<div id=one></div><div id=two></div>
<script>
const traits = TRAITS;
const handlers = [];
globalThis.sent = [];
globalThis.set = [];
globalThis.isDead = false;
const model = {
  get: (name) => traits[name],
  on: (event, act) => handlers.push([event, act]),
  off: (event, act) => handlers.splice(handlers.findIndex((pair) => pair[1] === act), 1),
  set: (name, value) => set.push([name, value]),
  save_changes: () => set.push("saved"),
  send(content) {
    sent.push(content);
    if (!isDead) answer(JSON.stringify(content)).then(deliver);
  },
};
function deliver(events) {
  for (const { trait, value } of events) {
    if (trait === "custom") for (const [event, act] of [...handlers]) event === "msg:custom" && act(value);
    else {
      traits[trait] = value;
      for (const [event, act] of [...handlers]) event === `change:${trait}` && act(value);
    }
  }
}
globalThis.views = [];
const started = import("data:text/javascript;base64,SCRIPT").then(({ default: widget }) => {
  // Notebooks put views on the page when these have been made, and take them off for a while.
  globalThis.addView = (place) => {
    const el = document.createElement("div");
    views.push(widget.render({ model, el }));
    setTimeout(() => place.append(el), 20);
  };
  addView(document.getElementById("one"));
});
</script>"""


class Block:
    def __init__(self, index):
        self.index = index
        self.weights = np.arange(64.0).reshape(8, 8) - 32
        self.sizes = {"heads": 4, "widths": list(range(500))}


def tour(blocks=3):
    return {"name": "</script><b>", "blocks": [Block(index) for index in range(blocks)]}


@pytest.fixture
def host(open_page, monkeypatch):
    """Shows a widget on a page and carries its messages."""

    def show(widget, **settings):
        events = []
        widget.send = lambda content, buffers=None: events.append(
            {"trait": "custom", "value": json.loads(json.dumps(content))}
        )
        widget.observe(
            lambda change: events.append({"trait": change.name, "value": change.new}),
            ["_selection", "selected_path"],
        )

        def drain():
            out = list(events)
            events.clear()
            return out

        def answer(content):
            widget._receive(widget, json.loads(content), [])
            return drain()

        traits = {name: widget.get_state()[name] for name in ("_first", "_selection")}
        script = base64.b64encode(widget._esm.encode()).decode()
        html = PAGE.replace("SCRIPT", script).replace("CSS", widget._css)
        html = html.replace("TRAITS", json.dumps(traits).replace("<", "\\u003c"))
        page = open_page("<p>", **settings)
        page.expose_function("answer", answer)
        page.set_content(html)
        page.wait_for_selector(".treeview[data-ready]")
        return SimpleNamespace(
            page=page, widget=widget, deliver=lambda: page.evaluate("deliver", drain())
        )

    return show


def line(page, start, view=0):
    script = """([start, view]) => [...(document.querySelectorAll(".tv-list")[view]?.querySelectorAll(".r") ?? [])]
        .find((line) => line.innerText.trim().startsWith(start))"""
    return page.evaluate_handle(script, [start, view]).as_element()


def wait_line(page, start, view=0):
    script = """([start, view]) => [...(document.querySelectorAll(".tv-list")[view]?.querySelectorAll(".r") ?? [])]
        .some((line) => line.innerText.trim().startsWith(start))"""
    page.wait_for_function(script, arg=[start, view])
    return line(page, start, view)


def shown(page, view=0):
    return page.locator(".tv-list").nth(view).inner_text()


def arrow(element):
    element.click(position={"x": 8, "y": 8})


def test_first_lines_are_those_of_the_text_output(host):
    value = {"name": "</script><b>", "text": ["some words to fill the line"] * 6, "at": {1: None}}
    widget = treeview.widget(value, width=90)
    page = host(widget).page
    copied = page.evaluate(
        "() => { getSelection().selectAllChildren(document.querySelector('.tv-list'));"
        " return getSelection().toString(); }"
    )
    assert copied.strip("\n") == treeview.render_text(value, width=90)


def test_opening_asks_the_kernel_and_shows_what_is_there_then(host):
    value = {"big": [{"at": i, "more": list(range(i))} for i in range(1000)]}
    there = host(treeview.widget(value, max_lines=5, depth=0))
    page = there.page
    value["big"].insert(0, "new")
    page.evaluate("sent.length = 0")
    wait_line(page, "{")
    arrow(line(page, "{"))
    wait_line(page, "'big'")
    arrow(line(page, "'big'"))
    wait_line(page, "'new',")
    assert page.evaluate("sent.map(({kind}) => kind)") == ["open", "open"]


def test_long_containers_come_page_by_page(host):
    there = host(
        treeview.widget([str(i) + "x" * 60 for i in range(1000)], max_items=50, max_lines=10)
    )
    page = there.page
    for expected in ("'10x", "'50x", "'100x", "'200x"):
        rest = page.locator(".tv-rest")
        rest.click()
        wait_line(page, expected)
    assert page.locator(".r[role=treeitem]").count() > 200
    assert page.evaluate("sent.filter(({kind}) => kind === 'more').length") == 3


def test_clicking_selects(host):
    value = tour()
    there = host(treeview.widget(value))
    page = there.page
    seen = []
    there.widget.observe(lambda change: seen.append(change.new), "selected_path")
    wait_line(page, "index=1").click(position={"x": 60, "y": 8})
    page.wait_for_selector(".tv-chosen")
    assert seen == ["['blocks'][1].index"]
    assert there.widget.selected == 1
    assert page.evaluate("set") == [["selected_path", "['blocks'][1].index"], "saved"]
    chosen = page.locator("[aria-selected=true]")
    assert chosen.count() == 1 and chosen.inner_text().strip().startswith("index=1")
    wait_line(page, "weights=").click(position={"x": 60, "y": 8})
    page.wait_for_function("document.querySelector('.tv-chosen').innerText.includes('weights')")
    assert there.widget.selected is value["blocks"][0].weights


def test_keys_select_and_move(host):
    there = host(treeview.widget(tour()))
    page = there.page
    page.locator("[role=treeitem]").first.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_selector(".tv-chosen")
    assert there.widget.selected_path == "['name']"
    assert there.widget.selected == "</script><b>"


def test_paths_set_from_python_are_shown(host):
    there = host(
        treeview.widget({"a": [{"b": list(range(100))} for _ in range(5000)]}, max_lines=6)
    )
    page = there.page
    there.widget.selected_path = "['a'][4321]['b'][7]"
    assert there.widget.selected == 7
    there.deliver()
    page.wait_for_selector(".tv-chosen")
    assert "before" in shown(page)
    before = page.locator(".tv-rest", has_text="before")
    before.click()
    page.wait_for_function("sent.some(({before}) => before)")
    page.wait_for_function("![...document.querySelectorAll('[aria-busy]')].length")
    assert page.evaluate("document.querySelectorAll('.tv-chosen').length") == 1


def test_update_keeps_what_is_open_and_says_what_changed(host):
    value = tour()
    there = host(treeview.widget(value, depth=2))
    page = there.page
    arrow(wait_line(page, "Block(index=1"))
    wait_line(page, "index=1")
    value["blocks"][1].index = 7
    value["blocks"][1].fresh = True
    del value["name"]
    assert there.widget.update() == "1 changed, 1 added, 1 removed"
    there.deliver()
    changed = wait_line(page, "index=7")
    assert changed.get_attribute("aria-description") == "was 1"
    assert wait_line(page, "fresh=True").get_attribute("aria-description") == "added"
    root = line(page, "{")
    assert root.get_attribute("aria-description") == "removed: ['name']"
    assert page.locator("[role=status]").inner_text() == "1 changed, 1 added, 1 removed"


def test_two_views_show_the_same_and_fold_apart(host):
    there = host(treeview.widget(tour(), depth=2))
    page = there.page
    page.evaluate("addView(document.getElementById('two'))")
    arrow(wait_line(page, "Block(index=1", 1))
    wait_line(page, "index=1", 1)
    assert line(page, "index=1", 0) is None
    wait_line(page, "index=1", 1).click(position={"x": 60, "y": 8})
    page.wait_for_function("document.querySelectorAll('.tv-chosen').length === 2")


def test_a_later_view_shows_what_was_opened(host):
    there = host(treeview.widget(tour(), depth=2))
    page = there.page
    arrow(wait_line(page, "Block(index=1"))
    wait_line(page, "index=1")
    page.evaluate("addView(document.getElementById('two'))")
    wait_line(page, "index=1", 1)


def test_what_comes_while_a_view_is_off_the_page_is_not_lost(host):
    value = tour()
    there = host(treeview.widget(value, depth=2))
    page = there.page
    page.evaluate("globalThis.el = document.querySelector('#one > div'); el.remove()")
    value["blocks"][1].index = 7
    there.widget.update()
    there.widget.selected_path = "['blocks'][1].index"
    there.deliver()
    page.evaluate("document.getElementById('one').append(el)")
    page.wait_for_selector(".tv-chosen")
    assert page.locator(".tv-chosen").inner_text().strip() == "index=7,"
    page.evaluate("views[0]()")
    assert page.evaluate("handlers.length") == 0


def nested(rng, depth=0):
    kind = rng.randrange(9 if depth < 4 else 3)
    children = [nested(rng, depth + 1) for _ in range(rng.choice([1, 2, 5]))] if kind > 3 else []
    match kind:
        case 0 | 1:
            return rng.choice([0, 1.5, None, "text", "\u4e16\u754c" * 20])
        case 2 | 3:
            return list(range(rng.choice([3, 60])))
        case 4 | 5:
            return {f"key {at}": child for at, child in enumerate(children)}
        case 6:
            return Block(rng.randrange(9))
        case _:
            return children


COPY = """(list) => {
    getSelection().selectAllChildren(list);
    return getSelection().toString().trim();
}"""


def unspaced(text):
    """Text without line breaks: what was opened stays on lines of its own."""
    return re.sub(r",?\s*([])}])", r"\1", re.sub(r"\s+", " ", text)).replace(" ", "")


@pytest.mark.parametrize("seed", [1, 2])
def test_all_opened_it_reads_like_a_page(host, open_page, seed):
    rng = random.Random(seed)
    value = [nested(rng) for _ in range(5)]
    static = open_page(treeview.Page("T").add(treeview.render(value, max_lines=100)).html())
    static.wait_for_selector(".tv-bar, .tv-list")
    for _ in range(20):
        shut = static.locator(".r[aria-expanded=false]")
        if shut.count() == 0:
            break
        for line in shut.all()[::-1]:
            line.focus()
            static.keyboard.press("ArrowRight")
    page = host(treeview.widget(value, max_items=1000, max_lines=100, depth=1)).page
    for _ in range(200):
        shut = page.locator(".r[aria-expanded=false]")
        if shut.count() == 0:
            break
        line = shut.nth(rng.randrange(shut.count()))
        line.focus()
        page.keyboard.press("ArrowRight")
        page.wait_for_function("![...document.querySelectorAll('[aria-busy]')].length")
    live, whole = [one.locator(".tv-list").evaluate(COPY) for one in (page, static)]
    assert unspaced(live) == unspaced(whole)


def test_search_goes_through_what_is_not_open(host):
    value = {"layers": [{"sizes": [{"needle": i}]} for i in range(300)]}
    there = host(treeview.widget(value, max_lines=5))
    page = there.page
    page.get_by_role("searchbox").fill("needle")
    page.wait_for_function("document.querySelector('[role=status]').textContent === '1 of 300'")
    page.get_by_role("searchbox").press("Shift+Enter")
    page.wait_for_function("document.querySelector('[role=status]').textContent === '300 of 300'")
    assert "299" in page.locator(".tv-flash").inner_text()


def test_without_an_answer_it_says_so_and_opens_what_it_knows(host):
    there = host(treeview.widget(tour(), depth=2))
    page = there.page
    page.evaluate("isDead = true")
    arrow(wait_line(page, "Block(index=1"))
    page.wait_for_function(
        "document.querySelector('[role=status]').textContent.startsWith('The kernel')"
    )
    wait_line(page, "index=1")


def test_all_branches_unfold_and_fold_in_one_view(host):
    there = host(treeview.widget(tour(), depth=1, max_lines=300))
    page = there.page
    page.evaluate("addView(document.getElementById('two'))")
    wait_line(page, "'blocks'", 1)
    page.locator("#one").get_by_role("button", name="Expand all").click()
    page.wait_for_function("!document.querySelector('#one .r[aria-expanded=false]')")
    assert line(page, "index=2", 0) is not None
    assert line(page, "index=2", 1) is None
    page.locator("#one").get_by_role("button", name="Collapse all").click()
    page.wait_for_function("document.querySelectorAll('#one [aria-expanded=true]').length === 1")
    assert line(page, "Block(index=2", 0) is None
    page.locator("#one").get_by_label("Open to a depth").select_option("2")
    wait_line(page, "Block(index=2", 0)
    assert line(page, "index=2", 0) is None


def test_a_huge_tree_unfolds_as_far_as_there_is_room(host):
    value = [{"a": [list(range(100))], "b": list(range(100))} for _ in range(10**4)]
    page = host(treeview.widget(value)).page
    page.get_by_role("button", name="Expand all").click()
    page.wait_for_function(
        "document.querySelector('[role=status]').textContent.includes('branches stay folded')"
    )
    assert page.locator("[aria-expanded=true]").count() > 10


def test_paths_and_values_are_copied_by_keyboard(host):
    value = {"big": [{"at": i, "more": list(range(i))} for i in range(3000)]}
    widget = treeview.widget(value, max_lines=20)
    there = host(widget, permissions=["clipboard-read", "clipboard-write"])
    page = there.page
    widget.selected_path = "['big'][2500]"
    there.deliver()
    page.wait_for_selector(".tv-chosen")
    page.locator(".tv-chosen").focus()
    page.keyboard.press("Control+c")
    pasted = page.evaluate("navigator.clipboard.readText()")
    assert pasted == "['big'][2500]"
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="copied", exact=True).wait_for()
    pasted = page.evaluate("navigator.clipboard.readText()")
    assert ast.literal_eval(pasted) == value["big"][2500]


def test_paths_of_matches_are_copied(host):
    there = host(
        treeview.widget({"a": [{"needle": i} for i in range(70)]}, max_lines=5),
        permissions=["clipboard-read", "clipboard-write"],
    )
    page = there.page
    button = page.get_by_role("button", name="Copy paths")
    assert not button.is_visible()
    page.get_by_role("searchbox").fill("needle")
    button.click()
    page.get_by_text("70 paths copied").wait_for()
    pasted = ast.literal_eval(page.evaluate("navigator.clipboard.readText()"))
    assert pasted == [f"['a'][{i}]['needle']" for i in range(70)]


def test_the_keyboard_is_explained(host):
    page = host(treeview.widget([1])).page
    button = page.get_by_role("button", name="What the keyboard does")
    assert button.get_attribute("aria-expanded") == "false"
    button.press("Enter")
    assert button.get_attribute("aria-expanded") == "true"
    assert page.get_by_text("open or fold without selecting").is_visible()
    button.press("Enter")
    assert not page.get_by_text("open or fold without selecting").is_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_live_tree_has_no_accessibility_violations(host, axe_violations, scheme):
    value = tour()
    there = host(treeview.widget(value, depth=3, autovisualize=True), color_scheme=scheme)
    page = there.page
    page.get_by_role("button", name="What the keyboard does").click()
    page.get_by_role("searchbox").fill("index")
    page.get_by_text("1 of 3").wait_for()
    value["blocks"][1].index, value["new"] = 9, 1
    there.widget.update()
    there.deliver()
    wait_line(page, "index=9").click(position={"x": 60, "y": 8})
    page.wait_for_selector(".tv-chosen")
    assert axe_violations(page, ".treeview") == []


def test_errors_of_an_object_stay_in_its_line(host):
    class Hostile:
        def __treeview__(self, view):
            raise RuntimeError("not today")

    there = host(treeview.widget([1, Hostile(), [2] * 1000]))
    assert "not today" in shown(there.page)


def test_pictures_come_with_what_is_opened(host):
    there = host(treeview.widget(tour(), depth=2, autovisualize=True))
    page = there.page
    arrow(wait_line(page, "Block(index=1"))
    page.wait_for_selector(".tv-pic canvas")
    assert page.locator("figure").count() == 1
    page.locator(".tv-pic").hover(position={"x": 2, "y": 2})
    page.wait_for_function("document.querySelector('.tv-told').textContent.includes('-32')")
