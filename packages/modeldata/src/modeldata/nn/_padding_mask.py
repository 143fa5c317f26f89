"""A mask for texts that are read in both directions."""

from collections.abc import Hashable
from typing import Any

import jax.numpy as jnp

from modeldata._struct import pytree_dataclass, static_field
from modeldata.named import NamedArray
from modeldata.nn._axes import data_like, rename, require_named, require_sizes
from modeldata.nn._layer import Layer, require_side_input
from modeldata.nn._masks import fill_value


@pytree_dataclass
class ApplyPaddingAttentionMask(Layer):
    """Lets each position attend to all others but padding, which has the position -1.

    Attributes:
        masked_out_value: What to put in place of forbidden scores; a large negative number.
        kv_positions_input_name: The side input with the positions of keys, along `seq_axis`.
        seq_axis: The axis of queries.
        kv_seq_axis: The axis of keys in the scores.
    """

    masked_out_value: float = static_field()
    kv_positions_input_name: str = static_field(default="token_positions")
    seq_axis: Hashable = static_field(default="seq")
    kv_seq_axis: Hashable = static_field(default="kv_seq")

    def __call__(self, argument: NamedArray, /, **side_inputs: Any) -> NamedArray:
        """Returns the masked scores.

        Raises:
            MissingSideInputError: If the positions are not there.
            TypeError: If the input or the positions are not named arrays.
            ValueError: If their axes do not fit.
        """
        name = f"`{type(self).__name__}`"
        positions = require_side_input(self, side_inputs, self.kv_positions_input_name)
        require_named(f"{name} (`{self.kv_positions_input_name}`)", positions, (self.seq_axis,))
        positions = rename(positions, {self.seq_axis: self.kv_seq_axis})
        require_sizes(name, require_named(name, argument), positions.named_shape)
        allowed = data_like(positions, argument.dims) >= 0
        fill = fill_value(self.masked_out_value, argument.dtype)
        return argument.replace(data_array=jnp.where(allowed, argument.data_array, fill))
