"""Attention as dataflow; what it computes is in its sublayers."""

from typing import Any

from modeldata._struct import pytree_dataclass
from modeldata.nn._layer import Layer, locating


@pytree_dataclass
class Attention(Layer):
    """Runs the five parts of attention, and passes side inputs to all of them.

    Attributes:
        input_to_query: From the input to queries.
        input_to_key: From the input to keys.
        input_to_value: From the input to values.
        query_key_to_attn: From the tuple of queries and keys to attention weights.
        attn_value_to_output: From the tuple of attention weights and values to the output.
    """

    input_to_query: Any
    input_to_key: Any
    input_to_value: Any
    query_key_to_attn: Any
    attn_value_to_output: Any

    def __call__(self, argument: Any, /, **side_inputs: Any) -> Any:
        """Returns the output of attention of the input to itself."""
        with locating(self):
            query = self.input_to_query(argument, **side_inputs)
            key = self.input_to_key(argument, **side_inputs)
            value = self.input_to_value(argument, **side_inputs)
            attn = self.query_key_to_attn((query, key), **side_inputs)
            return self.attn_value_to_output((attn, value), **side_inputs)
