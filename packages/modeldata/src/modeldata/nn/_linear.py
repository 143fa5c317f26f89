"""Linear maps over named axes, biases, and both together."""

from collections.abc import Hashable, Iterable, Mapping
from typing import Any

import jax
import jax.numpy as jnp

from modeldata._struct import pytree_dataclass, static_field
from modeldata.named import NamedArray
from modeldata.named._contraction import contract_unchecked
from modeldata.nn._arguments import require_axes
from modeldata.nn._axes import list_names, require_free, require_named, require_sizes
from modeldata.nn._basic import RenameAxes
from modeldata.nn._grouping import Sequential
from modeldata.nn._initializers import (
    Axes,
    LinearOperatorWeightInitializer,
    xavier_uniform_initializer,
    zero_initializer,
)
from modeldata.nn._layer import Layer
from modeldata.nn._parameters import ParameterLike, make_parameter


@pytree_dataclass
class Linear(Layer):
    """A linear map that sums over some axes of its input and adds others.

    Axes of the weights that are in neither list are parallel: the input has them too, and each
    index has a map of its own. All other axes of the input pass through.

    The map is one `jax.lax.dot_general` on the weights as they lie in memory. It is fastest where
    the axes that it sums over are the last ones.

    Attributes:
        weights: A parameter with a `NamedArray`.
        in_axis_names: The axes to sum over.
        out_axis_names: The axes that the output gets.
    """

    weights: ParameterLike
    in_axis_names: tuple[Hashable, ...] = static_field()
    out_axis_names: tuple[Hashable, ...] = static_field()

    def __call__(self, argument: NamedArray, /, **side_inputs: Any) -> NamedArray:
        """Returns the input with its `in_axis_names` replaced by `out_axis_names`.

        Raises:
            TypeError: If the input is not a named array of floating numbers.
            ValueError: If an axis is missing, has another size than in the weights, or is there
                already.
        """
        del side_inputs
        weights: NamedArray = self.weights.value
        layer = self._described()
        require_named(layer, argument)
        sizes = {k: v for k, v in weights.named_shape.items() if k not in self.out_axis_names}
        require_sizes(layer, argument, sizes)
        require_free(layer, argument, self.out_axis_names)
        _require_numbers(layer, argument)
        return contract_unchecked(self.in_axis_names, argument, weights)

    @classmethod
    def from_config(
        cls,
        name: str,
        init_base_rng: jax.Array | None,
        input_axes: Axes,
        output_axes: Axes,
        *,
        parallel_axes: Axes | None = None,
        parallel_broadcast_axes: Axes | None = None,
        initializer: LinearOperatorWeightInitializer = xavier_uniform_initializer,
        dtype: Any = jnp.float32,
        rename_outputs_if_necessary: bool = True,
    ) -> "Linear | LinearInPlace":
        """Makes a linear map with new weights.

        Args:
            name: A path for the parameter, whose label is `name` with `.weights`.
            init_base_rng: The random key of the whole model; None for a slot without weights.
            input_axes: Sizes of the axes to sum over.
            output_axes: Sizes of the axes that the output gets.
            parallel_axes: Sizes of the axes that have a map for each index.
            parallel_broadcast_axes: Sizes of axes that the output gets, with an independent map
                for each index, as if the input were repeated along them.
            initializer: Makes the weights.
            dtype: The dtype of the weights.
            rename_outputs_if_necessary: Whether an output axis may have the name of an input axis.
                The result is then a `LinearInPlace`, which renames it at the end.

        Raises:
            TypeError: If axes are not given as sizes by name.
            ValueError: If an axis is in two groups that may not share it.
        """
        require_axes(
            "Linear",
            input_axes=input_axes,
            output_axes=output_axes,
            parallel_axes=parallel_axes,
            parallel_broadcast_axes=parallel_broadcast_axes,
        )
        parallel, broadcast = dict(parallel_axes or {}), dict(parallel_broadcast_axes or {})
        check_groups(input_axes, output_axes, parallel, broadcast)
        primed = primed_names(
            name,
            [*input_axes, *parallel, *broadcast],
            output_axes,
            allowed=rename_outputs_if_necessary,
        )
        outputs = {primed.get(axis, axis): size for axis, size in output_axes.items()}
        weights = make_parameter(
            f"{name}.weights",
            init_base_rng,
            initializer,
            input_axes=dict(input_axes),
            output_axes=outputs,
            parallel_axes={**parallel, **broadcast},
            convolution_spatial_axes={},
            dtype=dtype,
        )
        linear = cls(weights, tuple(input_axes), (*broadcast, *outputs))
        return LinearInPlace([linear, renamed_back(primed)]) if primed else linear

    @property
    def input_axes(self) -> dict[Hashable, int]:
        """Sizes of the axes to sum over."""
        return {name: self.weights.value.named_shape[name] for name in self.in_axis_names}

    @property
    def output_axes(self) -> dict[Hashable, int]:
        """Sizes of the axes that the output gets."""
        return {name: self.weights.value.named_shape[name] for name in self.out_axis_names}

    @property
    def parallel_axes(self) -> dict[Hashable, int]:
        """Sizes of the axes that have a map for each index."""
        used = (*self.in_axis_names, *self.out_axis_names)
        shape = self.weights.value.named_shape
        return {name: size for name, size in shape.items() if name not in used}

    def _described(self) -> str:
        label = getattr(self.weights, "label", None)
        return f"`Linear` ({str(label).removesuffix('.weights')})" if label else "`Linear`"


