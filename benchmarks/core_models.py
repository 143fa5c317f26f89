"""One small transformer of 24 blocks in modeldata, Penzai, Equinox, flax.nnx and plain JAX.

The blocks are those of Gemma: norms before and after attention and the gated feed-forward part,
rotary positions, a tied embedding table. The arrays are tiny, so that what is timed is Python.
"""

from typing import Any

import equinox
import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from penzai import pz
from penzai.models.transformer.variants import llamalike_common

from modeldata import nx
from modeldata.models import transformer

BLOCKS, SEQ = 24, 8
SIZES = {
    "num_kv_heads": 2,
    "query_head_multiplier": 1,
    "embedding_dim": 16,
    "projection_dim": 8,
    "mlp_hidden_dim": 32,
    "num_decoder_blocks": BLOCKS,
    "vocab_size": 64,
    "mlp_variant": "geglu_approx",
    "tie_embedder_and_logits": True,
    "use_post_attn_norm": True,
    "use_post_ffw_norm": True,
}
HEADS, EMBEDDING, PROJECTION, NEURONS, VOCABULARY = 2, 16, 8, 32, 64
EPSILON, WAVELENGTH, MASKED = 1e-6, 10_000.0, -1e30
TOKENS = jnp.arange(SEQ) % VOCABULARY
NORMS = ("pre_attention", "post_attention", "pre_ffw", "post_ffw")
MATRICES = {
    "query": (EMBEDDING, HEADS * PROJECTION),
    "key": (EMBEDDING, HEADS * PROJECTION),
    "value": (EMBEDDING, HEADS * PROJECTION),
    "output": (HEADS * PROJECTION, EMBEDDING),
    "gate": (EMBEDDING, NEURONS),
    "up": (EMBEDDING, NEURONS),
    "down": (NEURONS, EMBEDDING),
}


def our_model() -> transformer.TransformerLM:
    """The model in modeldata, with variables."""
    config: Any = transformer.LlamalikeTransformerConfig(**SIZES)
    return transformer.build_llamalike_transformer(config, jax.random.key(0))


def our_tokens() -> nx.NamedArray:
    """The input of our model."""
    return nx.wrap(TOKENS, "seq")


def penzai_model(**settings: Any) -> Any:
    """The model in Penzai, with variables."""
    config = llamalike_common.LlamalikeTransformerConfig(**{**SIZES, **settings})
    return llamalike_common.build_llamalike_transformer(config, jax.random.key(0))


def penzai_tokens() -> Any:
    """The input of Penzai's model."""
    return pz.nx.wrap(TOKENS, "seq")


class EquinoxBlock(equinox.Module):
    """Layers of a block in Equinox; only looked at, never run."""

    norms: list[equinox.nn.RMSNorm]
    linears: list[equinox.nn.Linear]

    def __init__(self, key: jax.Array):
        keys = jax.random.split(key, len(MATRICES))
        self.norms = [equinox.nn.RMSNorm(EMBEDDING, use_bias=False) for _ in NORMS]
        self.linears = [
            equinox.nn.Linear(*shape, use_bias=False, key=one)
            for shape, one in zip(MATRICES.values(), keys, strict=True)
        ]


def equinox_model() -> list[EquinoxBlock]:
    """All blocks in Equinox."""
    return [EquinoxBlock(key) for key in jax.random.split(jax.random.key(0), BLOCKS)]


class NNXBlock(nnx.Module):
    """Layers of a block in flax.nnx; only looked at, never run."""

    def __init__(self, rngs: nnx.Rngs):
        for name in NORMS:
            setattr(self, name, nnx.RMSNorm(EMBEDDING, rngs=rngs))
        for name, shape in MATRICES.items():
            setattr(self, name, nnx.Linear(*shape, use_bias=False, rngs=rngs))


def nnx_model() -> nnx.Module:
    """All blocks in flax.nnx."""
    rngs = nnx.Rngs(0)
    return nnx.Sequential(*(NNXBlock(rngs) for _ in range(BLOCKS)))


Weights = dict[str, Any]


def plain_weights() -> Weights:
    """Weights of the same model by hand."""
    rng = np.random.default_rng(0)

    def block() -> Weights:
        norms = {name: jnp.ones(EMBEDDING) for name in NORMS}
        return norms | {
            name: jnp.asarray(rng.normal(size=shape), jnp.float32)
            for name, shape in MATRICES.items()
        }

    embeddings = jnp.asarray(rng.normal(size=(VOCABULARY, EMBEDDING)), jnp.float32)
    blocks = [block() for _ in range(BLOCKS)]
    return {"embeddings": embeddings, "blocks": blocks, "final": jnp.ones(EMBEDDING)}


def plain_call(weights: Weights, tokens: jax.Array) -> jax.Array:
    """The same model written by hand, as one would in a small script."""
    positions = jnp.arange(tokens.shape[0])
    x = weights["embeddings"][tokens] * EMBEDDING**0.5
    for block in weights["blocks"]:
        attended = attention(block, rms_norm(x, block["pre_attention"]), positions)
        x = x + rms_norm(attended, block["post_attention"])
        x = x + rms_norm(feed_forward(block, rms_norm(x, block["pre_ffw"])), block["post_ffw"])
    return rms_norm(x, weights["final"]) @ weights["embeddings"].T


def rms_norm(x: jax.Array, scale: jax.Array) -> jax.Array:
    mean = jnp.mean(jnp.square(x), axis=-1, keepdims=True)
    return x * jax.lax.rsqrt(mean + EPSILON) * scale


def feed_forward(block: Weights, x: jax.Array) -> jax.Array:
    return (jax.nn.gelu(x @ block["gate"]) * (x @ block["up"])) @ block["down"]


def attention(block: Weights, x: jax.Array, positions: jax.Array) -> jax.Array:
    query, key, value = (
        (x @ block[name]).reshape(-1, HEADS, PROJECTION) for name in ("query", "key", "value")
    )
    query, key = rotate(query, positions) * PROJECTION**-0.5, rotate(key, positions)
    scores = jnp.einsum("qhp,khp->hqk", query, key)
    scores = jnp.where(positions[:, None] >= positions, scores, MASKED)
    mixed = jnp.einsum("hqk,khp->qhp", jax.nn.softmax(scores, axis=-1), value)
    return mixed.reshape(-1, HEADS * PROJECTION) @ block["output"]


def rotate(x: jax.Array, positions: jax.Array) -> jax.Array:
    wavelengths = WAVELENGTH ** (jnp.arange(0, PROJECTION, 2) / PROJECTION)
    angles = positions[:, None, None] / wavelengths
    sine, cosine = jnp.sin(angles), jnp.cos(angles)
    first, second = jnp.split(x, 2, axis=-1)
    return jnp.concatenate([first * cosine - second * sine, second * cosine + first * sine], -1)
