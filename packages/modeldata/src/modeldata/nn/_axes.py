"""Names to axis numbers: what layers need to call JAX directly on the data of named arrays."""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Any

import jax.numpy as jnp

from modeldata.named import NamedArray

Names = tuple[Hashable, ...]


def as_names(names: Any) -> Names:
    """Returns a tuple of names from a tuple, a list, or one name."""
    return tuple(names) if isinstance(names, tuple | list) else (names,)


def require_named(layer: str, array: Any, names: Iterable[Hashable] = ()) -> NamedArray:
    """Checks that an input is a named array without positional axes and with certain names.

    Args:
        layer: What the message calls the layer.
        array: The input.
        names: Names that it must have.

    Raises:
        TypeError: If it is not a named array.
        ValueError: If it has positional axes, or a name is missing.
    """
    if not isinstance(array, NamedArray):
        raise TypeError(
            f"{layer} needs a `NamedArray`, but got a `{type(array).__name__}`. Name its axes with "
            "`nx.wrap(array, ...)`."
        )
    if array.positional_shape:
        raise ValueError(
            f"{layer} needs an input whose axes all have names, but this one has positional axes "
            f"of shape {array.positional_shape} and named axes {array.named_shape}. Name them with "
            "`.tag(...)`."
        )
    missing = [name for name in names if name not in array.dims]
    if missing:
        raise ValueError(
            f"{layer} needs an input with the axes {list_names(names)}, but "
            f"{list_names(missing)} is missing from {array.named_shape}."
        )
    return array


def require_sizes(layer: str, array: NamedArray, sizes: Mapping[Hashable, int]) -> None:
    """Checks that an input has axes of given sizes.

    Args:
        layer: What the message calls the layer.
        array: The input.
        sizes: The size of each axis by name.

    Raises:
        ValueError: If an axis is missing or has another size.
    """
    shape = array.named_shape
    wrong = [name for name, size in sizes.items() if shape.get(name) != size]
    if wrong:
        raise ValueError(
            f"{layer} needs an input with the axes {dict(sizes)}, but got {shape}, which differs "
            f"in {list_names(wrong)}."
        )


def require_free(layer: str, array: NamedArray, names: Iterable[Hashable]) -> None:
    """Checks that an input does not have the axes that a layer makes.

    Args:
        layer: What the message calls the layer.
        array: The input.
        names: The axes that the layer makes.

    Raises:
        ValueError: If it has one.
    """
    made = tuple(names)
    taken = [name for name in made if name in array.dims]
    if taken:
        raise ValueError(
            f"{layer} makes the axes {list_names(made)}, but its input has {list_names(taken)} "
            f"already: {array.named_shape}. Rename that axis first (`RenameAxes`)."
        )


def list_names(names: Iterable[Hashable]) -> str:
    """Returns names as text for a message."""
    return ", ".join(f"`{name}`" for name in names) or "none"


def axis_numbers(array: NamedArray, names: Iterable[Hashable]) -> tuple[int, ...]:
    """Returns the axes of `array.data_array` that hold these names, counted from the front."""
    lead = jnp.ndim(array.data_array) - len(array.dims)
    return tuple(lead + array.dims.index(name) for name in names)


def rename(array: NamedArray, changes: Mapping[Any, Any]) -> NamedArray:
    """Returns the same data with some axes renamed, all at once."""
    dims = tuple(changes.get(dim, dim) for dim in array.dims)
    return NamedArray(data_array=array.data_array, dims=dims)


def data_like(array: NamedArray, dims: Sequence[Hashable]) -> Any:
    """Returns the data of an array with its axes in a given order, size one for those it lacks.

    Args:
        array: An array without positional axes; its names are among `dims`.
        dims: Names, in the order that is wanted.
    """
    present = [dim for dim in dims if dim in array.dims]
    order = [array.dims.index(dim) for dim in present]
    data = array.data_array
    if order != sorted(order):
        data = jnp.transpose(data, order)
    if len(present) == len(dims):
        return data
    return jnp.expand_dims(data, tuple(i for i, dim in enumerate(dims) if dim not in array.dims))
