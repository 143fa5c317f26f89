"""Taking variables out of trees and putting them back."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modeldata._struct import Struct, pytree_dataclass, static_field
from modeldata.variables import (
    Parameter,
    ParameterSlot,
    ParameterValue,
    StateVariable,
    StateVariableSlot,
    StateVariableValue,
    VariableConflictError,
    bind_variables,
    freeze_params,
    freeze_state_vars,
    freeze_variables,
    unbind_params,
    unbind_state_vars,
    unbind_variables,
)


class Pair(NamedTuple):
    first: Any
    second: Any


@pytree_dataclass
class Node(Struct):
    """A struct with a static field."""

    name: str = static_field()
    child: Any


VARIABLES = [
    *(Parameter(value=float(i), label=f"p{i}") for i in range(4)),
    *(StateVariable(i, label=f"s{i}") for i in range(3)),
]
trees = st.recursive(
    st.sampled_from([*VARIABLES, 1, "text", None]),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
        st.tuples(inner, inner),
        st.builds(Pair, inner, inner),
        st.builds(Node, st.sampled_from("ab"), inner),
    ),
    max_leaves=20,
)


def is_variable(leaf):
    return isinstance(leaf, Parameter | StateVariable)


@settings(deadline=None)
@given(trees)
def test_binding_undoes_unbinding(tree):
    unbound, variables = unbind_variables(tree)
    assert not any(map(is_variable, jax.tree.leaves(unbound)))
    assert bind_variables(unbound, variables) == tree


@settings(deadline=None)
@given(trees)
def test_each_variable_comes_out_once_in_order_of_appearance(tree):
    _, variables = unbind_variables(tree)
    assert list(variables) == list(dict.fromkeys(filter(is_variable, jax.tree.leaves(tree))))


@settings(deadline=None)
@given(trees)
def test_unbinding_by_kind_in_two_steps_is_unbinding_all(tree):
    without_params, params = unbind_params(tree)
    unbound, states = unbind_state_vars(without_params)
    assert unbound == unbind_variables(tree)[0]
    assert {type(v) for v in params} <= {Parameter}
    assert {type(v) for v in states} <= {StateVariable}


@settings(deadline=None)
@given(trees)
def test_a_copy_from_frozen_values_shares_what_the_original_shares(tree):
    unbound, values = unbind_variables(tree, freeze=True)
    copied = bind_variables(unbound, values, unfreeze_as_copy=True)
    pairs = list(zip(jax.tree.leaves(tree), jax.tree.leaves(copied), strict=True))
    originals = {id(a) for a, _ in pairs if is_variable(a)}
    copies = {id(b) for _, b in pairs if is_variable(b)}
    assert (
        len(originals) == len(copies) == len({(id(a), id(b)) for a, b in pairs if is_variable(a)})
    )
    assert not originals & copies
    assert unbind_variables(copied)[0] == unbound


def test_freezing_in_place_duplicates_shared_values():
    shared = Parameter(value=jnp.ones(2), label="p")
    frozen = freeze_variables([shared, shared])
    assert [type(v) for v in frozen] == [ParameterValue, ParameterValue]
    assert len(jax.tree.leaves(frozen)) == 2


def test_freezing_by_kind_leaves_the_other_kind():
    tree = [Parameter(value=1.0, label="p"), StateVariable(1, label="s")]
    assert [type(v) for v in freeze_params(tree)] == [ParameterValue, StateVariable]
    assert [type(v) for v in freeze_state_vars(tree)] == [Parameter, StateVariableValue]


def test_a_predicate_chooses_among_variables():
    a, b = Parameter(value=1.0, label="a"), Parameter(value=2.0, label="b")
    unbound, variables = unbind_params([a, b], lambda v: v.label == "b")
    assert unbound == [a, ParameterSlot(label="b")]
    assert variables == (b,)
    assert type(freeze_params([a, b], lambda v: v.label == "b")[1]) is ParameterValue


def test_parameters_and_state_may_have_equal_labels():
    tree = [Parameter(value=1.0, label="x"), StateVariable(1, label="x")]
    unbound, _ = unbind_variables(tree)
    assert unbound == [ParameterSlot(label="x"), StateVariableSlot(label="x")]


def test_two_variables_with_one_label_conflict_with_both_paths():
    tree = {"a": Parameter(value=1.0, label="p"), "b": [Parameter(value=2.0, label="p")]}
    with pytest.raises(
        VariableConflictError,
        match=r"Parameter `p` and another variable .* at "
        r"`\['b'\]\[0\]`, `\['a'\]`. Give each a label of its own",
    ):
        unbind_variables(tree)


def test_a_variable_and_its_slot_conflict_in_either_order():
    variable, slot = Parameter(value=1.0, label="p"), ParameterSlot(label="p")
    for tree in ([variable, slot], [slot, variable]):
        with pytest.raises(VariableConflictError, match="Parameter `p` and a slot"):
            unbind_variables(tree)


def test_binding_leaves_other_slots():
    tree = [ParameterSlot(label="a"), ParameterSlot(label="b")]
    variable = Parameter(value=1.0, label="b")
    assert bind_variables(tree, [variable]) == [ParameterSlot(label="a"), variable]


def test_a_variable_without_a_slot_is_refused_unless_allowed():
    variables = [Parameter(value=1.0, label="a"), Parameter(value=1.0, label="b")]
    tree = [ParameterSlot(label="a")]
    with pytest.raises(
        ValueError, match="slot in the tree for every variable, but there is none for 'b'"
    ):
        bind_variables(tree, variables)
    assert bind_variables(tree, variables, allow_unused=True) == [variables[0]]


def test_two_variables_for_one_slot_are_refused():
    variable = Parameter(value=1.0, label="a")
    with pytest.raises(ValueError, match="two belong to `ParameterSlot"):
        bind_variables([ParameterSlot(label="a")], [variable, variable.freeze()])


def test_binding_something_else_is_refused():
    with pytest.raises(TypeError, match="variables and frozen values to bind, but got a `int`"):
        bind_variables([], [1])


def test_unfreezing_a_variable_that_is_not_frozen_is_refused():
    with pytest.raises(
        ValueError,
        match="only frozen values with `unfreeze_as_copy=True`, but got the variable Parameter `a`",
    ):
        bind_variables(
            [ParameterSlot(label="a")], [Parameter(value=1.0, label="a")], unfreeze_as_copy=True
        )


def test_gradients_flow_through_bound_frozen_values():
    model = {"w": Parameter(value=jnp.array([1.0, 2.0]), label="w")}
    unbound, values = unbind_params(model, freeze=True)
    grads = jax.grad(lambda v: (bind_variables(unbound, v)["w"].value ** 2).sum())(values)
    np.testing.assert_array_equal(grads[0].value, [2.0, 4.0])
