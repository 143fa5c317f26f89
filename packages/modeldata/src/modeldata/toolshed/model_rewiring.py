"""Changing what reaches which part of a model."""

from typing import Any

import jax.numpy as jnp

from modeldata._struct import pytree_dataclass, static_field
from modeldata.named import NamedArray
from modeldata.nn import Layer


@pytree_dataclass
class KnockOutAttentionHeads(Layer):
    """Makes chosen heads attend to the first key only, which for most heads does nothing.

    Insert it after the softmax of an attention layer. A head with mask 1 is kept, one with mask 0
    puts all weight on key 0, and values between interpolate. Axes of the mask that the attention
    does not have are added: a mask with an axis of experiments runs them all at once.

    Attributes:
        head_mask: An array with the axes that count heads, and any others.
        kv_seq_axis: The axis of keys.
    """

    head_mask: NamedArray
    kv_seq_axis: str = static_field(default="kv_seq")

    def __call__(self, argument: NamedArray, /, **side_inputs: Any) -> NamedArray:
        """Returns the attention with some heads knocked out, in the input's dtype.

        Raises:
            ValueError: If the input does not have the axis of keys, or sizes differ.
        """
        del side_inputs
        if self.kv_seq_axis not in argument.named_shape:
            raise ValueError(
                f"`KnockOutAttentionHeads` needs attention with the axis `{self.kv_seq_axis}`, but "
                f"got {argument.named_shape}. Insert it after the softmax."
            )
        count = argument.named_shape[self.kv_seq_axis]
        first = jnp.zeros(count, argument.dtype).at[0].set(1)
        knocked_out = NamedArray(data_array=first, dims=(self.kv_seq_axis,))
        mask = self.head_mask.astype(argument.dtype)
        return argument * mask + knocked_out * (1 - mask)
