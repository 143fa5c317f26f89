"""Variables, values and slots as objects."""

import copy
import pickle
import subprocess
import sys
import threading

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from modeldata.variables import (
    AutoStateVarLabel,
    Parameter,
    ParameterSlot,
    ParameterValue,
    ScopedStateVarLabel,
    StateVariable,
    StateVariableSlot,
    StateVariableValue,
    UnboundVariableError,
    scoped_auto_state_var_labels,
)


def test_numbers_and_numpy_arrays_become_jax_arrays():
    variable = Parameter(value={"a": 1, "b": np.ones(2, np.float32)}, label="p")
    assert all(isinstance(leaf, jax.Array) for leaf in jax.tree.leaves(variable.value))


def test_a_value_may_be_empty_or_a_stand_in_for_an_array():
    assert StateVariable(None).value is None
    stand_in = jax.ShapeDtypeStruct((2,), jnp.float32)
    assert Parameter(value=stand_in, label="p").value is stand_in


def test_text_is_refused_as_a_value_before_anything_changes():
    variable = StateVariable(1, label="count")
    with pytest.raises(TypeError, match="value of StateVariable `count`, but got 'x', a `str`"):
        variable.value = {"a": 2, "b": "x"}
    assert variable.value == 1


def test_variables_are_leaves_and_compare_by_identity():
    a, b = StateVariable(0, label="a"), StateVariable(0, label="a")
    assert jax.tree.leaves({"x": a}) == [a]
    assert a != b


def test_values_are_pytrees_and_slots_have_no_leaves():
    value = ParameterValue(label="p", value=jnp.ones(2))
    assert len(jax.tree.leaves(value)) == 1
    assert jax.tree.leaves(ParameterSlot(label="p")) == []
    assert hash(ParameterSlot(label="p")) == hash(ParameterSlot(label="p"))


def test_parameter_and_state_labels_are_separate_name_spaces():
    assert ParameterSlot(label="a") == ParameterSlot(label="a")
    assert ParameterSlot(label="a") != StateVariableSlot(label="a")


def test_a_slot_has_no_value():
    with pytest.raises(UnboundVariableError, match="`ParameterSlot.label='p'.` holds no value"):
        _ = ParameterSlot(label="p").value


def test_freezing_keeps_the_value_from_later_assignments():
    variable = StateVariable(1, label="s", metadata={"note": 1})
    frozen = variable.freeze()
    variable.value = 2
    assert (frozen.value, variable.freeze().value) == (1, 2)
    assert isinstance(frozen, StateVariableValue)
    assert frozen.get_slot() == variable.get_slot() == StateVariableSlot(label="s")


def test_unfreezing_makes_a_new_variable_each_time():
    frozen = Parameter(value=1.0, label="p", metadata={"trainable": False}).freeze()
    first, second = frozen.unfreeze_as_copy(), frozen.unfreeze_as_copy()
    assert first is not second
    assert isinstance(first, Parameter)
    assert (first.label, first.value, first.metadata) == ("p", 1.0, {"trainable": False})


def test_update_takes_a_value_of_the_same_slot_only():
    variable = Parameter(value=1.0, label="p")
    variable.update(ParameterValue(label="p", value=jnp.float32(2)))
    assert variable.value == 2
    with pytest.raises(
        ValueError,
        match="`ParameterValue` with label 'p' to update Parameter `p`, "
        "but got a `ParameterValue` with label 'q'",
    ):
        variable.update(ParameterValue(label="q", value=1.0))
    with pytest.raises(ValueError, match="but got a `StateVariableValue` with label 'p'"):
        variable.update(StateVariableValue(label="p", value=1.0))
    with pytest.raises(ValueError, match="but got `int`"):
        variable.update(3)


def test_metadata_cannot_change_behind_the_variables_that_share_it():
    notes = {"a": 1}
    variable = Parameter(value=1.0, label="p", metadata=notes)
    frozen = variable.freeze()
    notes["a"] = 2
    variable.metadata = {"a": 3}
    assert frozen.metadata == {"a": 1}
    assert variable.freeze().metadata == {"a": 3}
    with pytest.raises(TypeError, match="does not support item assignment"):
        variable.metadata["a"] = 4


def test_every_automatic_label_is_new():
    labels = [StateVariable(None).label for _ in range(200)]
    assert len(set(labels)) == 200
    assert all(isinstance(label, AutoStateVarLabel) for label in labels)


def test_scoped_labels_count_from_zero_and_scopes_nest():
    with scoped_auto_state_var_labels("outer"):
        first = StateVariable(None).label
        with scoped_auto_state_var_labels():
            inner = StateVariable(None).label
        second = StateVariable(None).label
    assert first == ScopedStateVarLabel("outer", 0)
    assert inner == ScopedStateVarLabel(None, 0)
    assert second == ScopedStateVarLabel("outer", 1)
    assert isinstance(StateVariable(None).label, AutoStateVarLabel)


