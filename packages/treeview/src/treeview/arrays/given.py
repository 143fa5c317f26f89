"""Arrays that users give besides the one that is drawn: masks, limits, scores, weights."""

from typing import Any

import numpy as np

from treeview._names import class_of, type_name
from treeview._registry import default_registry
from treeview.arrays.protocol import ArrayAdapter, ArrayInfo, Window, positional_axes
from treeview.arrays.statistics import NumpyArray, number_kind
from treeview.arrays.summary import axes_text
from treeview.arrays.windows import balanced_window

_LONGEST = 60


def given_values(given: object, argument: str) -> tuple[ArrayInfo, NumpyArray]:
    """All values of an array of a registered type, or of what NumPy makes an array of.

    Args:
        given: The array, a number, or nested sequences.
        argument: Which argument of the user's it is.

    Returns:
        What is known of the array, and its values.

    Raises:
        ValueError: It is no array, or its values cannot be read.
    """
    default_registry.load_plugins()
    adapter = default_registry.adapter_for(class_of(given))
    if adapter is None:
        try:
            values = np.asarray(given)
        except (TypeError, ValueError, RuntimeError):
            raise ValueError(
                f"Expected `{argument}` to be an array, got {short_text(given)}, of which NumPy "
                "makes none; pass nested sequences of equal lengths."
            ) from None
        return ArrayInfo("", str(values.dtype), positional_axes(values.shape)), values
    info = adapter.describe(given)
    if info.problem:
        raise ValueError(
            f"Expected `{argument}` to be an array whose values can be read, got {info.type_name} "
            f"{axes_text(info)}, which is {info.problem}; pass a concrete array."
        )
    return info, fetched(adapter, given, balanced_window(info.shape, maximum_size=None))


def fetched(adapter: ArrayAdapter, array: object, window: Window) -> NumpyArray:
    """The values in a window, checked, for adapters are written by anybody.

    Args:
        adapter: Who speaks for the array.
        array: The array.
        window: The indices of each axis.

    Raises:
        TypeError: The adapter gives something else.
    """
    found: Any = adapter.fetch([(array, window)])
    values: Any = found[0] if hasattr(found, "__len__") and len(found) == 1 else None
    shape = tuple(len(indices) for indices in window)
    if not issubclass(type(values), np.ndarray) or values.shape != shape:
        raise TypeError(
            f"Expected the adapter of `{type_name(class_of(array))}` to fetch one array of NumPy of"
            f" shape {shape}, got {short_text(found)}."
        )
    return values


def given_numbers(given: object, argument: str) -> NumpyArray:
    """Numbers that a user gave, as float64; those that are masked are no numbers.

    Args:
        given: An array of real numbers or of truth values, a number, or nested sequences.
        argument: Which argument of the user's it is.

    Raises:
        ValueError: It is no array of such numbers, or its values cannot be read.
    """
    values = np.asarray("") if given is None else given_values(given, argument)[1]
    if number_kind(values.dtype) in ("bool", "integer", "real") or values.dtype.kind == "O":
        try:
            with np.errstate(all="ignore"):
                return np.ma.filled(values.astype(np.float64), np.nan)
        except (TypeError, ValueError, OverflowError):
            pass
    raise ValueError(f"Expected `{argument}` to hold real numbers, got {short_text(given)}.")


def short_text(value: object) -> str:
    """What a message says of an argument."""
    try:
        text = repr(value)
    except Exception:
        return f"a `{type_name(class_of(value))}`"
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def given_number(given: object, argument: str) -> float:
    """One number that a user gave.

    Args:
        given: A real number, or an array without axes that holds one.
        argument: Which argument of the user's it is.

    Raises:
        ValueError: It is something else.
    """
    numbers = given_numbers(given, argument)
    if numbers.ndim:
        raise ValueError(
            f"Expected `{argument}` to be one number, got an array of shape {numbers.shape}; index "
            "it first."
        )
    return numbers.item()
