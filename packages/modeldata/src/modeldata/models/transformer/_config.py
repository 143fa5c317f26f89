"""Settings of Llama-like transformers: Llama, Mistral, Qwen, Gemma, Phi 3, OLMo 2, GPT-OSS."""

import dataclasses
from typing import Literal, get_args

import jax.numpy as jnp
from jax.typing import DTypeLike

from modeldata.nn import RoPEScaling

MLPVariant = Literal["geglu_exact", "geglu_approx", "swiglu", "reglu", "clamped_swiglu"]
QKNorm = Literal[False, "head", "all"]


@dataclasses.dataclass(frozen=True)
class AttentionTypeGlobalCausal:
    """Attention to all earlier tokens and the token itself."""


@dataclasses.dataclass(frozen=True)
class AttentionTypeSlidingWindowCausal:
    """Attention to the last `window_size` tokens, the token itself among them.

    Attributes:
        window_size: The number of tokens.
    """

    window_size: int


AttentionType = AttentionTypeGlobalCausal | AttentionTypeSlidingWindowCausal


@dataclasses.dataclass(frozen=True, kw_only=True)
class LlamalikeTransformerConfig:
    """Everything that decides the shape of a Llama-like transformer.

    Query heads are named by how keys are shared. With a multiplier of 1, queries, keys and values
    have the axis `heads`. With a single key head, only queries have heads: `query_heads`. Otherwise
    all have `head_groups`, and queries `query_heads` too.

    Attributes:
        num_kv_heads: Heads of keys and values.
        query_head_multiplier: Query heads for each head of keys.
        embedding_dim: Size of the axis `embedding`, the residual stream.
        projection_dim: Size of the axis `projection`: a query, a key or a value of one head.
        mlp_hidden_dim: Size of the axis `neurons`.
        num_decoder_blocks: Number of blocks.
        vocab_size: Size of the axis `vocabulary`.
        mlp_variant: The gate of the feed-forward part: `geglu_exact`, `geglu_approx` (GELU by
            tanh), `swiglu`, `reglu`, or `clamped_swiglu` (as in GPT-OSS).
        tie_embedder_and_logits: Whether the embedding table also makes the logits.
        scale_embeddings: Whether embeddings are multiplied by the root of `embedding_dim`. Left
            out, they are if the table is tied, as Gemma does.
        rope_wavelength: The longest wavelength of the rotary embedding.
        local_rope_wavelength: The same for blocks with a sliding window; left out, the same.
        global_scale_factor: What positions are divided by in blocks with global attention.
        rms_norm_eps: What is added to the mean square.
        attention_type: The kind of attention, or one for each block of a cycle that the blocks
            repeat. The last cycle may be cut off.
        use_qk_norm: Whether queries and keys are normalised: `head` (or True) in each head, `all`
            over all heads together.
        use_post_attn_norm: Whether the output of attention is normalised.
        use_post_ffw_norm: Whether the output of the feed-forward part is normalised.
        final_logit_softcap: Bound of the logits by tanh, or None.
        attn_logits_soft_cap: Bound of the attention scores by tanh, or None.
        query_scaling_factor: What queries are multiplied by; `default` is
            `projection_dim ** -0.5`.
        rope_scaling: How rotary embeddings are changed for long texts. Blocks with a sliding window
            take part unless `local_rope_wavelength` is set.
        rope_subset_size: How many features of a head are rotated; left out, all.
        use_pre_norms: Whether the inputs of attention and of the feed-forward part are normalised.
        use_qkv_bias: Whether queries, keys and values have biases.
        use_output_bias: Whether the output of attention has a bias.
        use_mlp_bias: Whether the maps of the feed-forward part have biases.
        use_attention_sinks: Whether each head has a learned score for attending to nothing.
        num_experts: Number of experts of the feed-forward part; None for a plain one.
        num_experts_per_token: How many of them have a say in each token.
        use_router_bias: Whether the scores of experts have a bias.
        parameter_dtype: The type of the parameters.
        activation_dtype: The type that is computed in.
    """

    num_kv_heads: int
    query_head_multiplier: int
    embedding_dim: int
    projection_dim: int
    mlp_hidden_dim: int
    num_decoder_blocks: int
    vocab_size: int
    mlp_variant: MLPVariant
    tie_embedder_and_logits: bool
    scale_embeddings: bool | None = None
    rope_wavelength: float = 10_000.0
    local_rope_wavelength: float | None = None
    global_scale_factor: float | None = None
    rms_norm_eps: float = 1e-6
    attention_type: AttentionType | tuple[AttentionType, ...] = AttentionTypeGlobalCausal()
    use_qk_norm: bool | QKNorm = False
    use_post_attn_norm: bool = False
    use_post_ffw_norm: bool = False
    final_logit_softcap: float | None = None
    attn_logits_soft_cap: float | None = None
    query_scaling_factor: float | Literal["default"] = "default"
    rope_scaling: RoPEScaling | None = None
    rope_subset_size: int | None = None
    use_pre_norms: bool = True
    use_qkv_bias: bool = False
    use_output_bias: bool = False
    use_mlp_bias: bool = False
    use_attention_sinks: bool = False
    num_experts: int | None = None
    num_experts_per_token: int = 1
    use_router_bias: bool = False
    parameter_dtype: DTypeLike = jnp.float32
    activation_dtype: DTypeLike = jnp.float32

    def __post_init__(self) -> None:
        sizes = (
            "num_kv_heads",
            "query_head_multiplier",
            "embedding_dim",
            "projection_dim",
            "mlp_hidden_dim",
            "num_decoder_blocks",
            "vocab_size",
        )
        for name in sizes:
            if getattr(self, name) < 1:
                raise ValueError(
                    f"Expected `{name}` to be at least 1, but got {getattr(self, name)!r}."
                )
        if self.projection_dim % 2 and self.rope_subset_size is None:
            raise ValueError(
                "Expected an even `projection_dim`, because rotary embeddings turn pairs of "
                f"numbers, but got {self.projection_dim}."
            )
        if self.mlp_variant not in get_args(MLPVariant):
            raise ValueError(
                f"Expected `mlp_variant` to be one of {get_args(MLPVariant)}, but got "
                f"{self.mlp_variant!r}."
            )
        if self.use_qk_norm not in (False, True, "head", "all"):
            raise ValueError(
                "Expected `use_qk_norm` to be a bool, 'head' or 'all', but got "
                f"{self.use_qk_norm!r}."
            )
        subset = self.rope_subset_size
        if subset is not None and (subset % 2 or not 0 < subset <= self.projection_dim):
            raise ValueError(
                "Expected an even `rope_subset_size` of at most `projection_dim`, "
                f"{self.projection_dim}, but got {subset}."
            )
        experts = self.num_experts
        if experts is not None and not 1 <= self.num_experts_per_token <= experts:
            raise ValueError(
                f"Expected `num_experts_per_token` from 1 to `num_experts`, {experts}, but got "
                f"{self.num_experts_per_token}."
            )
        if self.attention_type == ():
            raise ValueError(
                "Expected at least one `attention_type`, but got none. Pass one kind for all "
                "blocks, or a cycle of kinds."
            )

    @property
    def common_head_axes(self) -> dict[str, int]:
        """Head axes that queries, keys and values share, with sizes."""
        if self.query_head_multiplier == 1:
            return {"heads": self.num_kv_heads}
        return {} if self.num_kv_heads == 1 else {"head_groups": self.num_kv_heads}

    @property
    def query_only_head_axes(self) -> dict[str, int]:
        """Head axes that only queries have, with sizes."""
        if self.query_head_multiplier == 1:
            return {}
        return {"query_heads": self.query_head_multiplier}

    @property
    def query_scale(self) -> float:
        """What queries are multiplied by."""
        if self.query_scaling_factor == "default":
            return self.projection_dim**-0.5
        return self.query_scaling_factor

    @property
    def embeddings_are_scaled(self) -> bool:
        """Whether embeddings are multiplied by the root of `embedding_dim`."""
        if self.scale_embeddings is None:
            return self.tie_embedder_and_logits
        return self.scale_embeddings

    def block_attention_type(self, block: int) -> AttentionType:
        """Returns the kind of attention of a block.

        Args:
            block: The number of the block, from 0.
        """
        if isinstance(self.attention_type, tuple):
            return self.attention_type[block % len(self.attention_type)]
        return self.attention_type
