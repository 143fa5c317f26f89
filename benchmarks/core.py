"""modeldata beside Penzai, Equinox, flax.nnx, coordax and plain JAX.

haliax would be here too, but 1.3 does not import with JAX 0.10. `plain` stands for what one would
write without any of them; each row says what that is.
"""

from collections.abc import Callable, Iterator
from typing import Any

import coordax
import equinox
import jax
import jax.numpy as jnp
from flax import nnx
from penzai import pz

import modeldata as md
from benchmarks import core_models as models
from benchmarks.imports import importing
from benchmarks.timing import Row
from modeldata import nn, nx
from modeldata.models import transformer

PACKAGES = ("jax", "modeldata", "penzai", "equinox", "flax", "coordax")
LEAVES = jax.tree_util.tree_leaves


def rows() -> list[Row]:
    """What modeldata is compared in."""
    ours, theirs = models.our_model(), models.penzai_model()
    return [
        *tree_rows(ours, theirs),
        *array_rows(),
        *selector_rows(ours, theirs),
        *call_rows(ours, theirs),
        import_row(),
    ]


def tree_rows(ours: Any, theirs: Any) -> Iterator[Row]:
    """Models as pytrees."""
    frozen, their_frozen = md.freeze_variables(ours), frozen_penzai(theirs)
    block, nnx_model = models.equinox_model(), models.nnx_model()
    flat = dict(enumerate(LEAVES(frozen)))
    yield Row(
        what=f"flatten {models.BLOCKS} blocks (plain: a dict of their arrays)",
        ours=lambda: LEAVES(frozen),
        peers={
            "penzai": lambda: LEAVES(their_frozen),
            "equinox": lambda: LEAVES(block),
            "nnx": lambda: LEAVES(nnx.state(nnx_model)),
            "plain": lambda: LEAVES(flat),
        },
        goals={"penzai": 1 / 20, "plain": 3},
        why="the model has 2,182 nodes for 292 arrays. JAX takes 0.12 µs for a node and 0.17 µs for"
        " an entry of a dict, so five times the dict is the least for a tree of this form.",
    )

    def first_leaf(tree: Any) -> Any:
        return LEAVES(tree)[0]

    def first_norm(model: Any) -> Any:
        return model.layers[0].pre_attention.scale[...]

    jitted = jax.jit(first_leaf)
    equinox_jitted, nnx_jitted = equinox.filter_jit(first_leaf), nnx.jit(first_norm)
    yield Row(
        what=f"call a compiled function on {models.BLOCKS} blocks (plain: on a dict)",
        ours=lambda: jitted(frozen),
        peers={
            "penzai": lambda: jitted(their_frozen),
            "equinox": lambda: equinox_jitted(block),
            "nnx": lambda: nnx_jitted(nnx_model),
            "plain": lambda: jitted(flat),
        },
        goals={"penzai": 1 / 30, "equinox": 1.2, "nnx": 1 / 20},
        why="half of the call is flattening (see above), a quarter is what `jit` takes for as many"
        " arrays in a dict, and a tenth is comparing the structure with the one compiled for.",
    )


def frozen_penzai(model: Any) -> Any:
    """A model of Penzai with values in place of variables."""
    unbound, parameters = pz.unbind_params(model, freeze=True)
    return pz.bind_variables(unbound, parameters)


class Bare:
    """The least that a class around an array can be."""

    def __init__(self, data: jax.Array):
        self.data = data

    def __add__(self, other: "Bare") -> "Bare":
        return Bare(jnp.add(self.data, other.data))


