"""Summaries and pictures of arrays beside Treescope, Matplotlib and lovely-jax.

A viewer leaves out most of a large array, so pictures are compared as each draws them by itself,
and once more of all values. What a display of arrays on many devices takes is measured in a process
of its own, for JAX has to be told of the devices before anything else.
"""

import base64
import io
import itertools
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import jax
import jax.numpy as jnp
import lovely_jax
import matplotlib as mpl
import numpy as np
import treescope
from matplotlib.figure import Figure

import treeview
from benchmarks import notebooks
from benchmarks.timing import Row
from benchmarks.treeview import ALL, Output, size_row

PACKAGES = ("numpy", "jax", "treeview-nd", "treescope", "matplotlib", "lovely-jax")
DEVICES = 8

Show = Callable[[Any], str]


def rows() -> Iterator[Row]:
    """What arrays are compared in."""
    yield from picture_rows()
    yield from summary_rows()
    yield from tree_rows()
    yield from sharded_rows()
    yield from notebooks.rows()


def picture_rows() -> Iterator[Row]:
    """Pictures of single arrays."""
    rng = np.random.default_rng(0)
    large, middle, small = (
        rng.normal(size=(side, side)).astype(np.float32) for side in (4096, 512, 64)
    )
    peers = {
        "treescope": Output(lambda: theirs(large, truncate=True)),
        "matplotlib": Output(lambda: plotted(large)),
    }
    ours = Output(lambda: treeview.render_array(large).html())
    yield Row(
        what="picture of 4096 x 4096 numbers, as much as is useful",
        ours=ours,
        peers=peers,
        goals={"treescope": 1, "matplotlib": 1 / 4},
    )
    yield size_row("its size", ours, peers, {"treescope": 1})
    peers = {
        "treescope": Output(lambda: theirs(middle, truncate=False)),
        "matplotlib": Output(lambda: plotted(middle)),
    }
    ours = Output(lambda: treeview.render_array(middle, truncate=False).html())
    yield Row(
        what="picture of 512 x 512 numbers, all of them",
        ours=ours,
        peers=peers,
        goals={"treescope": 1, "matplotlib": 1},
        why="the exact values of a quarter of a million numbers are compressed too; an image of"
        " Matplotlib has none.",
    )
    yield size_row("its size, with all values to point at", ours, peers, {"treescope": 1})
    peers = {
        "treescope": Output(lambda: theirs(small, truncate=False)),
        "matplotlib": Output(lambda: plotted(small)),
    }
    ours = Output(lambda: treeview.render_array(small).html())
    yield Row(
        what="picture of 64 x 64 numbers",
        ours=ours,
        peers=peers,
        goals={"treescope": 1 / 2, "matplotlib": 1 / 4},
    )
    yield size_row("its size, with all values to point at", ours, peers, {"treescope": 1})


def theirs(array: np.ndarray, *, truncate: bool) -> str:
    """Treescope's picture of an array as HTML."""
    figure = treescope.render_array(array, truncate=truncate)
    return treescope.render_to_html(figure, compressed=True)


def plotted(array: np.ndarray) -> str:
    """Matplotlib's picture of an array with axes and a scale, as an image in HTML."""
    figure = Figure()
    axes = figure.subplots()
    limit = float(np.abs(array).max())
    image = axes.imshow(array, cmap="RdBu", vmin=-limit, vmax=limit, interpolation="nearest")
    figure.colorbar(image)
    file = io.BytesIO()
    figure.savefig(file, format="png")
    return f'<img src="data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}">'


def summary_rows() -> Iterator[Row]:
    """One line about each array."""
    large = np.random.default_rng(0).normal(size=(4096, 4096)).astype(np.float32)
    on_device = jax.device_put(large)
    yield Row(
        what="summary of 4096 x 4096 numbers",
        ours=lambda: treeview.render_text(on_device),
        peers={
            "lovely-jax": lambda: str(lovely_jax.lovely(on_device)),
            "plain": lambda: (large.mean(), large.std(), large.min(), large.max()),
        },
        goals={"lovely-jax": 1, "plain": 2},
    )
    # A number of columns that no array had before, so that nothing is compiled yet.
    width = itertools.count(1_000)

    def first_look(show: Show) -> float:
        arrays = [jnp.asarray(np.ones((101, next(width)), np.float32)) for _ in range(20)]
        jax.block_until_ready(arrays)
        start = time.process_time()
        show(arrays)
        return time.process_time() - start

    yield Row(
        what="summaries of 20 JAX arrays of shapes never seen before",
        ours=lambda: first_look(treeview.render_text),
        peers={
            "treescope": lambda: first_look(treescope.render_to_text),
            "lovely-jax": lambda: first_look(
                lambda arrays: "\n".join(str(lovely_jax.lovely(array)) for array in arrays)
            ),
        },
        goals={"treescope": 1 / 10, "lovely-jax": 1},
        measure="seconds",
    )


