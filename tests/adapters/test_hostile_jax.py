"""Arrays of JAX in every state, all in one tree: each is shown, and none spoils another."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import treeview


def deleted():
    array = jnp.ones(4)
    array.delete()
    return array


def donated():
    array = jnp.ones((4,))
    jax.jit(lambda x: x + 1, donate_argnums=0)(array)
    return array


@jax.tree_util.register_pytree_node_class
class Sour:
    """A node that cannot be taken apart."""

    def tree_flatten(self):
        raise ValueError("boom")

    @classmethod
    def tree_unflatten(cls, *_):
        return cls()


@jax.tree_util.register_pytree_with_keys_class
class Lying:
    """A node that gives the wrong things."""

    def tree_flatten_with_keys(self):
        return [("no pair",), 3], None

    def tree_flatten(self):
        return [1], None

    @classmethod
    def tree_unflatten(cls, *_):
        return cls()


STATES = {
    "deleted": (deleted, "jax.Array float32[4] <deleted>"),
    "key": (lambda: jax.random.key(0), "jax.Array key<fry>[]"),
    "keys": (lambda: jax.random.split(jax.random.key(0), (2, 3)), "key<fry>[2, 3]"),
    "bfloat16": (lambda: jnp.ones((3, 9), jnp.bfloat16), "bfloat16[3, 9] all 1"),
    "float8": (lambda: jnp.ones((3, 9), jnp.float8_e4m3fn), "float8_e4m3fn[3, 9] all 1"),
    "int4": (lambda: jnp.ones(9, jnp.int4), "int4[9] all 1"),
    "uint2": (lambda: jnp.ones(9, jnp.uint2), "uint2[9] all 1"),
    "nan": (lambda: jnp.full((3, 9), jnp.nan), "nan:27"),
    "empty": (lambda: jnp.zeros((0, 3)), "float32[0, 3]"),
    "abstract": (lambda: jax.ShapeDtypeStruct((2,), "int8"), "int8[2] <abstract>"),
    "sour node": (Sour, "Sour"),
    "lying node": (Lying, "Lying"),
    "tree definition": (lambda: jax.tree.structure([1, {"a": 2}]), "PyTreeDef([*, {'a': *}])"),
    "jaxpr": (lambda: jax.make_jaxpr(jnp.sin)(1.0), "{ lambda ; a:f32[]."),
    "mesh": (lambda: jax.make_mesh((1,), ("x",)), "Mesh('x': 1)"),
}


@pytest.mark.parametrize("state", STATES)
def test_an_array_in_any_state_says_what_it_is(survives, state):
    make, text = STATES[state]
    assert text in survives(make())
    for options in ({"autovisualize": True}, {"roundtrip": True}, {"totals": True}):
        survives(make(), **options)


@pytest.mark.filterwarnings("ignore:Some donated buffers were not usable")
def test_donated_arrays_are_shown(survives):
    assert survives(donated()).startswith("jax.Array float32[4]")


def test_one_bad_array_does_not_spoil_the_batch(shown):
    rows = {"bad": deleted(), "good": jnp.arange(30), "key": jax.random.key(0)}
    assert shown(rows, 120).splitlines() == [
        "{",
        "  'bad': jax.Array float32[4] <deleted>,",
        "  'good': jax.Array int32[30] ≈14 ±8.7 [0, 29] zero:1,",
        "  'key': jax.Array key<fry>[],",
        "}",
    ]


@pytest.mark.parametrize("transform", [jax.jit, jax.vmap, jax.grad, jax.checkpoint, jax.linearize])
def test_values_that_are_being_traced_have_no_values(survives, transform):
    seen = []

    def look(x):
        seen.append(survives({"x": x, "constant": np.ones(3)}))
        return x.sum()

    argument = jnp.ones((2, 3))
    if transform is jax.linearize:
        jax.linearize(look, argument)
    else:
        transform(look)(argument)
    assert all("<traced>" in text and "float64[3] [1, 1, 1]" in text for text in seen)


def test_looking_inside_a_compiled_function_adds_nothing_to_it(survives):
    def plain(x):
        return x * 2

    def looked(x):
        survives([x, x * 1, jnp.ones(3)], autovisualize=True)
        return x * 2

    plain_jaxpr = str(jax.make_jaxpr(plain)(1.0))
    assert plain_jaxpr.count("mul") == 1
    lines = str(jax.make_jaxpr(looked)(1.0))
    assert "callback" not in lines
    assert "reduce" not in lines