@pytree_dataclass(has_implicitly_inherited_fields=True)
class LinearInPlace(Sequential):
    """A linear map whose output axes have names of input axes, and the renaming that it takes."""


@pytree_dataclass
class AddBias(Layer):
    """Adds a bias.

    Attributes:
        bias: A parameter with a `NamedArray`.
        new_axis_names: Axes of the bias that the input does not have and the output gets.
    """

    bias: ParameterLike
    new_axis_names: tuple[Hashable, ...] = static_field(default=())

    def __call__(self, argument: NamedArray, /, **side_inputs: Any) -> NamedArray:
        """Returns the input plus the bias.

        Raises:
            TypeError: If the input is not a named array.
            ValueError: If it misses an axis of the bias, or has one of `new_axis_names`.
        """
        del side_inputs
        bias: NamedArray = self.bias.value
        require_named("`AddBias`", argument)
        sizes = {k: v for k, v in bias.named_shape.items() if k not in self.new_axis_names}
        require_sizes("`AddBias`", argument, sizes)
        taken = [name for name in self.new_axis_names if name in argument.dims]
        if taken:
            raise ValueError(
                f"`AddBias` adds the axes {list_names(self.new_axis_names)}, but its input has "
                f"{list_names(taken)} already: {argument.named_shape}."
            )
        return argument + bias

    @classmethod
    def from_config(
        cls,
        name: str,
        init_base_rng: jax.Array | None,
        biased_axes: Axes,
        *,
        new_output_axes: Axes | None = None,
        initializer: LinearOperatorWeightInitializer = zero_initializer,
        dtype: Any = jnp.float32,
    ) -> "AddBias":
        """Makes a bias.

        Args:
            name: A path for the parameter, whose label is `name` with `.bias`.
            init_base_rng: The random key of the whole model; None for a slot without values.
            biased_axes: Sizes of the axes of the input along which the bias varies.
            new_output_axes: Sizes of axes that the output gets.
            initializer: Makes the values; the axes are output axes to it.
            dtype: The dtype of the values.

        Raises:
            TypeError: If axes are not given as sizes by name.
            ValueError: If an axis is both biased and new.
        """
        require_axes("AddBias", biased_axes=biased_axes, new_output_axes=new_output_axes)
        new = dict(new_output_axes or {})
        both = [axis for axis in new if axis in biased_axes]
        if both:
            raise ValueError(
                f"Expected axes that are either biased or new, but {list_names(both)} is both."
            )
        bias = make_parameter(
            f"{name}.bias",
            init_base_rng,
            initializer,
            input_axes={},
            output_axes={**biased_axes, **new},
            parallel_axes={},
            convolution_spatial_axes={},
            dtype=dtype,
        )
        return cls(bias, tuple(new))


