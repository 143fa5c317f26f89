"""treeview beside Treescope and printers of text: rich, pprint, IPython, wadler-lindig.

What takes others seconds is done once, and its output is kept for the rows about sizes.
"""

import pprint
import tracemalloc
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import rich.pretty
import treescope
import wadler_lindig
from flax import nnx
from IPython.lib import pretty as ipython

import treeview
from benchmarks.browser import browser_rows
from benchmarks.imports import importing
from benchmarks.timing import Row

PACKAGES = ("numpy", "treeview-nd", "treescope", "rich", "wadler-lindig", "ipython", "flax")
ALL = {"max_nodes": 10_000_000, "max_items": 10_000_000, "max_lines": None, "seconds": 600.0}
DEPTH = 100_000


class CutShortError(Exception):
    """A printer left out a part of the object that it was to print all of."""


class Output:
    """Makes a text, and remembers it.

    Args:
        make: Makes the text.
    """

    def __init__(self, make: Callable[[], str]):
        self.make = make
        self.text: str | None = None

    def __call__(self) -> str:
        self.text = self.make()
        return self.text

    def size(self) -> int:
        """Bytes of the text."""
        return len((self.text or self()).encode(errors="surrogatepass"))


def rows() -> Iterator[Row]:
    """What treeview is compared in."""
    yield from html_rows()
    yield from text_rows()
    yield from growth_rows()
    yield from array_rows()
    yield from odd_rows()
    yield import_row()
    yield from browser_rows(numbered(10_000), "10,000 ints", **(ALL | {"max_lines": 40}))


def nested(levels: int) -> Any:
    """A tree of dicts and lists by turns, ten in each; the leaves are the number of levels."""
    tree: Any = levels
    for level in range(levels):
        # Each node is an object of its own: what is seen twice is shown once.
        make = _ten_in_dict if level % 2 == 0 else _ten_in_list
        tree = make(tree)
    return tree


def _ten_in_dict(item: Any) -> dict[str, Any]:
    return {f"key {number}": _copy(item) for number in range(10)}


def _ten_in_list(item: Any) -> list[Any]:
    return [_copy(item) for _ in range(10)]


def _copy(tree: Any) -> Any:
    if isinstance(tree, dict):
        return {key: _copy(value) for key, value in tree.items()}
    return [_copy(value) for value in tree] if isinstance(tree, list) else tree


def numbered(count: int, first: int = 0) -> dict[str, list[list[int]]]:
    """A tree of different ints: lists of ten in lists of ten under names."""
    tens = [list(range(start, start + 10)) for start in range(first, first + count, 10)]
    hundreds = [tens[start : start + 10] for start in range(0, len(tens), 10)]
    return {f"part {number}": part for number, part in enumerate(hundreds)}


def html_rows() -> Iterator[Row]:
    """All of a large object as HTML."""
    large, different = nested(5), numbered(10_000)
    ours = Output(lambda: treeview.render_html(large, **ALL))
    theirs = Output(lambda: treescope.render_to_html(large))
    yield Row(
        what="HTML of 100,000 nested ints, all of it",
        ours=ours,
        peers={"treescope": theirs},
        goals={"treescope": 1 / 100},
        why="half of it is the walk, which takes some 7 µs for each of the 11,111 containers.",
    )
    yield size_row("its size", ours, {"treescope": theirs}, {"treescope": 1 / 10})
    ours = Output(lambda: treeview.render_html(different, **ALL))
    theirs = Output(lambda: treescope.render_to_html(different))
    yield Row(
        what="HTML of 10,000 different ints, all of it",
        ours=ours,
        peers={"treescope": theirs},
        goals={"treescope": 1 / 10},
    )
    yield size_row("its size", ours, {"treescope": theirs}, {})
    yield Row(
        what="memory while it is made",
        ours=lambda: peak_bytes(ours),
        peers={"treescope": lambda: peak_bytes(theirs)},
        goals={"treescope": 1 / 4},
        measure="bytes",
    )


