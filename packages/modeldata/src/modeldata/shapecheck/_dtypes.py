"""Types of elements in patterns: one type, or an abstract type for several."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from modeldata import _repr

_ABSTRACT_DTYPES = frozenset(
    {
        np.generic,
        np.number,
        np.integer,
        np.signedinteger,
        np.unsignedinteger,
        np.inexact,
        np.floating,
        np.complexfloating,
        np.flexible,
        np.character,
    }
)


def same_dtype(expected: Any, actual: Any) -> bool:
    """Returns whether a dtype is the expected one, or below that if it is abstract.

    Args:
        expected: The `dtype` of a pattern.
        actual: The `dtype` of an array or of another `ArraySpec`.
    """
    if is_abstract(expected):
        return jnp.issubdtype(actual, expected)
    return not is_abstract(actual) and _canonical(expected) == _canonical(actual)


def dtype_text(dtype: Any) -> str:
    """Returns the name of a dtype."""
    return dtype.__name__ if is_abstract(dtype) else str(dtype)


def is_abstract(dtype: Any) -> bool:
    """Returns whether a type stands for several types of elements."""
    if not isinstance(dtype, type):
        return False
    return dtype in _ABSTRACT_DTYPES or issubclass(dtype, jax.dtypes.extended)


def as_dtype(dtype: Any) -> Any:
    """Returns the one form of a dtype, so that equal specifications are equal objects.

    Args:
        dtype: Anything that NumPy takes for a dtype, a dtype of JAX, or an abstract type.

    Raises:
        TypeError: If it is none of these.
    """
    if is_abstract(dtype):
        return dtype
    if dtype is None:  # for which NumPy would choose a type
        raise _no_dtype(dtype)
    try:
        is_extended = jnp.issubdtype(dtype, jax.dtypes.extended)
        result = dtype if is_extended else np.dtype(dtype)
    except TypeError:
        raise _no_dtype(dtype) from None
    if isinstance(dtype, type) and result.hasobject and dtype not in {object, np.object_}:
        raise _no_dtype(dtype)  # NumPy takes any class for one of objects
    return result


def _canonical(dtype: Any) -> Any:
    return jax.dtypes.canonicalize_dtype(dtype, allow_extended_dtype=True)


def _no_dtype(dtype: Any) -> TypeError:
    return TypeError(
        f"Expected a dtype, got {_repr.brief(dtype)}. Use a type such as `jnp.float32`, or an "
        "abstract one such as `np.floating`."
    )
