"""Modules of Equinox."""

import equinox as eqx
import jax
import jax.numpy as jnp
import pytest
import treeview


class Layer(eqx.Module):
    weight: jax.Array
    size: int = eqx.field(static=True)
    act: object = jax.nn.relu

    def __call__(self, x):
        return self.act(self.weight @ x)


@pytest.fixture
def layer():
    return Layer(jnp.ones((2, 3)), 3)


def test_importing_treeview_imports_no_equinox(imported_by_treeview):
    assert imported_by_treeview("equinox", "treeview.adapters.equinox") == []


def test_a_module_shows_its_fields(shown, layer):
    assert shown(layer) == ("Layer(weight=jax.Array float32[2, 3] all 1, size=3, act=jax.nn.relu)")


def test_static_fields_are_set_apart_and_callable_modules_have_a_color(layer):
    document = treeview.render(layer).document
    assert [label.spans[0][1] for label in document.labels] == ["field", "static", "field"]
    assert document.color.startswith("oklch(")


def test_what_a_filter_leaves_out_is_none(shown, layer):
    assert shown(eqx.filter(layer, eqx.is_array)) == (
        "Layer(weight=jax.Array float32[2, 3] all 1, size=3, act=None)"
    )


def test_arrays_count_as_parameters(lines, layer):
    assert lines([layer, layer.weight], totals=True)[0] == "[  # 6 parameters, 24 B"


def test_stateful_layers_show_their_state(shown):
    norm, state = eqx.nn.make_with_state(eqx.nn.BatchNorm)(2, "batch", mode="ema")
    assert "axis_name='batch'" in shown(norm)
    assert "jax.Array float32[2] [0, 0]" in shown(state)


def test_a_module_that_was_never_finished_says_what_is_missing(survives):
    unfinished = object.__new__(Layer)
    assert survives(unfinished) == (
        "Layer(weight=<is missing>, size=<is missing>, act=jax.nn.relu)"
    )


def test_transformed_functions_are_named(shown):
    assert shown(eqx.filter_jit(jax.nn.relu), 100).startswith("_JitWrapper(fn='relu',")
