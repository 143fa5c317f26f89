"""Promises of the layers that check what passes through them."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import modeldata as md
from modeldata import nn, nx
from modeldata.shapecheck import ArraySpec, StructureMismatchError, var, vars_for_axes

INPUT = ArraySpec.floating_named({**var("batch"), "embedding": var("width")})
OUTPUT = ArraySpec.floating_named({**var("batch"), "neurons": var("width")})


def rename():
    return nn.RenameAxes("embedding", "neurons")


def embedding(**sizes):
    return nx.wrap(np.zeros(tuple(sizes.values()), np.float32), *sizes)


@md.pytree_dataclass
class WithSideInput(nn.Layer):
    def __call__(self, argument, /, **side_inputs):
        return argument + side_inputs["shift"]


@md.pytree_dataclass
class Doubled(nn.Layer):
    def __call__(self, argument, /, **side_inputs):
        return nx.concatenate([argument, argument], "neurons")


def test_a_checked_sequential_runs_its_layers_in_order():
    layer = nn.CheckedSequential(INPUT, OUTPUT, [rename(), WithSideInput()])
    result = layer(embedding(seq=2, embedding=3), shift=2.0, unknown=None)
    assert result.named_shape == {"seq": 2, "neurons": 3}
    np.testing.assert_array_equal(result.unwrap("seq", "neurons"), np.full((2, 3), 2.0))
    assert nn.CheckedSequential(INPUT, INPUT, [])(embedding(embedding=3)).named_shape == {
        "embedding": 3
    }


def test_what_comes_in_is_checked():
    layer = nn.CheckedSequential(INPUT, OUTPUT, [rename()])
    with pytest.raises(StructureMismatchError) as caught:
        layer(embedding(seq=2))
    assert str(caught.value).splitlines()[:4] == [
        "While checking the input of a `CheckedSequential`:",
        "Expected a value of the structure that the pattern describes, but it differs:",
        "At root:",
        "  named axes: expected `{**var('batch'), 'embedding': var('width')}`, got `{'seq': 2}`: "
        "'embedding' is missing.",
    ]


def test_what_goes_out_is_checked_against_what_came_in():
    layer = nn.CheckedSequential(INPUT, OUTPUT, [rename(), Doubled()])
    with pytest.raises(StructureMismatchError) as caught:
        layer(embedding(seq=2, embedding=3))
    assert str(caught.value).splitlines()[:4:3] == [
        "While checking the output of a `CheckedSequential`, given its input:",
        "  axis 'neurons': expected size 3 (`var('width')`, bound before by axis 'embedding' of "
        "root), got 6.",
    ]


def test_subclasses_are_named_in_errors():
    @md.pytree_dataclass(has_implicitly_inherited_fields=True)
    class Head(nn.CheckedSequential):
        @classmethod
        def from_config(cls):
            return cls(INPUT, OUTPUT, [rename()])

    with pytest.raises(StructureMismatchError, match="While checking the input of a `Head`"):
        Head.from_config()(embedding(seq=2))


def test_patterns_are_structure_not_children():
    spec = ArraySpec.floating_named(vars_for_axes("x", {"embedding": 3}))
    layer = nn.CheckedSequential(spec, (ArraySpec(), ArraySpec()), [])
    assert jax.tree_util.tree_leaves(layer) == []
    assert hash(jax.tree_util.tree_structure(layer))
    assert (
        repr(nn.CheckStructure(ArraySpec((2,)))) == "CheckStructure(expected=ArraySpec(shape=(2,)))"
    )


def test_patterns_must_be_hashable():
    with pytest.raises(
        TypeError, match=r"static field `CheckStructure\.expected`, got \[ArraySpec"
    ):
        nn.CheckStructure([ArraySpec()])


def test_checks_run_while_tracing_only():
    layer = nn.Sequential([nn.CheckStructure(INPUT), rename()])
    run = jax.jit(lambda layer, x: layer(x))
    assert run(layer, embedding(embedding=3)).named_shape == {"neurons": 3}
    with pytest.raises(StructureMismatchError, match="While checking the input of a `CheckStruct"):
        run(layer, embedding(neurons=3))


def test_check_structure_returns_its_input():
    value = (jnp.zeros(2), jnp.zeros(2))
    layer = nn.CheckStructure((ArraySpec((var("n"),)), ArraySpec((var("n"),))))
    assert layer(value, ignored=1) is value


def test_anonymous_groups_are_inlined_into_a_checked_one():
    inner = nn.Sequential([nn.Identity(), nn.Identity()])
    checked = nn.CheckedSequential(md.shapecheck.ANY, md.shapecheck.ANY, [inner])
    assert nn.is_sequential_or_named(checked)
    assert nn.inline_anonymous_sequentials(checked).sublayers == inner.sublayers
