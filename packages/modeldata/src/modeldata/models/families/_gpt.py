"""GPT-2, and GPT-NeoX with Pythia."""

from typing import Any

from modeldata.models.checkpoints import Checkpoint, Portion, Settings
from modeldata.models.families._gguf_settings import vocabulary_settings
from modeldata.models.families._rope_settings import read_rope
from modeldata.models.families._rows import Group, Row
from modeldata.models.transformer import ActivationName, GPTTransformerConfig

_ACTIVATIONS: dict[str, ActivationName] = {
    "gelu": "gelu_exact",
    "gelu_new": "gelu_approx",
    "gelu_fast": "gelu_approx",
    "gelu_pytorch_tanh": "gelu_approx",
    "relu": "relu",
    "silu": "silu",
    "swish": "silu",
}
_NEOX_DEFAULTS = {
    "attention_bias": True,
    "hidden_act": "gelu",
    "layer_norm_eps": 1e-5,
    "use_parallel_residual": True,
}
_GPT2_DEFAULTS = {
    "activation_function": "gelu_new",
    "add_cross_attention": False,
    "layer_norm_epsilon": 1e-5,
    "reorder_and_upcast_attn": False,
    "scale_attn_by_inverse_layer_idx": False,
    "scale_attn_weights": True,
    "tie_word_embeddings": True,
}
_LAYER = "gpt_neox.layers.{block}."
_BLOCK = "transformer.h.{block}."
_THIRDS = tuple(Portion({}, index, 3) for index in range(3))


def _neox_third(third: Portion) -> Row:
    """Queries, keys and values of each head lie together."""
    axes = (("query", third, "projection"), "embedding")
    return Row(f"{_LAYER}attention.query_key_value", axes)


def _gpt2_map(name: str, inputs: Group, outputs: Group, gguf: str) -> Row:
    """Weights of GPT-2 are stored with the axes of their inputs first, but not in GGUF files."""
    turned = Row(f"blk.{{block}}.{gguf}", (outputs, inputs))
    return Row(f"{_BLOCK}{name}", (inputs, outputs), turned, bias_axes=(outputs,))


def _gpt2_third(third: Portion) -> Row:
    return _gpt2_map("attn.c_attn", "embedding", (third, "query", "projection"), "attn_qkv")


NEOX_ROWS = {
    "embedder": Row("gpt_neox.embed_in", ("vocabulary", "embedding")),
    "pre_attention_norm": Row(f"{_LAYER}input_layernorm", ("embedding",)),
    "attention/query": _neox_third(_THIRDS[0]),
    "attention/key": _neox_third(_THIRDS[1]),
    "attention/value": _neox_third(_THIRDS[2]),
    "attention/output": Row(f"{_LAYER}attention.dense", ("embedding", "query projection")),
    "pre_ffw_norm": Row(f"{_LAYER}post_attention_layernorm", ("embedding",)),
    "mlp/in": Row(f"{_LAYER}mlp.dense_h_to_4h", ("neurons", "embedding")),
    "mlp/out": Row(f"{_LAYER}mlp.dense_4h_to_h", ("embedding", "neurons")),
    "final_norm": Row("gpt_neox.final_layer_norm", ("embedding",)),
    # Files and models in memory call it differently.
    "lm_head": Row(
        "embed_out",
        ("vocabulary", "embedding"),
        others=(Row("lm_head", ("vocabulary", "embedding")),),
    ),
}
GPT2_ROWS = {
    "embedder": Row("transformer.wte", ("vocabulary", "embedding"), "token_embd"),
    "positions": Row("transformer.wpe", ("positions", "embedding"), "position_embd"),
    "pre_attention_norm": Row(f"{_BLOCK}ln_1", ("embedding",), "blk.{block}.attn_norm"),
    "attention/query": _gpt2_third(_THIRDS[0]),
    "attention/key": _gpt2_third(_THIRDS[1]),
    "attention/value": _gpt2_third(_THIRDS[2]),
    "attention/output": _gpt2_map("attn.c_proj", "query projection", "embedding", "attn_output"),
    "pre_ffw_norm": Row(f"{_BLOCK}ln_2", ("embedding",), "blk.{block}.ffn_norm"),
    "mlp/in": _gpt2_map("mlp.c_fc", "embedding", "neurons", "ffn_up"),
    "mlp/out": _gpt2_map("mlp.c_proj", "neurons", "embedding", "ffn_down"),
    "final_norm": Row("transformer.ln_f", ("embedding",), "output_norm"),
    "lm_head": Row("lm_head", ("vocabulary", "embedding"), "output"),
}


