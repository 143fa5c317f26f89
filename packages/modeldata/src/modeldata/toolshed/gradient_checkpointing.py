"""Spending time to save memory when a part of a model is differentiated."""

from collections.abc import Callable
from typing import Any

from modeldata._struct import pytree_dataclass, static_field
from modeldata.nn import Layer
from modeldata.nn._layer import call_located, locating
from modeldata.variables import variable_checkpoint


@pytree_dataclass
class Checkpointed(Layer):
    """Runs a layer whose inner results are computed again in the backward pass, not kept.

    Values, gradients and state are those of the layer itself. Wrap the blocks of a model, most
    often each of them:

        select(model).at_instances_of(TransformerBlock).apply(Checkpointed)

    Variables in the layer, the argument and the side inputs may change during a call.

    Attributes:
        body: The layer.
        policy: Says which results to keep all the same; one of `jax.checkpoint_policies`, or None
            to keep none.
    """

    body: Any
    policy: Callable[..., bool] | None = static_field(default=None)

    def __call__(self, argument: Any, /, **side_inputs: Any) -> Any:
        """Returns what the layer returns."""
        with locating(self), locating(self.body, is_copied=True):
            return variable_checkpoint(_call, policy=self.policy)(self.body, argument, side_inputs)


def _call(body: Any, argument: Any, side_inputs: dict[str, Any]) -> Any:
    return call_located(body, argument, side_inputs)
