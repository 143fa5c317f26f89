"""Rules for the tests of the whole repository."""

from collections.abc import Generator

import pytest

try:
    import hypothesis
except ImportError:  # some environments install nothing but one package and pytest
    pass
else:
    # How long an example takes says more about the machine than about the code.
    hypothesis.settings.register_profile("default", deadline=None)
    hypothesis.settings.load_profile("default")

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