def array_rows() -> Iterator[Row]:
    """Named arrays, outside of compiled code."""
    data, wide = jnp.ones((8, 8)), jnp.ones((8, 16))
    x, y = nx.wrap(data, "x", "y"), nx.wrap(data, "y", "x")
    x_penzai, y_penzai = (pz.nx.wrap(data, *names) for names in (("x", "y"), ("y", "x")))
    x_coordax, y_coordax = (coordax.field(data, *names) for names in (("x", "y"), ("y", "x")))
    bare = Bare(data)
    yield Row(
        what="add named arrays (plain: jnp.add)",
        ours=lambda: x + x,
        peers={
            "penzai": lambda: x_penzai + x_penzai,
            "coordax": lambda: x_coordax + x_coordax,
            "bare class": lambda: bare + bare,
            "plain": lambda: jnp.add(data, data),
        },
        goals={"penzai": 1 / 30, "plain": 3},
    )
    yield Row(
        what="add named arrays in another order (plain: jnp.add, transposed)",
        ours=lambda: x + y,
        peers={
            "penzai": lambda: x_penzai + y_penzai,
            "coordax": lambda: x_coordax + y_coordax,
            "plain": lambda: jnp.add(data, data.T),
        },
        goals={"plain": 3},
    )
    yield Row(
        what="softmax over a named axis (plain: jax.nn.softmax)",
        ours=lambda: nx.nmap(jax.nn.softmax)(x.untag("x")).tag("x"),
        peers={
            "penzai": lambda: pz.nx.nmap(jax.nn.softmax)(x_penzai.untag("x")).tag("x"),
            "coordax": lambda: coordax.cmap(jax.nn.softmax)(x_coordax.untag("x")).tag("x"),
            "plain": lambda: jax.nn.softmax(data, axis=0),
        },
        goals={"plain": 1},
    )
    yield Row(
        what="sum over a named axis (plain: jnp.sum)",
        ours=lambda: x.untag("x").sum(),
        peers={
            "penzai": lambda: x_penzai.untag("x").sum(),
            "coordax": lambda: coordax.cmap(jnp.sum)(x_coordax.untag("x")),
            "plain": lambda: jnp.sum(data, axis=0),
        },
        goals={"plain": 3},
    )

    def scaled(row: jax.Array) -> jax.Array:
        return row / jnp.sqrt(jnp.sum(row * row))

    vmapped = jax.vmap(scaled, in_axes=1, out_axes=1)
    yield Row(
        what="nmap of a user's function (plain: jax.vmap of it)",
        ours=lambda: nx.nmap(scaled)(x.untag("x")).tag("x"),
        peers={
            "penzai": lambda: pz.nx.nmap(scaled)(x_penzai.untag("x")).tag("x"),
            "coordax": lambda: coordax.cmap(scaled)(x_coordax.untag("x")).tag("x"),
            "plain": lambda: vmapped(data),
        },
        goals={"penzai": 1, "plain": 1.5},
    )
    weights, their_weights = nx.wrap(wide, "x", "z"), pz.nx.wrap(wide, "x", "z")
    yield Row(
        what="contract a named axis (plain: jnp.einsum)",
        ours=lambda: nn.contract("x", y, weights),
        peers={
            "penzai": lambda: pz.nn.contract("x", y_penzai, their_weights),
            "plain": lambda: jnp.einsum("yx,xz->yz", data, wide),
        },
        goals={"penzai": 1 / 10, "plain": 2},
    )
    yield Row(
        what="index a named axis (plain: x[3])",
        ours=lambda: x[{"x": 3}],
        peers={
            "penzai": lambda: x_penzai[{"x": 3}],
            "coordax": lambda: coordax.cmap(lambda row: row[3])(x_coordax.untag("x")),
            "plain": lambda: data[3],
        },
        goals={"penzai": 1 / 2, "plain": 2},
    )


def selector_rows(ours: Any, theirs: Any) -> Iterator[Row]:
    """Finding and changing parts of a model."""
    blocks, is_array = models.equinox_model(), equinox.is_array
    yield Row(
        what=f"select all linear maps of {models.BLOCKS} blocks",
        ours=lambda: md.select(ours).at_instances_of(nn.Linear),
        peers={"penzai": lambda: pz.select(theirs).at_instances_of(pz.nn.Linear)},
        goals={"penzai": 1 / 10},
    )
    found, their_found = md.select(ours), pz.select(theirs)
    yield Row(
        what="insert a layer after each linear map in attention",
        ours=lambda: (
            found.at_instances_of(nn.Attention)
            .at_instances_of(nn.Linear)
            .insert_after(nn.Identity())
        ),
        peers={
            "penzai": lambda: (
                their_found.at_instances_of(pz.nn.Attention)
                .at_instances_of(pz.nn.Linear)
                .insert_after(pz.nn.Identity())
            )
        },
        goals={"penzai": 1 / 20},
    )
    selected = md.select(ours).at_instances_of(nn.Linear)
    their_selected = pz.select(theirs).at_instances_of(pz.nn.Linear)
    linears = [linear for block in blocks for linear in block.linears]
    wanted = lambda tree: [linear for block in tree for linear in block.linears]  # noqa: E731
    yield Row(
        what="replace all linear maps (equinox: tree_at)",
        ours=lambda: selected.apply(lambda layer: layer),
        peers={
            "penzai": lambda: their_selected.apply(lambda layer: layer),
            "equinox": lambda: equinox.tree_at(wanted, blocks, linears),
        },
        goals={"penzai": 1 / 10},
    )
    yield Row(
        what="split off all linear maps and combine again",
        ours=lambda: md.combine(*selected.partition()),
        peers={
            "penzai": lambda: pz.combine(*their_selected.partition()),
            "equinox": lambda: equinox.combine(*equinox.partition(blocks, is_array)),
        },
        goals={"penzai": 1 / 10},
        why="each of the 970 nodes that the parts share is compared and rebuilt in Python; Equinox,"
        " which looks at arrays only, takes as long.",
    )


