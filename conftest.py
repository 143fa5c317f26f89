"""Rules for the tests of the whole repository."""

import os
import shutil
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import pytest

try:
    import hypothesis
except ImportError:  # some environments install nothing but one package and pytest
    pass
else:
    # How long an example takes says more about the machine than about the code. CI repeats the
    # same examples, so that a red run is the fault of the change; people's runs find new ones.
    IN_CI = os.environ.get("CI", "").lower() == "true"
    hypothesis.settings.register_profile("repository", deadline=None, derandomize=IN_CI)
    hypothesis.settings.load_profile("repository")

OPTION = "--forbid-skips"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option with which a run that has installed everything admits no skip."""
    parser.addoption(OPTION, action="store_true", help="fail every test that would be skipped")


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn a skipped test into a failed one where skips are forbidden."""
    report = yield
    if report.skipped and not hasattr(report, "wasxfail"):
        _forbid_skip(item.config, report)
    return report


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Turn a skipped module into a failed one where skips are forbidden."""
    report = yield
    if report.skipped:
        _forbid_skip(collector.config, report)
    return report


def _forbid_skip(config: pytest.Config, report: pytest.TestReport | pytest.CollectReport) -> None:
    if config.getoption(OPTION):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"{OPTION} admits no skipped test, and this one says: {reason}"


BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """A headless Chromium; without one, CI fails and a person is told what to install."""
    path = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        message = "No Chromium is on the path; install it or name its program in CHROMIUM."
        if os.environ.get("CI", "").lower() == "true":
            pytest.fail(message)
        pytest.skip(message)
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - optional

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def open_page(chromium: Any, tmp_path: Path) -> Iterator[Callable[..., Any]]:
    """Opens HTML as a file and fails on errors in the console and on requests for anything else."""
    troubles: list[str] = []
    contexts: list[Any] = []

    def opener(html: str, **settings: Any) -> Any:
        file = tmp_path / "page.html"
        file.write_text(html, "utf-8")
        context = chromium.new_context(**settings)
        context.set_default_timeout(10_000)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: troubles.append(f"console: {message.text}"))
        page.on("pageerror", lambda error: troubles.append(f"error: {error}"))
        page.on(
            "request",
            lambda request: (
                request.url.startswith(("file:", "data:", "about:"))
                or troubles.append(f"request: {request.url}")
            ),
        )
        page.goto(file.as_uri())
        return page

    yield opener
    for context in contexts:
        context.close()
    assert troubles == []
