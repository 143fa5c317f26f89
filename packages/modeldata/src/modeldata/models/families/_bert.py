"""BERT and models of its form, such as MiniLM."""

from modeldata.models.checkpoints import Checkpoint, Settings
from modeldata.models.families._rows import Row
from modeldata.models.transformer import ActivationName, EncoderTransformerConfig

PREFIX = "bert."
_ACTIVATIONS: dict[str, ActivationName] = {
    "gelu": "gelu_exact",
    "gelu_new": "gelu_approx",
    "relu": "relu",
}
_DEFAULTS = {
    "add_cross_attention": False,
    "hidden_act": "gelu",
    "is_decoder": False,
    "layer_norm_eps": 1e-12,
    "position_embedding_type": "absolute",
    "type_vocab_size": 2,
}
_EMBEDDINGS = f"{PREFIX}embeddings."
_LAYER = f"{PREFIX}encoder.layer.{{block}}."
_INTO = ("query projection", "embedding")


def _norm(name: str) -> Row:
    """The first files have names for scale and shift that are those of TensorFlow."""
    older = Row(name, ("embedding",), endings=(".gamma", ".beta"))
    return Row(name, ("embedding",), others=(older,))


BERT_ROWS = {
    "embedder": Row(f"{_EMBEDDINGS}word_embeddings", ("vocabulary", "embedding")),
    "positions": Row(f"{_EMBEDDINGS}position_embeddings", ("positions", "embedding")),
    "token_types": Row(f"{_EMBEDDINGS}token_type_embeddings", ("token_types", "embedding")),
    "embedding_norm": _norm(f"{_EMBEDDINGS}LayerNorm"),
    "attention/query": Row(f"{_LAYER}attention.self.query", _INTO),
    "attention/key": Row(f"{_LAYER}attention.self.key", _INTO),
    "attention/value": Row(f"{_LAYER}attention.self.value", _INTO),
    "attention/output": Row(f"{_LAYER}attention.output.dense", ("embedding", "query projection")),
    "post_attention_norm": _norm(f"{_LAYER}attention.output.LayerNorm"),
    "mlp/in": Row(f"{_LAYER}intermediate.dense", ("neurons", "embedding")),
    "mlp/out": Row(f"{_LAYER}output.dense", ("embedding", "neurons")),
    "post_ffw_norm": _norm(f"{_LAYER}output.LayerNorm"),
    "pooler": Row(
        f"{PREFIX}pooler.dense", ("embedding_out", "embedding"), bias_axes=("embedding",)
    ),
}


def read_bert(checkpoint: Checkpoint) -> EncoderTransformerConfig:
    """Reads the settings of a BERT.

    Args:
        checkpoint: The checkpoint.

    Raises:
        LoadError: If a setting is missing, damaged or not supported.
    """
    settings = Settings(checkpoint.config, checkpoint.source).with_defaults(_DEFAULTS)
    settings.choice("add_cross_attention", [False])
    settings.choice("is_decoder", [False])
    settings.choice("position_embedding_type", ["absolute"])
    size, heads = settings.integer("hidden_size"), settings.integer("num_attention_heads")
    if size % heads:
        raise settings.unsupported("hidden_size", f"a multiple of `num_attention_heads`, {heads}")
    return EncoderTransformerConfig(
        num_attention_heads=heads,
        embedding_dim=size,
        projection_dim=size // heads,
        mlp_hidden_dim=settings.integer("intermediate_size"),
        num_blocks=settings.integer("num_hidden_layers"),
        vocab_size=settings.integer("vocab_size"),
        num_positions=settings.integer("max_position_embeddings"),
        num_token_types=settings.integer("type_vocab_size"),
        activation_fn=_ACTIVATIONS[settings.choice("hidden_act", _ACTIVATIONS)],
        use_pooler=any("pooler.dense" in name for name in checkpoint.tensors),
        layernorm_epsilon=settings.number("layer_norm_eps"),
    )
