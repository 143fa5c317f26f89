"""Objects of any size in a browser: they open, scroll and are searched without freezing it."""

import pytest

import treeview

pytestmark = pytest.mark.browser

ALL = {"max_nodes": 10**8, "max_items": 10**8, "seconds": 600.0}
# A task that takes longer than that is a freeze, here with room for a machine under load.
FREEZE = 2_000
WATCH = """() => { window.longest = 0; new PerformanceObserver((list) => {
    for (const {duration} of list.getEntries()) window.longest = Math.max(window.longest, duration);
}).observe({entryTypes: ["longtask"]}); }"""


def started(open_page, html):
    page = open_page(html)
    page.locator(".r").first.wait_for()
    page.evaluate(WATCH)
    return page


def status(page, words):
    page.get_by_role("searchbox").fill(words)
    page.wait_for_function("document.querySelector('[role=status]').textContent.includes('match')")
    return page.locator("[role=status]").inner_text()


def test_a_million_values_open_scroll_and_are_searched(open_page):
    # Numbers cost nothing on the way, so that this is about the browser.
    value = {f"part_{i}": [list(range(j, j + 100)) for j in range(100)] for i in range(100)}
    html = treeview.Page("T").add(value, max_lines=None, **ALL).html()
    assert len(html) < 2_000_000
    page = started(open_page, html)
    page.context.set_default_timeout(60_000)
    before = page.locator(".r").count()
    assert before < 1_000
    for _ in range(8):
        page.mouse.wheel(0, 100_000)
        page.wait_for_timeout(50)
    assert page.locator(".r").count() > before
    assert status(page, "path:['part_77'][42] 141").startswith("1 line")
    assert page.evaluate("window.longest") < FREEZE
    assert page.locator(".tv-hit").inner_text().strip() == "141,"
    page.get_by_role("button", name="Expand all").click()
    assert page.locator(".r").count() < 1_000


def test_a_match_far_down_a_long_list_can_be_visited(open_page):
    value = {"words": [f"this is word number {i:05d}" for i in range(20_000)], "more": [[]] * 20}
    value["lists"] = [[{i: [i]}] for i in range(20)]
    page = started(open_page, treeview.Page("T").add(value, **ALL).html())
    page.get_by_role("button", name="Only matches").click()
    assert status(page, "number 15000") == "1 line matches"
    page.get_by_role("button", name="Next match").click()
    assert page.locator(".tv-now").inner_text().strip() == "'this is word number 15000',"
    assert page.locator(".r").count() < 1_000
    page.locator(".tv-rest", has_text="before").click()
    page.get_by_text("word number 14900").wait_for()


def test_what_a_long_page_leaves_out_is_said_without_scripts(open_page):
    value = [[f"word {i} {j}" for j in range(20)] for i in range(400)]
    page = open_page(treeview.Page("T").add(value).html(), java_script_enabled=False)
    said = page.locator(".tv-said")
    assert said.is_visible()
    assert "These are the first levels of 8,401 values." in said.inner_text()
    assert page.locator("summary").count() > 3


def test_without_decompression_the_first_levels_stay(open_page):
    value = [[f"word {i} {j}" for j in range(20)] for i in range(400)]
    html = treeview.Page("T").add(value).html()
    html = html.replace("<script>", "<script>delete globalThis.DecompressionStream;", 1)
    page = open_page(html)
    page.get_by_text("This browser cannot unpack it.").wait_for()
    assert page.locator("summary").first.is_visible()


def test_thousands_of_levels_can_be_walked(open_page):
    value = ["the innermost"]
    for _ in range(4_000):
        value = [value]
    page = started(open_page, treeview.Page("T").add(value, max_lines=None, **ALL).html())
    page.get_by_role("searchbox").fill("innermost")
    page.get_by_text("1 line matches").wait_for()
    page.get_by_role("button", name="Only matches").click()
    page.get_by_role("button", name="Next match").click()
    page.locator(".tv-now").wait_for()
    # The last levels stand on one line.
    assert "[['the innermost']]" in page.locator(".tv-now").inner_text()
    assert int(page.locator(".tv-now").get_attribute("aria-level")) > 3_900
