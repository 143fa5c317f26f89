"""Functions that JAX has transformed."""

import pytest

from treeview import render_text

jax = pytest.importorskip("jax")


@pytest.mark.parametrize("name", ["jax.nn.relu", "jax.nn.silu", "jax.numpy.add"])
def test_well_known_functions_show_a_name_that_evaluates_to_them(name):
    function = eval(name, {"jax": jax})
    assert render_text(function, roundtrip=True) == name


def test_functions_that_cannot_be_found_by_name_say_what_they_are():
    def double(x):
        return 2 * x

    assert render_text(jax.jit(double)) == "<PjitFunction double>"
    assert render_text(jax.custom_jvp(double)) == "<custom_jvp double>"
