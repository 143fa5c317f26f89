"""Runs benchmarks: `python -m benchmarks [core | models | treeview | arrays] [word ...]`.

Without a section all run. Words choose the rows whose names contain all of them. A section that ran
in full is rewritten in `docs/benchmarks.md`.
"""

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks.report import Result, header_line, markdown, peer_names, result_line, write_section
from benchmarks.timing import Row, readings

SECTIONS = ("core", "models", "treeview", "arrays")
DOCUMENT = Path(__file__).parent.parent / "docs" / "benchmarks.md"


def main(arguments: list[str]) -> None:
    """Runs the chosen sections one after the other."""
    words = [word for word in arguments if word not in SECTIONS]
    for name in [name for name in SECTIONS if name in arguments] or SECTIONS:
        section = importlib.import_module(f"benchmarks.{name}")
        rows = [row for row in section.rows() if all(word in row.what for word in words)]
        results = list(printed(rows))
        if not words:
            write_section(DOCUMENT, name, markdown(results, section.PACKAGES))
            print(f"\nWrote the section `{name}` of docs/{DOCUMENT.name}.")


def printed(rows: list[Row]) -> Iterator[Result]:
    """Measures rows and prints a line for each as soon as it is known."""
    peers = peer_names(rows)
    print(header_line(peers), flush=True)
    for row in rows:
        result = Result(row, readings(row))
        print(result_line(result, peers), flush=True)
        yield result


if __name__ == "__main__":
    main(sys.argv[1:])
