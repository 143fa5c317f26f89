"""The layers that transformers are made of, and the model itself."""

import dataclasses
from typing import Any, Self

import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jax.typing import DTypeLike

from modeldata._struct import Struct, pytree_dataclass, static_field
from modeldata.named import NamedArray, arange
from modeldata.nn import Layer, Sequential
from modeldata.nn._layer import locating

_SEQ = "seq"


@dataclasses.dataclass(frozen=True)
class TransformerMetadata:
    """Facts about a transformer that tools need, beside its layers.

    Attributes:
        common_head_axes: Head axes of queries, keys and values, as pairs of name and size.
        query_only_head_axes: Head axes that only queries have.
        embedding_dim: Size of the axis `embedding`.
        projection_dim: Size of the axis `projection`.
        mlp_hidden_dim: Size of the axis `neurons`.
        vocab_size: Size of the axis `vocabulary`.
        activation_dtype: The type that is computed in.
        max_positions: How many positions the model has embeddings for, or None for any number.
        origin: What the model was loaded from, or None.
    """

    common_head_axes: tuple[tuple[str, int], ...]
    query_only_head_axes: tuple[tuple[str, int], ...]
    embedding_dim: int
    projection_dim: int
    mlp_hidden_dim: int
    vocab_size: int
    activation_dtype: DTypeLike
    max_positions: int | None = None
    origin: "ModelOrigin | None" = None

    @classmethod
    def from_config(cls, config: Any) -> Self:
        """Returns the facts that follow from the settings of a transformer.

        Args:
            config: A `LlamalikeTransformerConfig`, `GPTTransformerConfig`,
                `EncoderTransformerConfig`, or another object with fields of these names.
        """
        return cls(
            common_head_axes=tuple(config.common_head_axes.items()),
            query_only_head_axes=tuple(config.query_only_head_axes.items()),
            embedding_dim=config.embedding_dim,
            projection_dim=config.projection_dim,
            mlp_hidden_dim=config.mlp_hidden_dim,
            vocab_size=config.vocab_size,
            activation_dtype=config.activation_dtype,
            max_positions=getattr(config, "num_positions", None),
        )


@dataclasses.dataclass(frozen=True)
class ModelOrigin:
    """What a model was built from; needed to save it.

    Attributes:
        family: The name of the model family.
        config: The settings that the model was built from.
        checkpoint_config: The `config.json` of the checkpoint that it was loaded from, as text.
    """

    family: str
    config: Any
    checkpoint_config: str | None = None


@pytree_dataclass(has_implicitly_inherited_fields=True)
class TransformerFeedForward(Sequential):
    """The part of a block that works on each token alone."""


@pytree_dataclass(has_implicitly_inherited_fields=True)
class TransformerBlock(Sequential):
    """One block: attention and feed-forward part, each added to what comes in."""


@pytree_dataclass
class TransformerLM(Struct):
    """A language model: tokens in, logits of the next token out.

    Attributes:
        body: The layers, from token ids to logits.
        metadata: Facts about the model.
    """

    body: Layer
    metadata: TransformerMetadata = static_field(always_collapse=True)

    def __call__(
        self,
        tokens: NamedArray,
        *,
        token_positions: NamedArray | None = None,
        **side_inputs: Any,
    ) -> NamedArray:
        """Runs the model on whole texts.

        Args:
            tokens: Integers with the axis `seq`, and any batch axes.
            token_positions: The position of each token in its text, with the axis `seq` and any of
                the batch axes; -1 marks padding, which other tokens do not see. Left out, all
                tokens count, from 0.
            **side_inputs: More inputs for the layers.

        Returns:
            Logits with the axis `vocabulary`, and the axes of `tokens`: what follows each token.

        Raises:
            TypeError: If `tokens` are no named array of integers.
            ValueError: If they have no axis `seq`, positional axes, or ids outside the vocabulary.
        """
        tokens = check_tokens(tokens, self.metadata.vocab_size)
        if token_positions is None:
            token_positions = arange(_SEQ, tokens.named_shape[_SEQ])
        with locating(self):
            return self.body(tokens, token_positions=token_positions, **side_inputs)


def check_tokens(tokens: Any, vocab_size: int) -> NamedArray:
    """Checks the input of a language model.

    Args:
        tokens: The input.
        vocab_size: The number of tokens that there are.

    Returns:
        The input.

    Raises:
        TypeError: If it is no named array of integers.
        ValueError: If it has no axis `seq`, positional axes, or ids outside the vocabulary. Ids are
            checked only outside of compiled code, where they are known.
    """
    if not isinstance(tokens, NamedArray):
        raise TypeError(
            f"Expected `tokens` to be a `NamedArray` with the axis `{_SEQ}`, but got a "
            f"`{type(tokens).__name__}`. Wrap it: `nx.wrap(jnp.array(tokens), '{_SEQ}')`."
        )
    if not jnp.issubdtype(tokens.dtype, jnp.integer):
        raise TypeError(
            f"Expected `tokens` to be integers, but got {tokens.dtype}. Encode the text with the "
            "model's tokenizer."
        )
    if _SEQ not in tokens.named_shape or tokens.positional_shape:
        raise ValueError(
            f"Expected `tokens` with the axis `{_SEQ}` and named batch axes only, but got the "
            f"named axes {tokens.named_shape} and positional axes {tokens.positional_shape}. Name "
            "all axes with `.tag(...)`."
        )
    data = tokens.data_array
    if data.size and not isinstance(data, Tracer):
        # As a NumPy array, because operations of JAX would be traced where a known array is used.
        known = np.asarray(data)
        check_ids(int(known.min()), int(known.max()), vocab_size)
    return tokens


def check_ids(lowest: int, highest: int, vocab_size: int) -> None:
    """Checks that token ids lie in the vocabulary.

    Args:
        lowest: The lowest of them.
        highest: The highest of them.
        vocab_size: The number of tokens that there are.

    Raises:
        ValueError: If they do not.
    """
    if lowest < 0 or highest >= vocab_size:
        wrong = lowest if lowest < 0 else highest
        raise ValueError(
            f"Expected token ids from 0 to {vocab_size - 1}, but got {wrong}. Were these made by "
            "another model's tokenizer?"
        )
