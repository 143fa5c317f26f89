"""Learned embeddings of positions."""

from typing import Any

import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from modeldata._struct import pytree_dataclass, static_field
from modeldata.named import NamedArray
from modeldata.nn._axes import require_named
from modeldata.nn._embedding import EmbeddingTable
from modeldata.nn._layer import Layer, require_side_input


@pytree_dataclass
class AddPositionEmbedding(Layer):
    """Adds a learned vector for the position of each token.

    Padding, which has the position -1, gets the vector of position 0.

    Attributes:
        table: The table, whose vocabulary are the positions.
        positions_input_name: The side input with the positions.
    """

    table: EmbeddingTable
    positions_input_name: str = static_field(default="token_positions")

    def __call__(self, argument: NamedArray, /, **side_inputs: Any) -> NamedArray:
        """Returns the input plus the vectors.

        Raises:
            MissingSideInputError: If the positions are not there.
            TypeError: If the input or the positions are not named arrays.
            ValueError: If the input misses an axis, or a position lies outside the table. Inside
                compiled code, where positions are not known, such a position gives NaN.
        """
        name = f"`{type(self).__name__}`"
        positions = require_side_input(self, side_inputs, self.positions_input_name)
        require_named(f"{name} (`{self.positions_input_name}`)", positions)
        table: NamedArray = self.table.embeddings.value
        size = table.named_shape[self.table.vocabulary_axis]
        known = positions.data_array
        if not isinstance(known, Tracer) and known.size and np.max(np.asarray(known)) >= size:
            raise ValueError(
                f"{name} has vectors for the positions 0 to {size - 1}, but got position "
                f"{np.max(np.asarray(known))}. Give the model a shorter text."
            )
        places = jnp.maximum(positions.data_array, 0)
        axis = table.dims.index(self.table.vocabulary_axis)
        vectors = NamedArray(
            data_array=jnp.take(table.data_array, places, axis=axis, mode="fill"),
            dims=(*table.dims[:axis], *positions.dims, *table.dims[axis + 1 :]),
        )
        require_named(name, argument, vectors.dims)
        return argument + vectors