def read_gpt_neox(checkpoint: Checkpoint) -> GPTTransformerConfig:
    """Reads the settings of a GPT-NeoX or Pythia.

    Args:
        checkpoint: The checkpoint.

    Raises:
        LoadError: If a setting is missing, damaged or not supported.
    """
    settings = Settings(checkpoint.config, checkpoint.source).with_defaults(_NEOX_DEFAULTS)
    head_dim = _head_dim(settings, "hidden_size", "num_attention_heads")
    rope = read_rope(settings, head_dim, share=0.25)
    rope["rope_subset_size"] = rope["rope_subset_size"] or head_dim
    return GPTTransformerConfig(
        num_attention_heads=settings.integer("num_attention_heads"),
        embedding_dim=settings.integer("hidden_size"),
        projection_dim=head_dim,
        mlp_hidden_dim=settings.integer("intermediate_size"),
        num_decoder_blocks=settings.integer("num_hidden_layers"),
        vocab_size=settings.integer("vocab_size"),
        activation_fn=_ACTIVATIONS[settings.choice("hidden_act", _ACTIVATIONS)],
        tie_embedder_and_logits=settings.flag("tie_word_embeddings", default=False),
        use_parallel_residual=settings.flag("use_parallel_residual"),
        use_attention_bias=settings.flag("attention_bias"),
        layernorm_epsilon=settings.number("layer_norm_eps"),
        **rope,
    )


def read_gpt2(checkpoint: Checkpoint) -> GPTTransformerConfig:
    """Reads the settings of a GPT-2.

    Args:
        checkpoint: The checkpoint.

    Raises:
        LoadError: If a setting is missing, damaged or not supported.
    """
    settings = Settings(checkpoint.config, checkpoint.source).with_defaults(_GPT2_DEFAULTS)
    settings.choice("add_cross_attention", [False])
    # Another order of the same computation, which needs no other layers.
    settings.flag("reorder_and_upcast_attn")
    embedding_dim = settings.integer("n_embd")
    return GPTTransformerConfig(
        num_attention_heads=settings.integer("n_head"),
        embedding_dim=embedding_dim,
        projection_dim=_head_dim(settings, "n_embd", "n_head"),
        mlp_hidden_dim=settings.integer("n_inner", 4 * embedding_dim),
        num_decoder_blocks=settings.integer("n_layer"),
        vocab_size=settings.integer("vocab_size"),
        num_positions=settings.integer("n_positions"),
        activation_fn=_ACTIVATIONS[settings.choice("activation_function", _ACTIVATIONS)],
        tie_embedder_and_logits=settings.flag("tie_word_embeddings"),
        use_parallel_residual=False,
        layernorm_epsilon=settings.number("layer_norm_epsilon"),
        query_scaling_factor="default" if settings.flag("scale_attn_weights") else 1.0,
        divide_scores_by_depth=settings.flag("scale_attn_by_inverse_layer_idx"),
    )


def gpt2_gguf(checkpoint: Checkpoint) -> dict[str, Any]:
    """Returns what a GGUF file says of a GPT-2, as a `config.json`.

    Args:
        checkpoint: The file.

    Raises:
        LoadError: If a setting is missing, damaged or not supported.
    """
    settings = Settings(checkpoint.config, checkpoint.source, "gpt2.")
    return {
        **vocabulary_settings(checkpoint),
        "architectures": ["GPT2LMHeadModel"],
        "model_type": "gpt2",
        "n_embd": settings.integer("embedding_length"),
        "n_head": settings.integer("attention.head_count"),
        "n_inner": settings.integer("feed_forward_length"),
        "n_layer": settings.integer("block_count"),
        "n_positions": settings.integer("context_length"),
        "layer_norm_epsilon": settings.number("attention.layer_norm_epsilon"),
        "tie_word_embeddings": "output.weight" not in checkpoint.tensors,
    }


def _head_dim(settings: Settings, size_key: str, heads_key: str) -> int:
    size, heads = settings.integer(size_key), settings.integer(heads_key)
    if size % heads:
        raise settings.unsupported(size_key, f"a multiple of `{heads_key}`, {heads}")
    return size // heads
