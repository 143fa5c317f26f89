"""What tests of treeview share."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

AXE = Path(__file__).parent / "js" / "node_modules" / "axe-core" / "axe.min.js"
VIOLATIONS = """async (part) => (await axe.run(part)).violations.map(
    ({id, nodes}) => `${id}: ${nodes.map((node) => node.html).slice(0, 3).join(" ")}`)"""


@pytest.fixture(scope="session")
def axe_violations() -> Callable[..., list[str]]:
    """Finds what of a page, or of what a selector names, is not accessible.

    Without axe-core, CI fails and others skip.
    """
    if not AXE.exists():
        message = "axe-core is not there; run `npm ci` in packages/treeview/tests/js."
        if os.environ.get("CI", "").lower() == "true":
            pytest.fail(message)
        pytest.skip(message)
    script = AXE.read_text("utf-8")

    def violations(page: Any, part: str = "html") -> list[str]:
        page.evaluate(script)
        return page.evaluate(VIOLATIONS, part)

    return violations
