"""marimo, which shows what renderings say of themselves."""

import pytest

pytestmark = pytest.mark.frontends

CELLS = [
    "import marimo as mo, numpy as np, treeview",
    "treeview.render({'small': [1, {'a': None}], 'text': 'words ' * 20})",
    "treeview.render([{'weights': np.arange(12.0) + i, 'n': list(range(40))} for i in range(9)])",
    "treeview.render_array(np.eye(4))",
    "treeview.show({'shown': 1}, {'second': 2})",
    "mo.ui.anywidget(treeview.widget({'live': [1, {'b': 2}]}))",
]


@pytest.fixture(scope="module")
def page(chromium, marimo):
    context = chromium.new_context(viewport={"width": 1100, "height": 1500})
    context.set_default_timeout(90_000)
    page = context.new_page()
    failures = []
    page.on("pageerror", lambda error: failures.append(str(error)))
    page.goto(marimo(CELLS, "dark"))  # whatever the browser prefers
    page.locator(".treeview", has_text="'small'").wait_for()
    yield page
    context.close()
    assert failures == []


def framed(page, text):
    """The tree with some text in one of the frames that marimo puts scripts in."""
    page.locator("iframe").first.wait_for()
    for _ in range(100):
        for frame in page.frames:
            found = frame.locator(".treeview", has_text=text)
            if frame is not page.main_frame and found.count():
                return found.first
        page.wait_for_timeout(100)
    pytest.fail(f"No frame shows {text!r}.")


def test_a_small_tree_folds(page):
    tree = page.locator(".treeview", has_text="'small'")
    assert tree.inner_text().startswith("{\n  'small': [1, {'a': None}],\n")
    tree.locator("summary").first.click(position={"x": 30, "y": 8})
    assert "\n" not in tree.inner_text()


def test_a_large_tree_is_searched(page):
    tree = framed(page, "np.ndarray")
    tree.get_by_role("searchbox").fill("path:[7]['weights']")
    tree.locator(".tv-hit").first.wait_for()
    assert tree.locator(".tv-hit").count() == 1


def test_a_picture_shows(page):
    assert framed(page, "axis 0: 4").locator("figure :is(img, canvas)").is_visible()


HEIGHT = """async (tree) => {
    const view = tree.ownerDocument.defaultView;
    const differs = () => Math.abs(tree.offsetHeight - view.innerHeight) > 1;
    for (let left = 100; left && differs(); left--) await new Promise((go) => setTimeout(go, 50));
    return differs() ? -1 : view.innerHeight;
}"""


def test_a_frame_is_as_high_as_what_is_in_it(page):
    assert 100 < framed(page, "axis 0: 4").evaluate(HEIGHT) < 300
    tree = framed(page, "np.ndarray")
    tree.get_by_role("searchbox").fill("")
    tree.get_by_role("button", name="Expand all").click()
    assert tree.evaluate(HEIGHT) > 500
    tree.get_by_role("button", name="Collapse all").click()
    assert 0 < tree.evaluate(HEIGHT) < 400


LUMINANCE = """(tree) => {
    const context = new OffscreenCanvas(1, 1).getContext("2d");
    context.fillStyle = getComputedStyle(tree).color;
    context.fillRect(0, 0, 1, 1);
    return context.getImageData(0, 0, 1, 1).data[1] / 255;
}"""
CHANGE_THEME = """([before, after]) => {
    const {classList, dataset} = document.body;
    classList.replace(before, after);
    classList.replace(`${before}-theme`, `${after}-theme`);
    dataset.theme = after;
}"""
BACK = "tree => getComputedStyle(tree).backgroundColor"


def test_the_theme_of_the_page_reaches_every_output_also_when_it_changes(page):
    trees = [page.locator(".treeview", has_text="'small'"), framed(page, "axis 0: 4")]
    assert min(tree.evaluate(LUMINANCE) for tree in trees) > 0.8
    page.evaluate(CHANGE_THEME, ["dark", "light"])
    page.wait_for_timeout(100)
    assert max(tree.evaluate(LUMINANCE) for tree in trees) < 0.2
    page.evaluate(CHANGE_THEME, ["light", "dark"])
    # What is around shows through.
    assert {tree.evaluate(BACK) for tree in trees} == {"rgba(0, 0, 0, 0)"}


def test_what_is_shown_stands_in_the_output_of_the_cell(page):
    page.locator(".treeview", has_text="'shown'").wait_for()
    assert page.locator(".treeview", has_text="'second'").inner_text() == "{'second': 2}"


def test_a_live_tree_is_drawn(page):
    page.get_by_text("'live'").first.wait_for()
