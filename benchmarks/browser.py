"""How soon a page shows an object in Chromium, and how soon a branch of it can be unfolded."""

import atexit
import functools
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import treescope

import treeview
from benchmarks.timing import Row

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "chrome")

# Where each tool shows its tree, and what to click on to unfold the first branch that is folded.
TREE = {
    "treeview": "document.querySelector('.treeview :is(details, .r)')",
    "treescope": "document.querySelector('treescope-container')?.shadowRoot"
    "?.querySelector('.foldable_node')",
}
FOLDED = {
    "treeview": "[...document.querySelectorAll('details:not([open]) > summary, .r.tv-shut')]"
    ".find(one => one.checkVisibility())",
    "treescope": "[...document.querySelector('treescope-container').shadowRoot"
    ".querySelectorAll('.foldable_node_toggle:not(:checked)')]"
    ".find(one => one.closest('.foldable_node').checkVisibility())",
}
PAINTED = "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
# Two frames after the tree is there it has been painted.
WATCH = """(() => {
  const look = () => requestAnimationFrame(() => {
    if (!(TREE)) look();
    else PAINTED.then(() => { window.shownAt = performance.now(); });
  });
  look();
})()"""
UNFOLD = """async () => {
  const frame = () => new Promise(done => requestAnimationFrame(done));
  while (!(FOLDED)) await frame();
  (FOLDED).click();
  await PAINTED;
  return performance.now();
}"""


def browser_rows(value: Any, what: str, **options: Any) -> Iterator[Row]:
    """Rows about the pages of an object; none, and a line that says why, without a browser."""
    try:
        browser = chromium()
    except (ImportError, FileNotFoundError) as error:
        print(f"no rows about browsers: {error}", file=sys.stderr)
        return
    folder = Path(tempfile.mkdtemp(prefix="benchmark-pages-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    pages = {name: folder / f"{name}.html" for name in TREE}
    treeview.render(value, **options).save(pages["treeview"])
    body = treescope.render_to_html(value)
    pages["treescope"].write_text(f"<!DOCTYPE html><meta charset=utf-8>{body}", encoding="utf-8")
    for step, measure in (("shown", shown_after), ("a branch unfolded", unfolded_after)):
        yield page_row(f"{what} in a browser, until {step}", measure, browser, pages)


def page_row(
    what: str, measure: Callable[[Any, str, Path], float], browser: Any, pages: Mapping[str, Path]
) -> Row:
    """A row about one moment of the pages."""
    functions = {name: functools.partial(measure, browser, name, pages[name]) for name in pages}
    return Row(
        what=what,
        ours=functions.pop("treeview"),
        peers=functions,
        goals={"treescope": 1 / 4},
        measure="seconds",
    )


def chromium() -> Any:
    """A headless Chromium.

    Raises:
        ImportError: Playwright is not installed.
        FileNotFoundError: There is no Chromium on the path, nor in the variable CHROMIUM.
    """
    from playwright.sync_api import sync_playwright  # noqa: PLC0415  # optional

    program = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, PROGRAMS)), None)
    if not program:
        raise FileNotFoundError("no Chromium on the path, nor in the variable CHROMIUM")
    playwright = sync_playwright().start()
    browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
    atexit.register(playwright.stop)
    atexit.register(browser.close)
    return browser


def shown_after(browser: Any, name: str, page: Path) -> float:
    """Seconds from opening a page until its tree is painted."""
    tab = opened(browser, name, page)
    try:
        return tab.evaluate("window.shownAt") / 1000
    finally:
        tab.close()


def unfolded_after(browser: Any, name: str, page: Path) -> float:
    """Seconds from opening a page until its first folded branch is open, clicked at once."""
    tab = opened(browser, name, page)
    try:
        return tab.evaluate(filled(UNFOLD, name)) / 1000
    finally:
        tab.close()


def opened(browser: Any, name: str, page: Path) -> Any:
    """A tab in which a page is shown."""
    tab = browser.new_page()
    tab.add_init_script(filled(WATCH, name))
    tab.goto(page.as_uri(), wait_until="commit")
    tab.wait_for_function("window.shownAt")
    return tab


def filled(script: str, name: str) -> str:
    """A script for the page of one tool."""
    parts = {"TREE": TREE[name], "FOLDED": FOLDED[name], "PAINTED": PAINTED}
    return functools.reduce(lambda text, part: text.replace(*part), parts.items(), script)
