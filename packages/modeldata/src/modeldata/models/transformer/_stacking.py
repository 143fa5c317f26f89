"""Blocks of a language model as one stack, and back as a list."""

import itertools
from collections.abc import Callable
from typing import Any

from modeldata import nn
from modeldata.models.transformer._parts import TransformerBlock, TransformerLM
from modeldata.nn._stacking import repeated_pattern

BLOCKS = "blocks"
"""The axis that counts the blocks of a stack."""


def stack_blocks(model: TransformerLM) -> TransformerLM:
    """Turns the blocks of a model into a loop, so that it is traced and compiled like one block.

    Blocks that alternate between kinds, such as attention to everything and to a window, become a
    loop over the whole pattern; what is left over at the end stays as it is. The parameters are
    copied into new ones that have the axis `blocks`, whose labels tell those that they are made
    of. The model computes the same.

    Args:
        model: A model whose `body` has its blocks in a row. Edited blocks are different from
            others; those up to them are stacked.

    Returns:
        The model with a `LayerStack`.

    Raises:
        ValueError: If there are no blocks in a row that repeat.
    """
    return _with_layers(model, _stacked)


def unstack_blocks(model: TransformerLM) -> TransformerLM:
    """Turns a loop over blocks into a list of blocks; the inverse of `stack_blocks`.

    Args:
        model: A model with a `LayerStack` in its `body`.

    Returns:
        The model with a list of blocks, whose parameters have the labels from before.

    Raises:
        ValueError: If the model has no stack.
    """
    return _with_layers(model, _unstacked)


def _with_layers(model: TransformerLM, change: Callable[[list[Any]], list[Any]]) -> TransformerLM:
    if not isinstance(model.body, nn.Sequential):
        raise ValueError(  # noqa: TRY004  # the content of the model is a value
            "Expected a model with a `Sequential` as its `body`, but got a "
            f"`{type(model.body).__name__}`. Stack the layers yourself with "
            "`nn.LayerStack.from_sublayers`."
        )
    return model.replace(body=model.body.replace(sublayers=change(list(model.body.sublayers))))


def _stacked(layers: list[Any]) -> list[Any]:
    start = next((i for i, x in enumerate(layers) if isinstance(x, TransformerBlock)), len(layers))
    run = list(itertools.takewhile(lambda x: isinstance(x, TransformerBlock), layers[start:]))
    period, count = repeated_pattern(run) if run else (1, 1)
    if count < 2:
        raise ValueError(
            f"Expected a row of blocks whose structure repeats, but got {len(run)} blocks without "
            "a pattern. Models with one block, or with an edit in the first ones, cannot be "
            "stacked."
        )
    end = start + period * count
    stack = nn.LayerStack.from_sublayers(layers[start:end], BLOCKS, period=period)
    return [*layers[:start], stack, *layers[end:]]


def _unstacked(layers: list[Any]) -> list[Any]:
    if not any(isinstance(layer, nn.LayerStack) for layer in layers):
        raise ValueError(
            "Expected a model with a `LayerStack` among the layers of its `body`, but there is "
            "none. Only what `stack_blocks` has stacked can be unstacked."
        )
    result: list[Any] = []
    for layer in layers:
        for step in layer.unstack() if isinstance(layer, nn.LayerStack) else [layer]:
            # One step of a pattern of several blocks is a sequence of them.
            result.extend(step.sublayers if type(step) is nn.Sequential else [step])
    return result
