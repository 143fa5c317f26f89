"""Sums of products over several named arrays, with renaming."""

from collections.abc import Hashable, Mapping
from typing import Any, Self

import jax.numpy as jnp

from modeldata._frozen_dict import FrozenDict
from modeldata._struct import pytree_dataclass, static_field
from modeldata.named import NamedArray
from modeldata.named._contraction import contract_unchecked
from modeldata.nn._axes import list_names, require_named
from modeldata.nn._layer import Layer

_Spec = Mapping[Hashable, Hashable] | tuple[Hashable, ...]


@pytree_dataclass
class NamedEinsum(Layer):
    """Multiplies arrays and sums over the indices that the output does not have.

    Each input is described by its axes and an index for each of them. Axes with the same index are
    matched, also within one input (its diagonal). Axes that are not described pass through; if
    several inputs have one, it is matched.

    Attributes:
        input_axes: For each input a mapping from axis names to indices, or a tuple of names that
            are their own indices.
        output_axes: The same for the output.
    """

    input_axes: tuple[_Spec, ...] = static_field()
    output_axes: _Spec = static_field()

    def __post_init__(self) -> None:
        if not isinstance(self.input_axes, tuple | list):
            raise TypeError(
                "Expected a tuple of mappings or tuples in `input_axes` of `NamedEinsum`, but got "
                f"a `{type(self.input_axes).__name__}`."
            )
        object.__setattr__(self, "input_axes", tuple(map(_frozen, self.input_axes)))
        object.__setattr__(self, "output_axes", _frozen(self.output_axes))
        outputs = list(_mapping(self.output_axes).values())
        if len(set(outputs)) < len(outputs):
            raise ValueError(
                "Expected an index of its own for each output axis of `NamedEinsum`, but got "
                f"{self.output_axes!r}."
            )
        known = {index for spec in self.input_axes for index in _mapping(spec).values()}
        unknown = [index for index in outputs if index not in known]
        if unknown:
            raise ValueError(
                f"`NamedEinsum` has the output index {list_names(unknown)}, which no input has. "
                f"The inputs have {list_names(sorted(known, key=repr))}."
            )

    def __call__(self, argument: tuple[NamedArray, ...], /, **side_inputs: Any) -> NamedArray:
        """Returns the sum of products.

        Args:
            argument: As many arrays as `input_axes` describes.
            **side_inputs: Not used.

        Raises:
            TypeError: If an input is not a named array of floating numbers.
            ValueError: If there is another number of inputs, an axis is missing, sizes differ, or
                an axis that passes through has the name of one of the output.
        """
        del side_inputs
        arrays = self._checked(argument)
        outputs: dict[Hashable, Hashable] = {
            _Index(index): name for name, index in _mapping(self.output_axes).items()
        }
        indexed = [
            _with_indices(array, spec) for array, spec in zip(arrays, self.input_axes, strict=True)
        ]
        kept = [d for a in indexed for d in a.dims if not isinstance(d, _Index) or d in outputs]
        dims = tuple(dict.fromkeys(kept))
        result = _product(indexed, dims)
        return NamedArray(
            data_array=result.data_array, dims=tuple(outputs.get(d, d) for d in result.dims)
        )

    def _checked(self, argument: Any) -> tuple[NamedArray, ...]:
        if not isinstance(argument, tuple | list) or len(argument) != len(self.input_axes):
            got = len(argument) if isinstance(argument, tuple | list) else type(argument).__name__
            raise ValueError(
                f"`NamedEinsum` needs a tuple of {len(self.input_axes)} arrays, but got {got}."
            )
        sizes: dict[Hashable, int] = {}
        outputs = _mapping(self.output_axes)
        for number, (array, spec) in enumerate(zip(argument, self.input_axes, strict=True)):
            layer, mapping = f"`NamedEinsum` (input {number})", _mapping(spec)
            require_named(layer, array, mapping)
            if not jnp.issubdtype(array.dtype, jnp.inexact):
                raise TypeError(f"{layer} needs floating numbers, but got {array.dtype}.")
            for name, size in array.named_shape.items():
                key = _Index(mapping[name]) if name in mapping else name
                if name not in mapping and name in outputs:
                    raise ValueError(
                        f"{layer} has the axis `{name}`, which passes through, but the output has "
                        "another axis of that name. Describe it in `input_axes`, or rename it."
                    )
                if sizes.setdefault(key, size) != size:
                    raise ValueError(
                        f"Expected equal sizes of matching axes, but axis `{name}` of {layer} has "
                        f"size {size} where an earlier one has {sizes[key]}; the inputs have "
                        f"{[each.named_shape for each in argument]}."
                    )
        return tuple(argument)


class _Index(tuple[Any]):
    """An index of the sum, told apart from the names of axes that pass through."""

    __slots__ = ()

    def __new__(cls, index: Hashable) -> Self:
        return super().__new__(cls, (index,))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Index) and tuple.__eq__(self, other)

    def __hash__(self) -> int:
        return tuple.__hash__(self)


def _frozen(spec: Any) -> _Spec:
    return FrozenDict(spec) if isinstance(spec, Mapping) else tuple(spec)


def _mapping(spec: _Spec) -> Mapping[Hashable, Hashable]:
    return spec if isinstance(spec, Mapping) else {name: name for name in spec}


def _with_indices(array: NamedArray, spec: _Spec) -> NamedArray:
    mapping = _mapping(spec)
    dims = tuple(_Index(mapping[dim]) if dim in mapping else dim for dim in array.dims)
    return NamedArray(data_array=array.data_array, dims=dims)


def _product(arrays: list[NamedArray], dims: tuple[Hashable, ...]) -> NamedArray:
    """Multiplies the arrays and sums over all that is not in `dims`."""
    everything = [dim for array in arrays for dim in array.dims]
    summed = {dim for dim in everything if dim not in dims}
    has_diagonals = any(len(set(array.dims)) < len(array.dims) for array in arrays)
    if len(arrays) == 2 and not has_diagonals and all(everything.count(dim) == 2 for dim in summed):
        left, right = arrays
        return contract_unchecked(summed, left, right)
    numbers = {dim: number for number, dim in enumerate(dict.fromkeys(everything))}
    operands = [x for a in arrays for x in (a.data_array, [numbers[dim] for dim in a.dims])]
    data = jnp.einsum(*operands, [numbers[dim] for dim in dims])
    return NamedArray(data_array=data, dims=dims)
