"""Adapters for types that wrap an array of another type.

A wrapper knows how the axes are called; the adapter of the wrapped array knows everything else. The
batch looks through wrappers, so that wrapped and bare arrays are read together.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from treeview._names import type_name
from treeview._registry import default_registry
from treeview.arrays.protocol import ArrayAdapter, ArrayInfo, Axis, Statistics, Window


class DelegatingAdapter:
    """Speaks for a wrapper by asking the adapter of the array in it."""

    def __init__(
        self,
        unwrap: Callable[[Any], Any],
        axes: Callable[[Any], Sequence[Axis]] | None = None,
        type_name: str | None = None,
    ) -> None:
        self._unwrap = unwrap
        self._axes = axes
        self._type_name = type_name

    def inner(self, array: Any) -> tuple[ArrayAdapter, Any]:
        """The adapter of the wrapped array, and that array.

        Raises:
            TypeError: What is wrapped is not an array of a registered type.
        """
        wrapped: object = self._unwrap(array)
        adapter = default_registry.adapter_for(type(wrapped))
        if adapter is None:
            raise TypeError(
                f"Expected `{_type_name(array)}` to hold an array of a registered type, got "
                f"`{_type_name(wrapped)}`; register its adapter with "
                "`treeview.register_array`."
            )
        return adapter, wrapped

    def describe(self, array: Any) -> ArrayInfo:
        """What the inner adapter says, with the wrapper's axes and name.

        Raises:
            TypeError: What is wrapped is not an array of a registered type.
            ValueError: The axes do not fit the wrapped array.
        """
        adapter, wrapped = self.inner(array)
        info = adapter.describe(wrapped)
        if self._axes is not None:
            axes = tuple(self._axes(array))
            sizes = tuple(axis.size for axis in axes)
            if sizes != info.shape:
                raise ValueError(
                    f"Expected axes of `{_type_name(array)}` with the sizes {info.shape} of "
                    f"the wrapped array, got {sizes}; give one `Axis` for each axis of the data, "
                    "in the same order."
                )
            info = replace(info, axes=axes)
        if self._type_name is not None:
            info = replace(info, type_name=self._type_name)
        return info

    def statistics(self, arrays: Sequence[Any]) -> Sequence[Statistics | None]:
        """Statistics from the inner adapters, each asked once."""
        results: list[Statistics | None] = [None] * len(arrays)
        for adapter, positions, inner in by_adapter((self, array) for array in arrays):
            for position, found in zip(positions, adapter.statistics(inner), strict=True):
                results[position] = found
        return results

    def fetch(self, requests: Sequence[tuple[Any, Window]]) -> Sequence[np.ndarray[Any, Any]]:
        """Values from the inner adapters, each asked once."""
        results: list[np.ndarray[Any, Any]] = [np.empty(0)] * len(requests)
        for adapter, positions, inner in by_adapter((self, array) for array, _ in requests):
            windows = [requests[position][1] for position in positions]
            found = adapter.fetch(list(zip(inner, windows, strict=True)))
            for position, values in zip(positions, found, strict=True):
                results[position] = values
        return results


def _type_name(obj: object) -> str:
    return type_name(type(obj))


def delegating_adapter(
    unwrap: Callable[[Any], Any],
    *,
    axes: Callable[[Any], Sequence[Axis]] | None = None,
    type_name: str | None = None,
) -> ArrayAdapter:
    """An adapter for a type that wraps an array of another type.

    Args:
        unwrap: Gives the wrapped array.
        axes: Gives the axes of the wrapper in the order of the wrapped data; None to leave them
            as they are.
        type_name: What a summary calls the wrapper; empty for nothing, None for the name of the
            wrapped type.

    Returns:
        An adapter to give to `treeview.register_array`.

    Example:
        >>> adapter = delegating_adapter(lambda image: image.pixels, type_name="Image")
        >>> treeview.register_array(Image, adapter)  # doctest: +SKIP
    """
    return DelegatingAdapter(unwrap, axes, type_name)


def by_adapter(
    pairs: Iterable[tuple[ArrayAdapter, Any]],
) -> list[tuple[ArrayAdapter, list[int], list[Any]]]:
    """Arrays grouped by who speaks for them, seen through wrappers.

    Returns:
        Adapters, each with the positions in `pairs` of its arrays, and the unwrapped arrays.
    """
    groups: dict[int, tuple[ArrayAdapter, list[int], list[Any]]] = {}
    for position, (outer, wrapped) in enumerate(pairs):
        adapter, array = outer, wrapped
        while isinstance(adapter, DelegatingAdapter):
            adapter, array = adapter.inner(array)
        _, positions, arrays = groups.setdefault(id(adapter), (adapter, [], []))
        positions.append(position)
        arrays.append(array)
    return list(groups.values())
