"""Models whose blocks are in a stack, for functions that look at block after block."""

from typing import Any

from modeldata import nn
from modeldata.models.transformer import unstack_blocks


def without_stack(model: Any) -> Any:
    """Returns a model with its blocks in a list.

    Args:
        model: A model, with a stack of blocks or without.
    """
    layers = getattr(model.body, "sublayers", ())
    is_stacked = any(isinstance(layer, nn.LayerStack) for layer in layers)
    return unstack_blocks(model) if is_stacked else model
