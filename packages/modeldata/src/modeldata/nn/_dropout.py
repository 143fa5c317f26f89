"""Dropout (Srivastava et al., 2014): one class that drops, one that does not."""

from collections.abc import Hashable
from typing import Any

import jax
import jax.numpy as jnp

from modeldata import _repr
from modeldata._struct import pytree_dataclass, static_field
from modeldata.named import NamedArray
from modeldata.nn._axes import as_names, require_named
from modeldata.nn._layer import Layer, require_side_input


@pytree_dataclass
class StochasticDropout(Layer):
    """Sets random elements to zero, and scales the others so that the mean stays.

    Attributes:
        drop_rate: The probability of zero, from 0 to 1.
        share_across_axes: Axes along which all elements are dropped together.
        random_stream_input_name: The side input with a `RandomStream`.
    """

    drop_rate: float
    share_across_axes: tuple[Hashable, ...] | Hashable = static_field(default=())
    random_stream_input_name: str = static_field(default="random_stream")

    def __post_init__(self) -> None:
        if isinstance(self.drop_rate, int | float):
            _require_rate(self.drop_rate)

    def __call__(self, argument: NamedArray, /, **side_inputs: Any) -> NamedArray:
        """Returns the input with some elements zero, others divided by `1 - drop_rate`.

        Raises:
            MissingSideInputError: If the random stream is not there.
            TypeError: If the input is not a named array of floating numbers, or the random
                stream is something else.
            ValueError: If it misses one of `share_across_axes`.
        """
        shared = as_names(self.share_across_axes)
        require_named("`StochasticDropout`", argument, shared)
        if not jnp.issubdtype(argument.dtype, jnp.inexact):
            raise TypeError(
                f"`StochasticDropout` needs floating numbers, but got {argument.dtype}. Convert "
                "them first (`CastToDType`)."
            )
        stream = require_side_input(self, side_inputs, self.random_stream_input_name)
        if not hasattr(stream, "next_key"):
            raise TypeError(
                f"`StochasticDropout` needs a `RandomStream` in `{self.random_stream_input_name}`, "
                f"but got {_repr.brief(stream)}. Make one of a key with "
                "`RandomStream.from_base_key(key)`."
            )
        shape = tuple(1 if name in shared else size for name, size in argument.named_shape.items())
        drop = jax.random.bernoulli(stream.next_key(), self.drop_rate, shape)
        # At a rate of one everything is dropped, so the divisor does not matter.
        keep_rate = jnp.maximum(1 - jnp.asarray(self.drop_rate, argument.dtype), 1e-6)
        data = jnp.where(drop, 0, argument.data_array / keep_rate.astype(argument.dtype))
        return NamedArray(data_array=data, dims=argument.dims)

    def disable(self) -> "DisabledDropout":
        """Returns a layer that drops nothing; `enable` undoes this."""
        return DisabledDropout(**self.attributes_dict())


@pytree_dataclass
class DisabledDropout(Layer):
    """Returns its input, and remembers how `StochasticDropout` was set.

    Attributes:
        drop_rate: The probability of zero when enabled.
        share_across_axes: Axes along which all elements are dropped together when enabled.
        random_stream_input_name: The side input with a `RandomStream` when enabled.
    """

    drop_rate: float
    share_across_axes: tuple[Hashable, ...] | Hashable = static_field(default=())
    random_stream_input_name: str = static_field(default="random_stream")

    def __call__(self, argument: Any, /, **side_inputs: Any) -> Any:
        """Returns the input."""
        del side_inputs
        return argument

    def enable(self) -> StochasticDropout:
        """Returns a layer that drops with the same settings."""
        return StochasticDropout(**self.attributes_dict())


def maybe_dropout(
    drop_rate: float | None,
    share_across_axes: tuple[Hashable, ...] | Hashable = (),
    random_stream_input_name: str = "random_stream",
) -> StochasticDropout | DisabledDropout:
    """Returns a dropout layer, disabled if there is no rate.

    Args:
        drop_rate: The probability of zero, from 0 to 1; or None.
        share_across_axes: Axes along which all elements are dropped together.
        random_stream_input_name: The side input with a `RandomStream`.

    Raises:
        ValueError: If the rate is not a probability.
    """
    if drop_rate is None:
        return DisabledDropout(0.0, share_across_axes, random_stream_input_name)
    return StochasticDropout(drop_rate, share_across_axes, random_stream_input_name)


def _require_rate(rate: float) -> None:
    if not 0 <= rate <= 1:
        raise ValueError(
            f"Expected a `drop_rate` from 0 to 1, but got {rate}. For no dropout, use "
            "`maybe_dropout(None)`."
        )