@pytree_dataclass(has_implicitly_inherited_fields=True)
class Affine(Sequential):
    """A linear map and a bias."""

    @classmethod
    def from_config(
        cls,
        name: str,
        init_base_rng: jax.Array | None,
        input_axes: Axes,
        output_axes: Axes,
        *,
        parallel_axes: Axes | None = None,
        parallel_broadcast_axes: Axes | None = None,
        linear_initializer: LinearOperatorWeightInitializer = xavier_uniform_initializer,
        bias_initializer: LinearOperatorWeightInitializer = zero_initializer,
        dtype: Any = jnp.float32,
        rename_outputs_if_necessary: bool = True,
    ) -> "Affine":
        """Makes an affine map with new parameters.

        Args:
            name: A path for the parameters, `name` with `/Linear.weights` and `/AddBias.bias`.
            init_base_rng: The random key of the whole model; None for slots.
            input_axes: Sizes of the axes to sum over.
            output_axes: Sizes of the axes that the output gets.
            parallel_axes: Sizes of the axes that have a map for each index.
            parallel_broadcast_axes: Sizes of axes that the output gets, as in `Linear`.
            linear_initializer: Makes the weights.
            bias_initializer: Makes the bias.
            dtype: The dtype of both.
            rename_outputs_if_necessary: Whether an output axis may have the name of an input axis.

        Raises:
            TypeError: If axes are not given as sizes by name.
            ValueError: If an axis is in two groups that may not share it.
        """
        linear = Linear.from_config(
            f"{name}/Linear",
            init_base_rng,
            input_axes,
            output_axes,
            parallel_axes=parallel_axes,
            parallel_broadcast_axes=parallel_broadcast_axes,
            initializer=linear_initializer,
            dtype=dtype,
            rename_outputs_if_necessary=rename_outputs_if_necessary,
        )
        biased = {**(parallel_axes or {}), **(parallel_broadcast_axes or {}), **output_axes}
        bias = AddBias.from_config(
            f"{name}/AddBias", init_base_rng, biased, initializer=bias_initializer, dtype=dtype
        )
        first = linear.sublayers if isinstance(linear, LinearInPlace) else [linear]
        return cls([*first, bias])


def _require_numbers(layer: str, array: NamedArray) -> None:
    if not jnp.issubdtype(array.dtype, jnp.inexact):
        raise TypeError(
            f"{layer} needs floating numbers, but got {array.dtype}. Convert them first "
            "(`CastToDType`), or look them up if they are token ids (`EmbeddingLookup`)."
        )


def check_groups(inputs: Axes, outputs: Axes, parallel: Axes, broadcast: Axes) -> None:
    """Refuses axes that are in two groups.

    Args:
        inputs: Axes to sum over.
        outputs: Axes that the output gets; they may have names of inputs.
        parallel: Axes that have a map for each index.
        broadcast: Axes along which the output has independent maps of one input.

    Raises:
        ValueError: If an axis is in two groups that may not share it.
    """
    pairs: Iterable[tuple[str, Axes, str, Axes]] = [
        ("parallel_axes", parallel, "input_axes", inputs),
        ("parallel_axes", parallel, "output_axes", outputs),
        ("parallel_broadcast_axes", broadcast, "input_axes", inputs),
        ("parallel_broadcast_axes", broadcast, "output_axes", outputs),
        ("parallel_broadcast_axes", broadcast, "parallel_axes", parallel),
    ]
    for name, axes, other_name, other in pairs:
        both = [axis for axis in axes if axis in other]
        if both:
            raise ValueError(
                f"Expected `{name}` and `{other_name}` to have no axis in common, but both have "
                f"{list_names(both)}."
            )


def primed_names(
    name: str, taken: list[Hashable], outputs: Axes, *, allowed: bool
) -> Mapping[Hashable, Hashable]:
    """Returns other names for the outputs that have the name of an input.

    Args:
        name: What the layer is called, for messages.
        taken: Names that outputs cannot have while the map runs.
        outputs: The axes that the output gets.
        allowed: Whether there may be such outputs.

    Raises:
        ValueError: If there are such outputs and there may be none, or if the other name is taken.
    """
    clashing = [axis for axis in outputs if axis in taken]
    primed = {axis: f"{axis}_out" for axis in clashing}
    if clashing and not allowed:
        raise ValueError(
            f"Expected output axes of `{name}` with names of their own, but {list_names(clashing)} "
            "is also an input axis. Rename it, or allow `rename_outputs_if_necessary`."
        )
    used = [new for new in primed.values() if new in taken or new in outputs]
    if used:
        raise ValueError(
            f"`{name}` needs {list_names(used)} as a temporary name for an output axis, but that "
            "is the name of another axis. Rename one of them."
        )
    return primed


def renamed_back(primed: Mapping[Hashable, Hashable]) -> RenameAxes:
    """Returns the layer that gives outputs their names.

    Args:
        primed: The other name of each, as `primed_names` returns it.
    """
    return RenameAxes(tuple(primed.values()), tuple(primed))