def text_rows() -> Iterator[Row]:
    """All of a large object as text."""
    large = nested(5)
    ours = Output(lambda: treeview.render_text(large, **ALL))
    peers = {
        "treescope": Output(lambda: treescope.render_to_text(large)),
        "rich": Output(lambda: rich.pretty.pretty_repr(large)),
        "pprint": Output(lambda: pprint.pformat(large)),
        "IPython": Output(lambda: ipython.pretty(large)),
        "wadler-lindig": Output(lambda: wadler_lindig.pformat(large)),
    }
    yield Row(
        what="text of 100,000 nested ints, all of it",
        ours=ours,
        peers=peers,
        goals={"rich": 1 / 3},
    )
    yield size_row("its size", ours, peers, {})
    small = numbered(10_000)
    yield Row(
        what="memory while text of 10,000 ints is made",
        ours=lambda: peak_bytes(lambda: treeview.render_text(small, **ALL)),
        peers={
            "treescope": lambda: peak_bytes(lambda: treescope.render_to_text(small)),
            "rich": lambda: peak_bytes(lambda: rich.pretty.pretty_repr(small)),
            "pprint": lambda: peak_bytes(lambda: pprint.pformat(small)),
            "IPython": lambda: peak_bytes(lambda: ipython.pretty(small)),
            "wadler-lindig": lambda: peak_bytes(lambda: wadler_lindig.pformat(small)),
        },
        measure="bytes",
    )


def size_row(
    what: str, ours: Output, peers: dict[str, Output], goals: dict[str, float], why: str = ""
) -> Row:
    """A row about the sizes of outputs that were made before."""
    sizes = {name: output.size for name, output in peers.items()}
    return Row(what=what, ours=ours.size, peers=sizes, goals=goals, measure="bytes", why=why)


