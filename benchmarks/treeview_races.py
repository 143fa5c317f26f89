"""treeview beside rich and treescope."""

import subprocess
import sys

import numpy as np
import rich.pretty
import treescope
from timing import Race

import treeview

ALL = {"max_nodes": 10_000_000, "max_items": 10_000_000, "max_lines": None, "seconds": 600.0}


def nested_ints(count: int) -> dict[str, list[list[int]]]:
    """A tree of `count` ints: lists of ten in lists of ten under names."""
    tens = [list(range(start, start + 10)) for start in range(0, count, 10)]
    hundreds = [tens[start : start + 10] for start in range(0, len(tens), 10)]
    return {f"part {number}": part for number, part in enumerate(hundreds)}


def importing(module: str):
    """A function that imports a module beside NumPy in a fresh interpreter."""
    command = [sys.executable, "-c", f"import numpy, {module}"]
    return lambda: subprocess.run(command, check=True)


def races() -> list[Race]:
    """What treeview is compared in."""
    small, large = nested_ints(1_000), nested_ints(100_000)
    many, some = dict.fromkeys(range(1_000_000)), dict.fromkeys(range(1_000))
    arrays = list(np.random.default_rng(0).normal(size=(100, 8, 8)))
    return [
        Race(
            "import, with NumPy and the interpreter",
            importing("treeview"),
            "treescope",
            importing("treescope"),
            0.5,
        ),
        Race(
            "HTML of 1,000 nested ints, all of it",
            lambda: treeview.render_html(small, **ALL),
            "treescope",
            lambda: treescope.render_to_html(small),
            1 / 10,
        ),
        Race(
            "text of 100,000 nested ints, all of it",
            lambda: treeview.render_text(large, **ALL),
            "rich.pretty",
            lambda: rich.pretty.pretty_repr(large),
            1 / 3,
        ),
        Race(
            "dict of 1,000,000 keys, default budget (peer: 1,000)",
            lambda: treeview.render_html(many),
            "treescope",
            lambda: treescope.render_to_html(some),
            1.0,
        ),
        Race(
            "text of 100 arrays of 64 floats",
            lambda: treeview.render_text(arrays),
            "treescope",
            lambda: treescope.render_to_text(arrays),
            1 / 3,
        ),
    ]
