"""Token embeddings."""

import functools
from collections.abc import Hashable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from modeldata._struct import Struct, pytree_dataclass, static_field
from modeldata.named import NamedArray
from modeldata.named._contraction import contract_unchecked
from modeldata.nn._arguments import require_axes
from modeldata.nn._axes import list_names, require_named, require_sizes
from modeldata.nn._initializers import (
    Axes,
    LinearOperatorWeightInitializer,
    variance_scaling_initializer,
)
from modeldata.nn._layer import Layer
from modeldata.nn._parameters import ParameterLike, make_parameter

_embedding_initializer: LinearOperatorWeightInitializer = functools.partial(
    variance_scaling_initializer, scale=1.0, mode="fan_out", distribution="normal"
)


@pytree_dataclass
class EmbeddingTable(Struct):
    """A vector for each token. Put one table in two layers to tie them.

    Attributes:
        embeddings: A parameter with a `NamedArray`.
        vocabulary_axis: The axis that counts tokens; all others are embedding axes.
    """

    embeddings: ParameterLike
    vocabulary_axis: Hashable = static_field()

    @classmethod
    def from_config(
        cls,
        name: str,
        init_base_rng: jax.Array | None,
        vocab_size: int,
        embedding_axes: Axes,
        *,
        vocabulary_axis: Hashable = "vocabulary",
        initializer: LinearOperatorWeightInitializer = _embedding_initializer,
        dtype: Any = jnp.float32,
    ) -> "EmbeddingTable":
        """Makes a table.

        Args:
            name: A path for the parameter, whose label is `name` with `.embeddings`.
            init_base_rng: The random key of the whole model; None for a slot without values.
            vocab_size: The number of tokens.
            embedding_axes: Sizes of the embedding axes.
            vocabulary_axis: The name of the axis that counts tokens.
            initializer: Makes the values; the vocabulary is a parallel axis to it, the embedding
                axes are output axes.
            dtype: The dtype of the values.

        Raises:
            TypeError: If axes are not given as sizes by name, or `vocab_size` is no integer.
            ValueError: If the vocabulary axis is an embedding axis too.
        """
        require_axes("EmbeddingTable", embedding_axes=embedding_axes)
        if not isinstance(vocab_size, int | np.integer):
            raise TypeError(
                f"Expected `vocab_size` to be a number of tokens, an integer, but got "
                f"{vocab_size!r}."
            )
        if vocabulary_axis in embedding_axes:
            raise ValueError(
                f"Expected a `vocabulary_axis` that is not in `embedding_axes`, but "
                f"{vocabulary_axis!r} is in {dict(embedding_axes)}."
            )
        embeddings = make_parameter(
            f"{name}.embeddings",
            init_base_rng,
            initializer,
            input_axes={},
            output_axes=dict(embedding_axes),
            parallel_axes={vocabulary_axis: vocab_size},
            convolution_spatial_axes={},
            dtype=dtype,
        )
        return cls(embeddings, vocabulary_axis)


@pytree_dataclass
class EmbeddingLookup(Layer):
    """Replaces token ids by their vectors.

    An id that is not in the vocabulary gives NaN.

    Attributes:
        table: The table.
    """

    table: EmbeddingTable

    def __call__(self, argument: NamedArray, /, **side_inputs: Any) -> NamedArray:
        """Returns the vectors: the axes of the ids, then the embedding axes.

        Raises:
            TypeError: If the input is not a named array of integers.
            ValueError: If it has an axis of the table.
        """
        del side_inputs
        ids = require_named("`EmbeddingLookup`", argument)
        if not jnp.issubdtype(ids.dtype, jnp.integer):
            raise TypeError(f"`EmbeddingLookup` needs integer token ids, but got {ids.dtype}.")
        table: NamedArray = self.table.embeddings.value
        taken = [name for name in ids.dims if name in table.dims]
        if taken:
            raise ValueError(
                f"`EmbeddingLookup` needs token ids without the axes of its table "
                f"{table.named_shape}, but they have {list_names(taken)}: {ids.named_shape}. "
                "Rename that axis of the ids."
            )
        axis = table.dims.index(self.table.vocabulary_axis)
        data = jnp.take(table.data_array, ids.data_array, axis=axis, mode="fill")
        dims = (*table.dims[:axis], *ids.dims, *table.dims[axis + 1 :])
        return NamedArray(data_array=data, dims=dims)


@pytree_dataclass
class EmbeddingDecode(Layer):
    """Multiplies activations with every vector of a table, which gives scores of tokens.

    Attributes:
        table: The table.
    """

    table: EmbeddingTable

    def __call__(self, argument: NamedArray, /, **side_inputs: Any) -> NamedArray:
        """Returns the input with its embedding axes replaced by the vocabulary.

        Raises:
            TypeError: If the input is not a named array.
            ValueError: If it misses an embedding axis, or has the vocabulary axis.
        """
        del side_inputs
        table: NamedArray = self.table.embeddings.value
        vocabulary = self.table.vocabulary_axis
        require_named("`EmbeddingDecode`", argument)
        sizes = {name: size for name, size in table.named_shape.items() if name != vocabulary}
        require_sizes("`EmbeddingDecode`", argument, sizes)
        if vocabulary in argument.dims:
            raise ValueError(
                f"`EmbeddingDecode` makes the axis `{vocabulary}`, but its input has it already: "
                f"{argument.named_shape}. Rename that axis first (`RenameAxes`)."
            )
        return contract_unchecked(sizes, argument, table)