def tree_rows() -> Iterator[Row]:
    """A thousand arrays, no two of the same shape."""
    rng = np.random.default_rng(0)
    shapes = itertools.islice(itertools.product(range(8, 40), range(8, 40)), 1000)
    arrays = {
        f"array {number}": jnp.asarray(rng.normal(size=shape), np.float32)
        for number, shape in enumerate(shapes)
    }
    jax.block_until_ready(arrays)
    yield Row(
        what="text of 1,000 JAX arrays of distinct shapes",
        ours=lambda: treeview.render_text(arrays, **ALL),
        peers={
            "treescope": lambda: treescope.render_to_text(arrays),
            "lovely-jax": lambda: [str(lovely_jax.lovely(one)) for one in arrays.values()],
        },
        goals={"treescope": 1 / 5, "lovely-jax": 1 / 2},
        why="two fifths are the statistics and the histogram of each array, one after the other;"
        " lovely-jax makes no histograms.",
    )
    options: dict[str, Any] = ALL | {"autovisualize": True}
    ours = Output(lambda: treeview.render_html(arrays, **options))
    peers = {"treescope": Output(lambda: with_pictures(arrays))}
    yield Row(
        what="HTML with pictures of them",
        ours=ours,
        peers=peers,
        goals={"treescope": 1 / 10},
        why="each shape needs a search for how much of it to show, and labels of its own.",
    )
    yield size_row("its size", ours, peers, {"treescope": 1 / 4})
    yield Row(
        what="text of them where HTML would have pictures (plain: without)",
        ours=lambda: treeview.render_text(arrays, **options),
        peers={"plain": lambda: treeview.render_text(arrays, **ALL)},
        goals={"plain": 2},
    )


def with_pictures(value: Any) -> str:
    """Treescope's HTML of an object with pictures of its arrays."""
    with treescope.active_autovisualizer.set_scoped(treescope.ArrayAutovisualizer()):
        return treescope.render_to_html(value)


def sharded_rows() -> Iterator[Row]:
    """A model in parts on many devices."""
    for what, peers in (("summaries", ("treescope", "lovely-jax")), ("pictures", ("treescope",))):
        yield Row(
            what=f"{what} of 60 arrays in parts on {DEVICES} devices, first look",
            ours=lambda what=what: in_own_process(f"treeview {what}"),
            peers={
                name: lambda what=what, name=name: in_own_process(f"{name} {what}")
                for name in peers
            },
            goals={"treescope": 1 / 5},
            measure="seconds",
        )


def in_own_process(contestant: str) -> float:
    """Processor seconds of one look at a sharded model in a fresh interpreter."""
    flags = f"--xla_force_host_platform_device_count={DEVICES}"
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.arrays", contestant],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "XLA_FLAGS": flags, "JAX_PLATFORMS": "cpu"},
    )
    return float(done.stdout)


def look_at_sharded(contestant: str) -> float:
    """What `in_own_process` runs there."""
    show: dict[str, Show] = {
        "treeview summaries": treeview.render_text,
        "treeview pictures": lambda model: treeview.render_html(model, autovisualize=True),
        "treescope summaries": treescope.render_to_text,
        "treescope pictures": with_pictures,
        "lovely-jax summaries": lambda model: "\n".join(
            str(lovely_jax.lovely(one)) for one in model
        ),
    }
    mesh = jax.sharding.Mesh(np.array(jax.devices()).reshape(-1, 2), ("data", "model"))
    spec = jax.sharding.PartitionSpec("data", "model")
    sharding = jax.sharding.NamedSharding(mesh, spec)
    # Twenty shapes, as layers of a model repeat.
    model = [
        jax.device_put(np.full((512, 2 * (k % 20 + 128)), k, np.float32), sharding)
        for k in range(60)
    ]
    jax.block_until_ready(model)
    show[contestant]([jnp.zeros((3, 4))])  # what loads at the first look of all
    start = time.process_time()
    show[contestant](model)
    return time.process_time() - start


# Matplotlib draws pictures without a window.
mpl.use("agg")

if __name__ == "__main__":
    print(look_at_sharded(sys.argv[1]))