def peak_bytes(function: Callable[[], object]) -> int:
    """The most memory that Python objects take while a function runs, beyond what was there."""
    tracemalloc.start()
    try:
        function()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def growth_rows() -> Iterator[Row]:
    """Ten times the object takes ten times as long."""
    # Numbers of as many digits in all, for of longer ones fewer fit on a line.
    sizes = (1_000, 10_000, 100_000, 1_000_000)
    trees = {count: numbered(count, first=1_000_000) for count in sizes}
    for kind, render in (("HTML", treeview.render_html), ("text", treeview.render_text)):
        for count in (10_000, 100_000, 1_000_000):
            yield Row(
                what=f"{kind} of {count:,} ints, beside a tenth of the ints",
                ours=lambda tree=trees[count], render=render: render(tree, **ALL),
                peers={
                    "a tenth": lambda tree=trees[count // 10], render=render: render(tree, **ALL),
                },
                goals={"a tenth": 13},
                why="cyclic garbage collection looks again and again at the branches that live.",
            )


def array_rows() -> Iterator[Row]:
    """Arrays as pictures, and a model."""
    rng = np.random.default_rng(0)
    arrays = {f"array {i}": rng.normal(size=(16, 16)).astype(np.float32) for i in range(1000)}

    def theirs() -> str:
        with treescope.active_autovisualizer.set_scoped(treescope.ArrayAutovisualizer()):
            return treescope.render_to_html(arrays)

    options: dict[str, Any] = ALL | {"autovisualize": True}
    pictures, their_pictures = (
        Output(lambda: treeview.render_html(arrays, **options)),
        Output(theirs),
    )
    yield Row(
        what="HTML with pictures of 1,000 arrays of 16 x 16",
        ours=pictures,
        peers={"treescope": their_pictures},
        goals={"treescope": 1 / 10},
        why="a third is drawing, a sixth statistics, a tenth summaries and a tenth what scripts are"
        " to know of the pictures, each a few microseconds here and there.",
    )
    yield size_row(
        "its size",
        pictures,
        {"treescope": their_pictures},
        {"treescope": 1 / 4},
        why="half of the 2 kB of a picture is a PNG, palette included, that shows without scripts;"
        " labels, the colour bar and the summary of the values are the rest.",
    )
    model = nnx_transformer()
    html = Output(lambda: treeview.render_html(model))
    their_html = Output(lambda: treescope.render_to_html(model))
    yield Row(
        what="HTML of a flax.nnx transformer of 12 layers",
        ours=html,
        peers={"treescope": their_html},
        goals={"treescope": 1 / 10},
        why="a sixth is statistics of 193 arrays, which are read for their summaries; a fifth is"
        " the short forms of 123 folded branches.",
    )
    yield size_row("its size", html, {"treescope": their_html}, {})


class Block(nnx.Module):
    """A block of a transformer in flax.nnx; only looked at, never run."""

    def __init__(self, width: int, rngs: nnx.Rngs):
        self.attention_norm = nnx.LayerNorm(width, rngs=rngs)
        self.attention = nnx.MultiHeadAttention(8, width, decode=False, rngs=rngs)
        self.norm = nnx.LayerNorm(width, rngs=rngs)
        self.wide = nnx.Linear(width, 4 * width, rngs=rngs)
        self.narrow = nnx.Linear(4 * width, width, rngs=rngs)


def nnx_transformer(width: int = 256, layers: int = 12) -> nnx.Module:
    """A transformer of 10 million parameters in flax.nnx."""
    rngs = nnx.Rngs(0)
    table = nnx.Embed(1000, width, rngs=rngs)
    return nnx.Sequential(table, *(Block(width, rngs) for _ in range(layers)))


def odd_rows() -> Iterator[Row]:
    """Objects that are very long or very deep."""
    many = dict.fromkeys(range(1_000_000))
    yield Row(
        what="HTML of a dict of 1,000,000 keys, as much as is useful",
        ours=lambda: treeview.render_html(many),
        peers={
            "treescope": lambda: treescope.render_to_html(many),
            "rich": lambda: rich.pretty.pretty_repr(many, max_length=1000),
            "IPython": lambda: ipython.pretty(many),
        },
        most=0.05,
        limit=10.0,
    )
    deep: Any = []
    for _ in range(DEPTH):
        deep = [deep]
    peers = {
        "rich": lambda: rich.pretty.pretty_repr(deep),
        "pprint": lambda: pprint.pformat(deep),
        "IPython": lambda: ipython.pretty(deep),
        "wadler-lindig": lambda: wadler_lindig.pformat(deep),
    }
    yield Row(
        what="text of a list 100,000 levels deep",
        ours=lambda: complete(treeview.render_text(deep, **ALL)),
        peers={name: lambda peer=peer: complete(peer()) for name, peer in peers.items()}
        | {"treescope": lambda: complete(treescope.render_to_text(deep))},
    )
    yield Row(
        what="HTML of a list 100,000 levels deep, as much as is useful",
        ours=lambda: treeview.render_html(deep),
        peers={"treescope": lambda: treescope.render_to_html(deep)},
    )


def complete(text: str) -> str:
    """The text of the deep list, which must show all levels."""
    if text.count("[") < DEPTH:
        raise CutShortError
    return text


def import_row() -> Row:
    """Importing, without what NumPy takes."""
    return Row(
        what="import, beyond NumPy",
        ours=lambda: importing("treeview", after="numpy"),
        peers={
            "treescope": lambda: importing("treescope", after="numpy"),
            "rich": lambda: importing("rich.pretty", after="numpy"),
            "IPython": lambda: importing("IPython.lib.pretty", after="numpy"),
            "wadler-lindig": lambda: importing("wadler_lindig", after="numpy"),
        },
        most=0.03,
        measure="seconds",
        why="most of it is making dataclasses, whose methods Python compiles each time.",
    )
