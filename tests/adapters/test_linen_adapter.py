"""Modules and variables of flax.linen."""

import flax
import flax.linen as nn
import jax
import jax.numpy as jnp
import pytest
import treeview

KEY = jax.random.key(0)


class Inner(nn.Module):
    width: int

    @nn.compact
    def __call__(self, x):
        kernel = self.param("kernel", nn.initializers.ones, (3, self.width))
        return x @ kernel + self.param("bias", nn.initializers.zeros, (self.width,))


class Net(nn.Module):
    width: int
    act: object = nn.relu

    def setup(self):
        self.inner = Inner(self.width)
        self.scale = self.param("scale", nn.initializers.zeros, (2, 9))

    def __call__(self, x):
        return self.act(self.inner(x)) * self.scale[0, 0]


@pytest.fixture(scope="module")
def variables():
    return Net(4).init(KEY, jnp.ones((1, 3)))


def test_importing_treeview_imports_no_flax(imported_by_treeview):
    assert imported_by_treeview("flax", "jax", "treeview.adapters.linen") == []


def test_a_module_shows_its_settings(shown):
    assert shown(Net(4)) == "Net(width=4, act=jax.nn.relu)"
    assert shown(Net(4, name="mine")) == "Net(width=4, act=jax.nn.relu, name='mine')"


def test_usual_settings_of_flax_own_layers_are_counted(shown):
    assert shown(nn.Dense(3)) == "Dense(features=3)  # 9 more settings"
    assert shown(nn.Dense(3, use_bias=False)) == (
        "Dense(features=3, use_bias=False)  # 8 more settings"
    )


def test_variables_are_trees_of_arrays(lines, variables):
    assert lines(variables) == [
        "{",
        "  'params': {",
        "    'scale': jax.Array float32[2, 9] all 0,",
        "    'inner': {",
        "      'kernel': jax.Array float32[3, 4] all 1,",
        "      'bias': jax.Array float32[4] [0, 0, 0, 0],",
        "    },",
        "  },",
        "}",
    ]
    assert lines(flax.core.freeze(variables))[0] == "FrozenDict({"


def test_a_bound_module_shows_variables_and_what_was_set_up_but_sets_up_nothing(lines, variables):
    bound = Net(4).bind(variables)
    assert lines(bound) == [
        "Net(  # bound",
        "  width=4,",
        "  act=jax.nn.relu,",
        "  params={",
        "    'scale': jax.Array float32[2, 9] all 0,",
        "    'inner': {",
        "      'kernel': jax.Array float32[3, 4] all 1,",
        "      'bias': jax.Array float32[4] [0, 0, 0, 0],",
        "    },",
        "  },",
        ")",
    ]
    assert "inner" not in vars(bound)
    assert bound.inner is not None
    assert lines(bound, totals=True) == [
        "Net(  # bound, 34 parameters, 136 B",
        "  width=4,",
        "  act=jax.nn.relu,",
        "  inner=Inner(  # bound, 16 parameters, 64 B",
        "    width=4,",
        "    name='inner',",
        "    params={  # 16 parameters, 64 B",
        "      'kernel': jax.Array float32[3, 4] all 1,",
        "      'bias': jax.Array float32[4] [0, 0, 0, 0],",
        "    },",
        "  ),",
        "  params={'scale': jax.Array float32[2, 9] all 0},  # 18 parameters, 72 B",
        ")",
    ]


def test_modules_are_shown_while_they_are_traced(shown):
    seen = []

    class Peek(nn.Module):
        @nn.compact
        def __call__(self, x):
            seen.append(shown(self))
            return nn.Dense(2)(x)

    jax.eval_shape(Peek().init, KEY, jnp.ones((1, 3)))
    assert seen == ["Peek()  # bound"]


def test_names_of_partitioned_axes_are_names_of_axes(shown):
    box = nn.Partitioned(jnp.ones((2, 3)), ("data", None))
    assert shown(box) == "Partitioned float32[data:2, 3] all 1"
    assert shown(nn.LogicallyPartitioned(3, ("a",))) == (
        "LogicallyPartitioned(value=3, names=('a',), mesh=None, rules=None)"
    )


def test_an_unbound_module_is_rebuilt_from_its_roundtrip_text(shown):
    module = Net(4)
    names = {"jax": jax, "Net": Net}
    text = shown(module, roundtrip=True).replace(f"{Net.__module__}.", "")
    text = text.replace("<unreachable>.", "")
    assert eval(text, names) == module


def test_settings_of_structs_are_set_apart():
    @flax.struct.dataclass
    class Struct:
        array: object
        size: int = flax.struct.field(pytree_node=False)

    document = treeview.render(Struct(jnp.ones(3), 2)).document
    assert [label.spans for label in document.labels] == [
        (("array", "field"),),
        (("size", "static"),),
    ]


def test_a_broken_module_says_what_is_broken(survives):
    class Broken(nn.Module):
        size: int = 3

        def __getattr__(self, name):
            raise AttributeError("boom")

        def __repr__(self):
            raise ValueError("boom")

    broken = Broken()
    del broken.__dict__["size"]
    assert survives(broken) == "Broken(size=3)"