def test_a_label_scope_belongs_to_its_thread():
    labels = []
    with scoped_auto_state_var_labels("here"):
        thread = threading.Thread(target=lambda: labels.append(StateVariable(None).label))
        thread.start()
        thread.join()
    assert isinstance(labels[0], AutoStateVarLabel)


def test_automatic_labels_can_be_keys_beside_strings():
    tree = {
        AutoStateVarLabel(10): 1,
        "z": 2,
        AutoStateVarLabel(9): 3,
        ScopedStateVarLabel("g", 0): 4,
    }
    assert jax.tree.leaves(tree) == [2, 3, 1, 4]
    with pytest.raises(TypeError, match="not supported between"):
        _ = AutoStateVarLabel(1) < 3


@pytest.mark.parametrize(
    "copier", [copy.copy, copy.deepcopy, lambda v: pickle.loads(pickle.dumps(v))]
)
def test_copies_are_other_variables_with_the_same_label(copier):
    variable = StateVariable(jnp.arange(3), metadata={"a": 1})
    other = copier(variable)
    variable.value = 0
    assert other is not variable
    assert (other.label, other.metadata) == (variable.label, {"a": 1})
    np.testing.assert_array_equal(other.value, np.arange(3))


def test_labels_from_another_process_do_not_meet_those_made_here(tmp_path):
    code = (
        "import pickle, sys; from modeldata.variables import StateVariable; v = StateVariable(0);"
        "pickle.dump((v, v.get_slot()), open(sys.argv[1], 'wb'))"
    )
    path = tmp_path / "v.pickle"
    subprocess.run([sys.executable, "-c", code, str(path)], check=True)
    taken = {StateVariable(None).label for _ in range(5)}
    variable, slot = pickle.loads(path.read_bytes())
    again, _ = pickle.loads(path.read_bytes())
    taken |= {StateVariable(None).label for _ in range(5)}
    assert variable.get_slot() == slot == again.get_slot()
    assert variable.label not in taken


def test_text_shows_kind_label_and_value():
    assert (
        repr(Parameter(value=jnp.ones((2, 3)), label="p")) == "Parameter(label='p', value=f32[2,3])"
    )
    text = repr(StateVariable(None, label="s", metadata={"a": 1}))
    assert text == "StateVariable(label='s', value=None, metadata={'a': 1})"


@pytest.mark.parametrize(
    "transform", [jax.jit, jax.grad, jax.checkpoint, lambda f: jax.vmap(f, axis_size=2)]
)
def test_assigning_a_variable_inside_a_transformation_names_it(transform):
    variable = StateVariable(0.0, label="leaky")

    def body(x=1.0):
        variable.value = x
        return x

    args = () if transform not in (jax.grad, jax.jit, jax.checkpoint) else (1.0,)
    with pytest.raises(RuntimeError, match="StateVariable `leaky` was assigned inside a JAX"):
        transform(body)(*args)
    assert variable.value == 0


def test_assigning_a_variable_inside_scan_names_it_and_reading_is_fine():
    variable = Parameter(value=2.0, label="p")
    total, _ = jax.lax.scan(lambda c, x: (c + x * variable.value, None), 0.0, jnp.ones(3))
    assert total == 6
    with pytest.raises(RuntimeError, match="Parameter `p` was assigned"):
        jax.lax.scan(lambda c, x: (variable.set_value(x), c)[::-1], 0.0, jnp.ones(3))


def test_a_variable_made_inside_a_transformation_can_change_there():
    def body(x):
        local = StateVariable(x)
        local.value = local.value + 1
        return local.value

    np.testing.assert_array_equal(jax.vmap(body)(jnp.arange(3)), [1, 2, 3])


@pytest.mark.parametrize(
    "use",
    [
        lambda v: jnp.add(v, 1),
        lambda v: jax.jit(lambda tree: 0)({"model": v}),
        lambda v: jax.jit(lambda x: v)(1.0),
        lambda v: jax.eval_shape(lambda tree: 0, v),
        lambda v: jax.grad(lambda tree: 0.0)(v),
        lambda v: jax.vmap(lambda tree: 0)(v),
        lambda v: jax.checkpoint(lambda tree: 0)(v),
        lambda v: jax.lax.scan(lambda c, x: (c, x), v, jnp.ones(2)),
        lambda v: jax.lax.cond(True, lambda tree: 0, lambda tree: 1, v),
    ],
    ids=["add", "jit", "jit result", "eval_shape", "grad", "vmap", "checkpoint", "scan", "cond"],
)
def test_handing_a_variable_to_jax_says_what_to_do(use):
    with pytest.raises(
        ValueError,
        match=r"Parameter `p` is not an array. Use its `.value`; .* use the transform that threads "
        r"them \(`variable_jit`.* take them out first with `unbind_variables` or "
        "`freeze_variables`",
    ):
        use(Parameter(value=1.0, label="p"))
