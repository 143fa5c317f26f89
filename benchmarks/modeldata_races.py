"""modeldata beside Penzai, Equinox and plain JAX."""

import equinox
import jax
import jax.numpy as jnp
from penzai import pz
from timing import Race

import modeldata as md
from modeldata import nn, nx

BLOCKS = 24
KEY = jax.random.key(0)


def our_model() -> nn.Sequential:
    """24 residual blocks of a norm and two affine maps."""
    return nn.Sequential([nn.Residual(nn.Sequential(our_block(n))) for n in range(BLOCKS)])


def our_block(number: int) -> list[nn.Layer]:
    """The layers of one block."""
    return [
        nn.RMSLayerNorm.from_config(f"{number}/norm", KEY, {"features": 8}),
        nn.Affine.from_config(f"{number}/in", KEY, {"features": 8}, {"neurons": 16}),
        nn.Elementwise(jax.nn.gelu),
        nn.Affine.from_config(f"{number}/out", KEY, {"neurons": 16}, {"features": 8}),
    ]


def penzai_model() -> pz.nn.Sequential:
    """The same in Penzai."""
    blocks = [
        [
            pz.nn.RMSLayerNorm.from_config(f"{number}/norm", KEY, {"features": 8}),
            pz.nn.Affine.from_config(f"{number}/in", KEY, {"features": 8}, {"neurons": 16}),
            pz.nn.Elementwise(jax.nn.gelu),
            pz.nn.Affine.from_config(f"{number}/out", KEY, {"neurons": 16}, {"features": 8}),
        ]
        for number in range(BLOCKS)
    ]
    return pz.nn.Sequential([pz.nn.Residual(pz.nn.Sequential(block)) for block in blocks])


def races() -> list[Race]:
    """What modeldata is compared in."""
    ours, theirs = our_model(), penzai_model()
    unbound, parameters = md.unbind_params(ours, freeze=True)
    their_unbound, their_parameters = pz.unbind_params(theirs, freeze=True)
    frozen = md.bind_variables(unbound, parameters)
    their_frozen = pz.bind_variables(their_unbound, their_parameters)
    flat = dict(enumerate(jax.tree_util.tree_leaves(frozen)))

    first = jax.jit(lambda tree: jax.tree_util.tree_leaves(tree)[0])
    filtered = equinox.filter_jit(lambda tree: jax.tree_util.tree_leaves(tree)[0])
    a, b = (nx.wrap(jnp.ones((8, 8)), *names) for names in (("x", "y"), ("y", "x")))
    their_a, their_b = (pz.nx.wrap(jnp.ones((8, 8)), *names) for names in (("x", "y"), ("y", "x")))
    plain_a = plain_b = jnp.ones((8, 8))
    x = nx.wrap(jnp.ones((4, 8)), "batch", "features")
    call = md.variable_jit(lambda model, x: model(x))
    compiled = jax.jit(lambda model, x: model(x))
    return [
        Race(
            f"flatten {BLOCKS} blocks",
            lambda: jax.tree_util.tree_leaves(frozen),
            "penzai",
            lambda: jax.tree_util.tree_leaves(their_frozen),
            1 / 20,
        ),
        Race(
            f"flatten {BLOCKS} blocks",
            lambda: jax.tree_util.tree_leaves(frozen),
            "flat dict",
            lambda: jax.tree_util.tree_leaves(flat),
            3,
        ),
        Race(
            "call a compiled function on them",
            lambda: first(frozen),
            "penzai",
            lambda: first(their_frozen),
            1 / 30,
        ),
        Race(
            "call a compiled function on them",
            lambda: first(frozen),
            "equinox.filter_jit",
            lambda: filtered(frozen),
            1.2,
        ),
        Race("add named arrays", lambda: a + b, "penzai", lambda: their_a + their_b, 1 / 30),
        Race("add named arrays", lambda: a + b, "jnp.add", lambda: jnp.add(plain_a, plain_b), 3),
        Race(
            "softmax over a named axis",
            lambda: nx.nmap(jax.nn.softmax)(a.untag("x")),
            "jax.nn.softmax",
            lambda: jax.nn.softmax(plain_a, axis=0),
            1,
        ),
        Race(
            "select all linear maps",
            lambda: md.select(ours).at_instances_of(nn.Linear),
            "penzai",
            lambda: pz.select(theirs).at_instances_of(pz.nn.Linear),
            1 / 10,
        ),
        Race(
            "insert a layer after each",
            lambda: md.select(ours).at_instances_of(nn.Linear).insert_after(nn.Identity()),
            "penzai",
            lambda: pz.select(theirs).at_instances_of(pz.nn.Linear).insert_after(pz.nn.Identity()),
            1 / 20,
        ),
        Race(
            "warm call of variable_jit",
            call(ours, x).data_array.block_until_ready,
            "jit, unbound",
            compiled(frozen, x).data_array.block_until_ready,
            1.3,
        ),
    ]
