"""Rotary position embeddings (Su et al., 2021)."""

import functools
from collections.abc import Hashable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from modeldata._struct import pytree_dataclass, static_field
from modeldata.named import NamedArray
from modeldata.nn._axes import data_like, list_names, require_named
from modeldata.nn._layer import Layer, require_side_input
from modeldata.nn._rope_scaling import RoPEScaling, plain_frequencies


@pytree_dataclass
class ApplyRoPE(Layer):
    """Rotates pairs of features by angles that grow with the position.

    Feature `i` of the first half and feature `i` of the second half, of `d` features in all, are
    rotated by `position / max_wavelength ** (2 * i / d) / scale_factor` radians. Angles are
    computed in float32.

    Attributes:
        embedding_axis: The axis of features.
        max_wavelength: The base of the geometric series of wavelengths.
        positions_input_name: The side input with the positions, whose axes the input has too.
        scale_factor: Divides all angles; at least one.
        scaling: How frequencies are changed for long texts, beside `scale_factor`.
        seq_axis: The axis that counts the tokens of a text, for a `scaling` that depends on how
            many there are. The length of a text is its greatest position plus one.
    """

    embedding_axis: str = static_field()
    max_wavelength: float = static_field()
    positions_input_name: str = static_field(default="token_positions")
    scale_factor: float = static_field(default=1.0)
    scaling: RoPEScaling | None = static_field(default=None)
    seq_axis: Hashable = static_field(default="seq")

    def __call__(self, argument: NamedArray, /, **side_inputs: Any) -> NamedArray:
        """Returns the rotated features, in the input's dtype.

        Raises:
            MissingSideInputError: If the positions are not there.
            TypeError: If the input or the positions are not named arrays.
            ValueError: If axes do not fit, the number of features is odd, or `scale_factor` is
                less than one.
        """
        return _apply(self, argument, side_inputs, None)


@pytree_dataclass
class ApplyRoPEToSubset(Layer):
    """Rotates the first features, as `ApplyRoPE` does, and passes the others on.

    Attributes:
        embedding_axis: The axis of features.
        max_wavelength: The base of the geometric series of wavelengths.
        rope_subset_size: How many features to rotate.
        positions_input_name: The side input with the positions, whose axes the input has too.
        scale_factor: Divides all angles; at least one.
        scaling: How frequencies are changed for long texts, beside `scale_factor`.
        seq_axis: The axis that counts the tokens of a text, for a `scaling` that depends on how
            many there are. The length of a text is its greatest position plus one.
    """

    embedding_axis: str = static_field()
    max_wavelength: float = static_field()
    rope_subset_size: int = static_field()
    positions_input_name: str = static_field(default="token_positions")
    scale_factor: float = static_field(default=1.0)
    scaling: RoPEScaling | None = static_field(default=None)
    seq_axis: Hashable = static_field(default="seq")

    def __call__(self, argument: NamedArray, /, **side_inputs: Any) -> NamedArray:
        """Returns the features with the first ones rotated, in the input's dtype.

        Raises:
            MissingSideInputError: If the positions are not there.
            TypeError: If the input or the positions are not named arrays.
            ValueError: If axes do not fit, the number of rotated features is odd or more than
                there are, or `scale_factor` is less than one.
        """
        return _apply(self, argument, side_inputs, self.rope_subset_size)


def _apply(
    layer: ApplyRoPE | ApplyRoPEToSubset,
    argument: NamedArray,
    side_inputs: dict[str, Any],
    subset_size: int | None,
) -> NamedArray:
    name = f"`{type(layer).__name__}`"
    positions = require_side_input(layer, side_inputs, layer.positions_input_name)
    require_named(name, argument, (layer.embedding_axis,))
    require_named(f"{name} (`{layer.positions_input_name}`)", positions)
    _check_positions(layer, argument, positions)
    axis = argument.dims.index(layer.embedding_axis)
    size = argument.data_array.shape[axis] if subset_size is None else subset_size
    if size % 2 or size > argument.data_array.shape[axis]:
        raise ValueError(
            f"{name} rotates pairs of features, so it needs an even number of them, at most the "
            f"{argument.data_array.shape[axis]} of axis `{layer.embedding_axis}`, but got {size}."
        )
    if layer.scale_factor < 1:
        raise ValueError(
            f"{name} needs a `scale_factor` of at least 1, but got {layer.scale_factor}."
        )
    lengths = None
    if layer.scaling is not None and layer.scaling.depends_on_length:
        require_named(f"{name} (`{layer.positions_input_name}`)", positions, (layer.seq_axis,))
        kept = tuple(dim for dim in positions.dims if dim != layer.seq_axis)
        greatest = jnp.max(positions.data_array, axis=positions.dims.index(layer.seq_axis))
        lengths = data_like(NamedArray(data_array=greatest + 1, dims=kept), argument.dims)
    data = _rotate(
        argument.data_array,
        data_like(positions, argument.dims),
        lengths,
        axis=axis,
        size=size,
        wavelength=float(layer.max_wavelength),
        scale=float(layer.scale_factor),
        scaling=layer.scaling,
    )
    return NamedArray(data_array=data, dims=argument.dims)


def _check_positions(
    layer: ApplyRoPE | ApplyRoPEToSubset, argument: NamedArray, positions: NamedArray
) -> None:
    shape = argument.named_shape
    wrong = [
        axis
        for axis, size in positions.named_shape.items()
        if shape.get(axis) != size or axis == layer.embedding_axis
    ]
    if wrong:
        raise ValueError(
            f"`{type(layer).__name__}` needs `{layer.positions_input_name}` with axes of its input "
            f"other than `{layer.embedding_axis}`, but {list_names(wrong)} does not fit: the "
            f"positions have {positions.named_shape}, the input has {shape}."
        )


# Compiled on its own, so that it is traced once for all layers of a model that rotate arrays of the
# same shape; XLA then finds that all of them need the same sines and cosines.
@functools.partial(jax.jit, static_argnames=("axis", "size", "wavelength", "scale", "scaling"))
def _rotate(
    data: jax.Array,
    positions: jax.Array,
    lengths: jax.Array | None,
    *,
    axis: int,
    size: int,
    wavelength: float,
    scale: float,
    scaling: RoPEScaling | None,
) -> jax.Array:
    half = size // 2
    if scaling is None:
        frequencies = plain_frequencies(size, wavelength)
    elif lengths is None:
        frequencies = scaling.frequencies(size, wavelength)
    else:
        frequencies = scaling.frequencies(size, wavelength, jnp.moveaxis(lengths, axis, -1))
    # The pairs are the last axis of the frequencies, which may have no others.
    outer = (1,) * (data.ndim - jnp.ndim(frequencies))
    shaped = jnp.reshape(frequencies, (*outer, *jnp.shape(frequencies))) / np.float32(scale)
    angles = positions.astype(jnp.float32) * jnp.moveaxis(shaped, -1, axis)
    amplitude = np.float32(1 if scaling is None else scaling.amplitude)
    sine, cosine = jnp.sin(angles) * amplitude, jnp.cos(angles) * amplitude
    first, second, rest = jnp.split(data, (half, size), axis)
    a, b = (part.astype(jnp.promote_types(data.dtype, jnp.float32)) for part in (first, second))
    rotated = (a * cosine - b * sine, b * cosine + a * sine)
    return jnp.concatenate([*(part.astype(data.dtype) for part in rotated), rest], axis)
