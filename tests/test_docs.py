"""The code on the pages runs as it stands there, and their links lead somewhere."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("packages/*/*.md"), *ROOT.glob("docs/**/*.md")])
# A block after this comment is shown and not run; the comment says why.
NOT_RUN = "<!-- not run: "


def code_blocks(text: str) -> list[tuple[int, str]]:
    """The Python blocks of a page that are run, with the lines they start at."""
    found = []
    for match in re.finditer(r"^```python\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL):
        before = text[: match.start()].rstrip().rsplit("\n", 1)[-1]
        if not before.startswith(NOT_RUN):
            found.append((text.count("\n", 0, match.start(1)), match[1]))
    return found


def page_name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("page", PAGES, ids=page_name)
def test_code_on_the_page_runs(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    namespace = {"__name__": "page"}
    for line, code in code_blocks(page.read_text()):
        # Empty lines in front make tracebacks name the line of the page.
        exec(compile("\n" * line + code, page_name(page), "exec"), namespace)


@pytest.mark.parametrize("page", PAGES, ids=page_name)
def test_links_between_pages_lead_somewhere(page):
    targets = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text())
    local = [target for target in targets if "://" not in target]
    missing = [target for target in local if not (page.parent / target).exists()]
    assert missing == []


def test_blocks_are_found_unless_a_comment_says_why_not():
    page = (
        "a\n```python\nb = 1\n```\n<!-- not run: no GPU -->\n```python\nc\n```\n```text\nd\n```\n"
    )
    assert code_blocks(page) == [(2, "b = 1\n")]
