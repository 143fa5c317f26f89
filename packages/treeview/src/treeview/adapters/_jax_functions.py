"""Functions that JAX has transformed: compiled ones, and those with derivatives of their own."""

# pyright: standard
# JAX leaves many of its types unknown, which strict checking takes for errors.

import sys
from typing import Any

import jax
import jax.numpy as jnp

from treeview._document import Text
from treeview._names import type_name
from treeview._view import View

_PUBLIC = ("jax.numpy", "jax.nn", "jax.lax", "jax.random", "jax.scipy.special", "jax")
"""Modules under whose names functions of JAX are known."""

TRANSFORMED = (type(jax.jit(lambda: None)), jax.custom_jvp, jax.custom_vjp, jnp.ufunc)
"""Types of functions that JAX makes."""


def show_function(function: Any, view: View) -> Text:
    """A transformed function by the name under which it can be found.

    Args:
        function: A compiled function, or one with derivatives of its own.
        view: The builder.
    """
    name = str(getattr(function, "__name__", ""))
    module = str(getattr(function, "__module__", ""))
    for public in (*_PUBLIC, module):
        if name and getattr(sys.modules.get(public), name, None) is function:
            return view.text((f"{public}.{name}", "type"))
    return view.text((f"<{type_name(type(function))} {name}>".replace(" >", ">"), "type"))
