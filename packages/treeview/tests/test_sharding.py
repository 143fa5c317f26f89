"""Pictures of where the parts of an array live."""

import os
import subprocess
import sys
from dataclasses import dataclass

import numpy as np
import pytest

import treeview
from treeview.arrays.colors import digit_colors
from treeview.arrays.protocol import ArrayInfo, Axis


@dataclass
class Spread:
    """An array that says which device holds what."""

    axes: tuple
    shards: tuple


class SpreadAdapter:
    def describe(self, array):
        return ArrayInfo("Spread", "float32", array.axes, problem="deleted")

    def statistics(self, arrays):
        return [None] * len(arrays)

    def fetch(self, requests):
        raise AssertionError("no values are needed")

    def shards(self, array):
        return array.shards


treeview.register_array(Spread, SpreadAdapter())


def spread(sizes, **devices):
    axes = tuple(Axis(size, position=i) for i, size in enumerate(sizes))
    return Spread(axes, tuple(treeview.Shard(name, region) for name, region in devices.items()))


def numbers(figure, rows, columns):
    """The numbers that the colours of the cells stand for."""
    pixels = figure.picture.pixels
    height, width = pixels.shape[0] // rows, pixels.shape[1] // columns
    centres = pixels[height // 2 :: height, width // 2 :: width]
    palette = [tuple(color) for color in digit_colors().tolist()]
    return [[palette.index(tuple(pixel)) for pixel in row] for row in centres.tolist()]


def halves(size):
    return slice(0, size // 2), slice(size // 2, size)


def test_every_cell_shows_who_holds_it():
    top, bottom = halves(4)
    left, right = halves(6)
    array = spread((4, 6), A=(top, left), B=(top, right), C=(bottom, left), D=(bottom, right))
    figure = treeview.render_array_sharding(array)
    assert numbers(figure, 2, 2) == [[0, 1], [2, 3]]
    assert figure.text(color=False) == (
        "Spread float32[4, 6] on 4 devices\n0 = A\n1 = B\n2 = C\n3 = D"
    )
    labels = [(label.side, label.text) for label in figure.picture.labels]
    assert labels == [
        ("left", "0:2"),
        ("left", "2:4"),
        ("left", "axis 0: 4/2"),
        ("top", "0:3"),
        ("top", "3:6"),
        ("top", "axis 1: 6/2"),
    ]


def test_axes_can_be_put_on_rows_and_columns():
    left, right = halves(6)
    array = spread((6, 2), A=(left, slice(None)), B=(right, slice(None)))
    assert numbers(treeview.render_array_sharding(array, rows=0), 2, 1) == [[0], [1]]
    assert numbers(treeview.render_array_sharding(array, columns=0), 1, 2) == [[0, 1]]
    assert "not split: axis 1: 2" in treeview.render_array_sharding(array).text(color=False)


def test_copies_on_several_devices_are_named_together():
    left, right = halves(8)
    array = spread((8,), A=(left,), B=(right,), C=(left,), D=(right,))
    text = treeview.render_array_sharding(array).text(color=False)
    assert text == "Spread float32[8] on 4 devices\n0 = A + C\n1 = B + D"


def test_an_array_on_one_device_is_one_cell():
    text = treeview.render_array_sharding(spread((3,), A=(slice(None),))).text(color=False)
    assert text == "Spread float32[3] on 1 device\n0 = A\nnot split: axis 0: 3"
    assert "0 = A" in treeview.render_array_sharding(spread((), A=())).text(color=False)


def test_uneven_and_strided_parts_are_shown_exactly():
    uneven = spread((5,), A=(slice(0, 2),), B=(slice(2, 5),))
    figure = treeview.render_array_sharding(uneven)
    assert numbers(figure, 1, 2) == [[0, 1]]
    assert "axis 0: 5, uneven" in [label.text for label in figure.picture.labels]
    strided = spread((6,), A=(slice(0, 6, 2),), B=(slice(1, 6, 2),))
    assert numbers(treeview.render_array_sharding(strided), 1, 6) == [[0, 1, 0, 1, 0, 1]]


def test_cells_tell_their_regions_and_who_holds_them():
    parts = {"A": (slice(0, 4), slice(0, 2)), "B": (slice(0, 4), slice(2, 6))}
    (grid,) = treeview.render_array_sharding(spread((4, 6), **parts)).picture.grids
    assert [axis.ranges for axis in grid.axes] == [("0:4",), ("0:2", "2:6")]
    assert [grid.texts[number] for number in grid.values] == ["A", "B"]
    assert (grid.rows, grid.columns) in (((), (1,)), ((1,), ()))


def test_what_no_device_holds_is_said():
    text = treeview.render_array_sharding(spread((4,), A=(slice(0, 2),))).text(color=False)
    assert "0 = A\n1 = no device" in text


def test_many_devices_are_numbered_and_large_pictures_cut():
    devices = {f"D{i}": (slice(i, i + 1),) for i in range(3000)}
    figure = treeview.render_array_sharding(spread((3000,), **devices))
    assert "showing 1024 of 3000 along axis 0" in figure.text(color=False)


def test_arrays_that_live_nowhere_are_refused():
    with pytest.raises(ValueError, match=r"on which devices its parts are, got .* float64\[3\]"):
        treeview.render_array_sharding(np.zeros(3))
    with pytest.raises(TypeError, match="Expected an array of a registered type, got `list`"):
        treeview.render_array_sharding([1])


@pytest.mark.parametrize(
    ("axes", "message"),
    [((5, 0), "`rows` to name axes"), ((0, 0), "each axis at most once in `rows`, `columns`")],
)
def test_wrong_axes_are_refused(axes, message):
    rows, columns = axes
    with pytest.raises(ValueError, match=message):
        treeview.render_array_sharding(spread((2,), A=(slice(None),)), rows=rows, columns=columns)


JAX_EXAMPLE = """
import jax, jax.numpy as jnp, numpy as np
from jax.sharding import NamedSharding, PartitionSpec as P
import treeview
from treeview.arrays.sharding import array_shards

mesh = jax.make_mesh((4, 2), ("data", "model"))
for spec in [P("data", "model"), P(None, "model"), P(("data", "model")), P()]:
    sharding = NamedSharding(mesh, spec)
    array = jax.device_put(jnp.zeros((16, 8)), sharding)
    _, shards = array_shards(array)
    assert len(shards) == 8
    by_name = {f"CPU {s.device.id}": s.index for s in array.addressable_shards}
    for shard in shards:
        expected = np.zeros((16, 8)); expected[by_name[shard.device]] = 1
        found = np.zeros((16, 8)); found[shard.region] = 1
        assert (found == expected).all()
    abstract = jax.ShapeDtypeStruct((16, 8), jnp.float32, sharding=sharding)
    for each in (array, abstract):
        print("; ".join(treeview.render_array_sharding(each).text(color=False).splitlines()[1:]))
array.delete()
print(treeview.render_array_sharding(array).text(color=False).splitlines()[0])
"""


def test_arrays_of_jax_say_what_their_shardings_say():
    pytest.importorskip("jax")
    flags = "--xla_force_host_platform_device_count=8"
    result = subprocess.run(
        [sys.executable, "-c", JAX_EXAMPLE],
        env={**os.environ, "XLA_FLAGS": flags, "JAX_PLATFORMS": "cpu"},
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr
    pairs = "0 = CPU 0 + CPU 2 + CPU 4 + CPU 6; 1 = CPU 1 + CPU 3 + CPU 5 + CPU 7"
    singles = "; ".join(f"{i} = CPU {i}" for i in range(8))
    everywhere = "0 = " + " + ".join(f"CPU {i}" for i in range(8))
    lines = result.stdout.splitlines()
    assert lines == [
        *[singles] * 2,
        *[pairs + "; not split: axis 0: 16"] * 2,
        *[singles + "; not split: axis 1: 8"] * 2,
        *[everywhere + "; not split: axis 0: 16, axis 1: 8"] * 2,
        "jax.Array float32[16, 8] on 8 devices",
    ]


def test_an_integer_has_nested_squares_of_its_own():
    figure = treeview.integer_digitbox(-42, label="answer", size=28)
    assert figure.text(color=False) == "-42\nanswer"
    assert figure.picture.pixels.shape[0] * figure.picture.scale == 28
    outer, inner = (figure.picture.pixels[place] for place in ((-1, -1), (3, 3)))
    np.testing.assert_array_equal(outer, digit_colors()[4])
    np.testing.assert_array_equal(inner, digit_colors()[2])


def test_integers_without_nested_squares_are_refused():
    with pytest.raises(ValueError, match="at most 7 digits, got 10000000"):
        treeview.integer_digitbox(10**7)
    with pytest.raises(
        ValueError, match="Expected `size` to be a number of pixels, at most 1024, got 0"
    ):
        treeview.integer_digitbox(1, size=0)
    with pytest.raises(ValueError, match="Expected `size` to be a number of pixels.*got '1em'"):
        treeview.integer_digitbox(1, size="1em")
    with pytest.raises(TypeError, match="Expected `value` to be an integer, got 1.5; round it"):
        treeview.integer_digitbox(1.5)


def test_arrays_without_values_live_somewhere_too():
    array = spread((0, 4), A=(slice(None), slice(0, 2)), B=(slice(None), slice(2, 4)))
    assert treeview.render_array_sharding(array).text(color=False) == (
        "Spread float32[0, 4] on 2 devices\n0 = A\n1 = B\nnot split: axis 0: 0"
    )
    everywhere = spread((0,), A=(slice(0, 0),), B=(slice(0, 0),))
    assert "0 = A + B" in treeview.render_array_sharding(everywhere).text(color=False)
