"""Reading how Hugging Face writes rotary embeddings, since version 5 of transformers or before."""

import math
from typing import Any

from modeldata.models.checkpoints import Settings
from modeldata.nn import (
    DynamicScaling,
    LinearScaling,
    Llama3Scaling,
    LongScaling,
    RoPEScaling,
    YarnScaling,
)

_TYPES = ("default", "linear", "dynamic", "yarn", "llama3", "longrope")


def read_rope(settings: Settings, head_dim: int, share: float = 1.0) -> dict[str, Any]:
    """Reads the settings of the rotary embedding.

    Args:
        settings: The settings of the model.
        head_dim: The number of features of a head.
        share: The share of features that are rotated, if the settings do not say.

    Returns:
        The fields `rope_wavelength`, `rope_scaling` and `rope_subset_size` of a config.

    Raises:
        LoadError: If a setting is missing, damaged or not supported.
    """
    group = "rope_scaling" if settings.get("rope_parameters") is None else "rope_parameters"
    given = settings.get(group) is not None
    rope = (settings.part(group) if given else settings).with_defaults(
        {
            "rope_theta": settings.get("rope_theta", settings.get("rotary_emb_base", 10_000.0)),
            "partial_rotary_factor": settings.get(
                "partial_rotary_factor", settings.get("rotary_pct", share)
            ),
        }
    )
    rotated = int(head_dim * rope.number("partial_rotary_factor"))
    if rotated == 1:
        # A single feature is rotated with its neighbour, as in transformers.
        rotated = 2
    if rotated % 2 or not 0 < rotated <= head_dim:
        raise rope.unsupported(
            "partial_rotary_factor", f"a share of the {head_dim} features that is an even number"
        )
    return {
        "rope_wavelength": rope.number("rope_theta"),
        "rope_scaling": read_scaling(settings, rope) if given else None,
        "rope_subset_size": None if rotated == head_dim else rotated,
    }


def read_scaling(settings: Settings, rope: Settings) -> RoPEScaling | None:
    """Reads how the rotary embedding is changed for long texts.

    Args:
        settings: The settings of the model.
        rope: Those of the rotary embedding.

    Raises:
        LoadError: If a setting is missing, damaged or not supported.
    """
    kind = rope.choice("rope_type", _TYPES, rope.get("type", "default"))
    if kind == "default":
        return None
    if kind == "linear":
        return LinearScaling(rope.number("factor"))
    if kind == "dynamic":
        length = settings.integer("max_position_embeddings")
        return DynamicScaling(rope.number("factor"), length)
    key = "original_max_position_embeddings"
    # Where both places say something, transformers takes that of the model.
    everywhere = settings.get(key) is not None
    longest = settings.get("max_position_embeddings")
    length = settings.integer(key) if everywhere else rope.integer(key, longest)
    if kind == "longrope":
        return _long_scaling(settings, rope, length)
    if kind == "llama3":
        low, high = rope.number("low_freq_factor"), rope.number("high_freq_factor")
        return Llama3Scaling(rope.number("factor"), low, high, length)
    return YarnScaling(
        factor=_factor(settings, rope, length),
        original_length=length,
        fast_rotations=rope.number("beta_fast", 32.0),
        slow_rotations=rope.number("beta_slow", 1.0),
        attention_factor=_yarn_attention_factor(rope),
        truncate=rope.flag("truncate", default=True),
    )


def _factor(settings: Settings, rope: Settings, length: int) -> float:
    if rope.get("factor") is not None:
        return rope.number("factor")
    return settings.integer("max_position_embeddings") / length


def _yarn_attention_factor(rope: Settings) -> float | None:
    """The factor if it is given, or the ratio of two others, or None for the paper's."""
    if rope.get("attention_factor") is not None or not (
        rope.get("mscale") and rope.get("mscale_all_dim")
    ):
        return rope.maybe_number("attention_factor")
    logarithm = 0.1 * math.log(max(rope.number("factor"), 1.0))
    return (rope.number("mscale") * logarithm + 1) / (rope.number("mscale_all_dim") * logarithm + 1)


def _long_scaling(settings: Settings, rope: Settings, length: int) -> LongScaling:
    factor = _factor(settings, rope, length)
    suggested = 1.0 if factor <= 1 else math.sqrt(1 + math.log(factor) / math.log(length))
    return LongScaling(
        short_factors=rope.numbers("short_factor"),
        long_factors=rope.numbers("long_factor"),
        original_length=length,
        attention_factor=rope.number("attention_factor", suggested),
    )