def call_rows(ours: Any, theirs: Any) -> Iterator[Row]:
    """Compiling and calling models."""
    frozen, their_frozen = md.freeze_variables(ours), frozen_penzai(theirs)
    tokens, their_tokens = models.our_tokens(), models.penzai_tokens()
    weights, plain_tokens = models.plain_weights(), models.TOKENS

    def call(model: Any, *inputs: Any) -> Any:
        return model(*inputs)

    jitted, ours_jitted, pz_jitted = jax.jit(call), md.variable_jit(call), pz.variable_jit(call)
    jax.block_until_ready((ours_jitted(ours, tokens), pz_jitted(theirs, their_tokens)))
    yield Row(
        what="warm call of variable_jit (plain: jit of the frozen model)",
        ours=lambda: jax.block_until_ready(ours_jitted(ours, tokens)),
        peers={
            "penzai": lambda: jax.block_until_ready(pz_jitted(theirs, their_tokens)),
            "plain": lambda: jax.block_until_ready(jitted(frozen, tokens)),
        },
        goals={"plain": 1.3},
    )
    yield Row(
        what=f"trace a transformer of {models.BLOCKS} blocks (plain: by hand)",
        ours=lambda: traced(call, frozen, tokens),
        peers={
            "penzai": lambda: traced(call, their_frozen, their_tokens),
            "plain": lambda: traced(models.plain_call, weights, plain_tokens),
        },
        goals={"penzai": 1 / 4, "plain": 1.3},
    )
    stacked, their_stacked = (
        md.freeze_variables(transformer.stack_blocks(ours)),
        frozen_penzai(models.penzai_model(use_layer_stack=True)),
    )
    yield Row(
        what=f"trace and compile a LayerStack of {models.BLOCKS} blocks (plain: our list)",
        ours=lambda: traced(call, stacked, tokens).lower().compile(),
        peers={
            "penzai": lambda: traced(call, their_stacked, their_tokens).lower().compile(),
            "plain": lambda: traced(call, frozen, tokens).lower().compile(),
        },
        goals={"plain": 1 / 3},
        why="XLA takes half as long for one block as for the list, which is small already because"
        " equal parts of blocks are compiled functions of their own; a scan written by hand in"
        " plain JAX compiles as long as the stack.",
    )
    yield Row(
        what="unbind and bind all variables",
        ours=lambda: md.bind_variables(*md.unbind_variables(ours)),
        peers={"penzai": lambda: pz.bind_variables(*pz.unbind_variables(theirs))},
        goals={"penzai": 1 / 10},
        why="most of the time is rebuilding every struct twice, whose static fields are checked in"
        " Python, and asking each of 1,600 nodes, two times, whether it is a slot.",
    )


def traced(function: Callable[..., Any], *args: Any) -> Any:
    """Traces a function as if for the first time; functions that JAX compiled inside stay known."""
    # A new function each time, because JAX remembers the traces of those that it knows.
    return jax.jit(lambda *inner: function(*inner)).trace(*args)  # noqa: PLW0108


def import_row() -> Row:
    """Importing, without what JAX takes."""
    return Row(
        what="import, beyond JAX",
        ours=lambda: importing("modeldata", after="jax"),
        peers={
            "penzai": lambda: importing("penzai.pz", after="jax"),
            "equinox": lambda: importing("equinox", after="jax"),
            "nnx": lambda: importing("flax.nnx", after="jax"),
            "coordax": lambda: importing("coordax", after="jax"),
        },
        most=0.1,
        measure="seconds",
        why="most of it is making some eighty struct classes, whose methods Python compiles each"
        " time; loading `nn` on first use would only move that.",
    )
