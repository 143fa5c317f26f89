"""JupyterLab and Notebook with a live kernel: what a researcher does with a tree."""

import copy
import re

import pytest

pytestmark = pytest.mark.frontends

CELLS = [
    "%load_ext treeview",
    "import jax, numpy as np, treeview\n"
    "from modeldata.models.simple_mlp import MLP\n"
    "model = MLP.from_config('mlp', jax.random.key(0), [8, 32, 32, 4])",
    "model",
    "%%autovisualize\nmodel",
    "{'rows': [{'weights': np.arange(12.0).reshape(3, 4), 'n': list(range(40))} for _ in range(9)]}",
    "treeview.render_array(np.eye(3))",
    "treeview.render(list(range(300)), width=400)",
    "handle = display(treeview.render(['before']), display_id=True)",
    "live = treeview.widget({'long': list(range(60)), 'live': {'b': 2}}, max_lines=4)\nlive",
]
MODEL, PICTURES, LARGE, FIGURE, WIDE, HANDLE, LIVE = range(2, len(CELLS))
DECODED = "images => Promise.all(images.map((one) => one.decode().then(() => one.naturalWidth)))"


@pytest.fixture(scope="module", params=["lab", "notebook"])
def notebook(request, jupyter, open_notebook):
    jupyter.write(request.param, CELLS)
    opened = open_notebook(request.param, request.param)
    opened.run_all()
    return opened


def test_a_model_folds_and_unfolds(notebook):
    tree = notebook.tree(MODEL)
    shown = tree.inner_text()
    assert shown.startswith("MLP(  # Sequential")
    assert "Elementwise(fn=jax.nn.relu)" in shown
    summary = tree.locator("details > summary").first
    summary.click(position={"x": 30, "y": 8})
    assert tree.inner_text().count("\n") == 0
    summary.click(position={"x": 30, "y": 8})
    assert tree.inner_text() == shown


def test_pictures_of_a_model_are_drawn(notebook):
    tree = notebook.tree(PICTURES)
    unfold(tree)
    pictures = tree.locator("figure :is(img, canvas)").all()
    assert len(pictures) == 6
    assert all(picture.is_visible() for picture in pictures)
    pictures[0].hover(position={"x": 6, "y": 6})
    tree.locator("figure [role=status]", has_text="} = ").first.wait_for()


def unfold(tree):
    """Opens all branches by clicks, be they elements that fold or lines of the script."""
    closed = ".r[aria-expanded=false], details:not([open]) > summary"
    while tree.locator(closed).count():
        tree.locator(closed).first.click(position={"x": 30, "y": 8})


def test_a_large_tree_is_searched(notebook):
    tree = notebook.tree(LARGE)
    tree.get_by_role("searchbox").fill("path:['rows'][7]['weights']")
    hits = tree.locator(".tv-hit")
    hits.wait_for()
    assert hits.inner_text().strip().startswith("'weights': np.ndarray float64[3, 4]")


def test_keys_pressed_in_a_tree_do_not_reach_the_notebook(notebook):
    page = notebook.page
    cells = page.evaluate(CELL_IDS)
    tree = notebook.tree(LARGE)
    tree.locator(".r").nth(1).click(position={"x": 30, "y": 8})
    active = "() => jupyterapp.shell.currentWidget.content.activeCellIndex"
    before = page.evaluate(active)
    for key in ("ArrowUp", "x", "b", "d", "d", "ArrowDown"):
        page.keyboard.press(key)
    assert tree.locator(".r").evaluate_all("rows => rows.indexOf(document.activeElement)") > 0
    assert page.evaluate(active) == before
    assert page.evaluate(CELL_IDS) == cells


CELL_IDS = """() => jupyterapp.shell.currentWidget.content.widgets.map(({model}) => model.id)"""


def test_a_copied_cell_works_by_itself(notebook):
    opened = notebook.tree(LARGE).locator(".r[aria-expanded=true]")
    before = opened.count()
    number = notebook.duplicate(LARGE)
    copied = notebook.tree(number)
    copied.get_by_role("button", name="Expand all").click()
    copied.locator(".r[aria-expanded=true]").nth(before).wait_for()
    assert opened.count() == before
    notebook.delete(number)


def test_a_display_is_updated_in_place(notebook):
    assert notebook.tree(HANDLE).inner_text() == "['before']"
    notebook.run("handle.update(treeview.render(['after']))")
    notebook.tree(HANDLE).get_by_text("after").wait_for()
    assert notebook.trees_of(HANDLE).count() == 1


BUSY = """
import os, time
from treeview.adapters.numpy import NumpyAdapter
class Busy(np.ndarray):
    pass
class BusyAdapter(NumpyAdapter):
    def read(self, requests):
        while not os.path.exists('{name}'):
            time.sleep(0.02)
        arrays = [array for array, _, _ in requests]
        return [*zip(self.statistics(arrays), self.fetch([pair[:2] for pair in requests]))]
treeview.register_array(Busy, BusyAdapter())
"""


