"""Checks of what layers are made from, so that a slip is told where it happens."""

from collections.abc import Mapping
from typing import Any

import numpy as np


def require_layers(layer: Any, layers: Any, field: str) -> None:
    """Checks that a field holds a list of layers.

    Args:
        layer: The layer that has the field.
        layers: The value.
        field: The name of the field.

    Raises:
        TypeError: If it is something else.
    """
    if not isinstance(layers, list | tuple):
        raise TypeError(
            f"`{type(layer).__name__}` needs a list of layers in `{field}`, but got a "
            f"`{type(layers).__name__}`. Put it in brackets, `[...]`, also if it is only one."
        )


def require_axes(layer: str, **groups: Any) -> None:
    """Checks that arguments give axes with their sizes.

    Args:
        layer: The name of the layer, for the message.
        **groups: The arguments by name; None for one that may be left out.

    Raises:
        TypeError: If one is no mapping from names to integers.
        ValueError: If a size is negative.
    """
    for name, axes in groups.items():
        if axes is None:
            continue
        is_mapping = isinstance(axes, Mapping)
        if not is_mapping or not all(isinstance(n, int | np.integer) for n in axes.values()):
            raise TypeError(
                f"`{layer}` needs sizes by axis name in `{name}`, such as `{{'embedding': 64}}`, "
                f"but got {axes!r}."
            )
        if any(size < 0 for size in axes.values()):
            raise ValueError(f"`{layer}` needs sizes of at least 0 in `{name}`, but got {axes!r}.")
