"""Notebooks that nbconvert has turned into a page, with scripts and without."""

import pytest

pytestmark = pytest.mark.frontends

CELLS = [
    "%load_ext treeview\nimport numpy as np",
    "{'blocks': [1, {'a': None}], 'text': '</script>' * 9}",
    "%%autovisualize\n[{'weights': np.arange(12.0).reshape(3, 4) + i, 'n': list(range(40))} for i in range(9)]",
    "%%treeview autovisualize=True\n[np.eye(4)]",
]


SMALL_END = "\n  'blocks': [1, {'a': None}],\n  'text': '" + "</script>" * 9 + "',\n}"


@pytest.fixture(scope="module")
def executed():
    """A notebook with outputs."""
    import nbformat
    from nbclient import NotebookClient

    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in CELLS])
    NotebookClient(notebook, kernel_name="python3", timeout=120).execute()
    return notebook


@pytest.fixture(scope="module")
def page_source(executed):
    """What nbconvert makes of it."""
    from nbconvert import HTMLExporter

    return HTMLExporter().from_notebook_node(executed)[0]


@pytest.fixture
def opened(chromium, tmp_path):
    """Opens a page without its programs from elsewhere; its own must not fail."""
    contexts, failures = [], []

    def opener(html, **settings):
        file = tmp_path / "page.html"
        file.write_text(html, "utf-8")
        context = chromium.new_context(**settings)
        context.set_default_timeout(60_000)
        contexts.append(context)
        context.route("http*://**", lambda route: route.abort())
        page = context.new_page()
        page.on("pageerror", lambda error: failures.append(str(error)))
        page.goto(file.as_uri(), wait_until="domcontentloaded")
        return page

    yield opener
    for context in contexts:
        context.close()
    # The template itself configures what it loads from elsewhere.
    assert [failure for failure in failures if "MathJax" not in failure] == []


def test_a_page_is_alive(page_source, opened):
    page = opened(page_source)
    small, large, picture = page.locator(".jp-OutputArea-output .treeview").all()
    assert small.inner_text().endswith(SMALL_END)
    large.get_by_role("searchbox").fill("path:[7]['weights']")
    large.locator(".tv-hit").first.wait_for()
    assert picture.locator("figure :is(img, canvas)").is_visible()


def test_a_page_is_complete_where_scripts_are_off(page_source, opened):
    page = opened(page_source, java_script_enabled=False)
    small, large, picture = page.locator(".jp-OutputArea-output .treeview").all()
    assert small.inner_text().endswith(SMALL_END)
    assert large.inner_text().startswith("[\n  {\n    'weights': np.ndarray float64[3, 4]")
    large.locator("summary").first.click(position={"x": 30, "y": 8})
    assert large.locator("li").first.is_hidden()
    assert picture.locator("figure img").is_visible()


def test_a_cleaned_page_shows_text_where_that_goes_before_html(executed, opened):
    from nbconvert import HTMLExporter
    from traitlets.config import Config

    settings = Config()
    settings.HTMLExporter.sanitize_html = True
    settings.NbConvertBase.display_data_priority = ["image/png", "text/plain"]
    source = HTMLExporter(config=settings).from_notebook_node(executed)[0]
    outputs = opened(source).locator(".jp-OutputArea-output").all()
    assert outputs[0].inner_text().endswith(SMALL_END)
    assert outputs[1].inner_text().startswith("[\n  {\n    'weights': np.ndarray float64[3, 4]")