def test_a_tree_is_there_before_its_arrays_and_is_then_replaced(notebook, jupyter):
    name = f"ready-{notebook.name}"
    notebook.run(BUSY.format(name=name))
    number = notebook.begin(
        "%%autovisualize\n{'a': np.arange(20.).reshape(4, 5).view(Busy), 'b': [1, {'c': 'word ' * 20}]}"
    )
    tree = notebook.tree(number)
    tree.wait_for()
    assert tree.get_attribute("aria-busy") == "true"
    assert tree.inner_text().startswith("{\n  'a': Busy float64[4, 5] …,\n")
    (jupyter.folder / name).touch()
    tree.locator("figure :is(img, canvas)").wait_for()
    assert tree.get_attribute("aria-busy") is None
    assert tree.inner_text().startswith("{\n  'a': Busy float64[4, 5] ≈9.5")
    assert notebook.output(number).count() == 1
    (output,) = notebook.save().cells[number].outputs
    assert output.data["text/plain"].startswith("{\n  'a': Busy float64[4, 5] ≈9.5")
    assert "aria-busy" not in output.data["text/html"]


def test_wide_output_scrolls_by_itself(notebook):
    tree = notebook.tree(WIDE)
    output = tree.locator("xpath=ancestor::*[contains(@class, 'jp-OutputArea-output')]")
    assert output.evaluate("one => one.scrollWidth <= one.clientWidth")
    assert tree.evaluate("one => one.scrollWidth > one.clientWidth")


def test_a_picture_tells_its_values(notebook):
    figure = notebook.tree(FIGURE).locator("figure")
    figure.locator("canvas").hover()
    told = figure.get_by_role("status")
    told.get_by_text("1.0").wait_for()
    assert told.inner_text() == "array[1, 1] = 1.0"


def test_a_part_selected_in_a_live_tree_is_at_hand_in_the_next_cell(notebook):
    tree = notebook.tree(LIVE)
    tree.get_by_text("{'b': 2}").click(position={"x": 30, "y": 8})
    number = notebook.run("print(live.selected_path, live.selected)")
    output = notebook.output(number)
    output.get_by_text("{'b': 2}").wait_for()
    assert output.inner_text().strip() == "['live'] {'b': 2}"
    notebook.run("live.update({'long': [], 'live': {'b': 3}})")
    tree.get_by_text("{'b': 3}").wait_for()


LUMINANCES = """(tree) => {
    const backs = [];
    for (let one = tree; one; one = one.parentElement) backs.push(getComputedStyle(one).backgroundColor);
    const back = backs.find((color) => !/, 0\\)|transparent/.test(color));
    const paint = (color) => {
        const context = new OffscreenCanvas(1, 1).getContext("2d");
        context.fillStyle = color;
        context.fillRect(0, 0, 1, 1);
        return [...context.getImageData(0, 0, 1, 1).data.slice(0, 3)];
    };
    const linear = (value) => (value /= 255) <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
    const luminance = (color) => {
        const [red, green, blue] = paint(color).map(linear);
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
    };
    const texts = [tree, ...tree.querySelectorAll("b")].map((one) => getComputedStyle(one).color);
    return [luminance(back), ...new Set(texts.map(luminance))];
}"""


def contrasts(tree):
    back, *texts = tree.evaluate(LUMINANCES)
    return back, [(max(back, text) + 0.05) / (min(back, text) + 0.05) for text in texts]


def test_themes_are_followed_when_they_change(notebook):
    tree = notebook.tree(MODEL)
    for theme, dark in [("JupyterLab Dark", True), ("JupyterLab Light", False)]:
        notebook.command("apputils:change-theme", {"theme": theme})
        notebook.page.wait_for_selector(
            f"body[data-jp-theme-light={str(not dark).lower()}]", state="attached"
        )
        back, found = contrasts(tree)
        assert (back < 0.1) == dark
        assert min(found) > 4.5


def test_a_reopened_notebook_that_is_not_trusted_still_shows_trees(
    notebook, jupyter, open_notebook
):
    saved = copy.deepcopy(notebook.save())
    name = f"untrusted-{notebook.name}"
    jupyter.write(name, [cell for cell in saved.cells if not re.search("handle", cell.source)])
    reopened = open_notebook(notebook.name, name, kernel=False)
    tree = reopened.tree(MODEL)
    assert tree.inner_text().startswith("MLP(")
    # Heads of what is open stand there without a summary of what they hold.
    assert "sublayers=[\n" in tree.inner_text()
    assert "Elementwise(fn=jax.nn.relu)" in tree.inner_text()
    summary = tree.locator("details > summary").first
    summary.click(position={"x": 30, "y": 8})
    assert tree.locator("details[open]").first.is_hidden()
    pictures = reopened.page.locator(".jp-OutputArea-output figure img")
    assert min(pictures.evaluate_all(DECODED)) >= 1
    assert reopened.page.locator(".jp-OutputArea-output script").count() == 0
