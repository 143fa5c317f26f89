"""Saving what flows through a model."""

import dataclasses
from typing import Any

from modeldata._struct import pytree_dataclass
from modeldata.nn import Layer
from modeldata.variables import StateVariable


@pytree_dataclass
class SaveIntermediate(Layer):
    """Passes its input on, and keeps it in a state variable.

    Insert one wherever you want to look, and a new one for each place:

        select(model).at_instances_of(Softmax).apply_and_inline(
            lambda layer: [layer, SaveIntermediate()]
        )

    Each call overwrites what the last one saved.

    In a `LayerStack`, one saver keeps what passes in all of its layers, in an array that has the
    axis of the stack. `models.stack_blocks` stacks what repeats, so insert savers into all blocks
    of a kind before, or into the stack afterwards; a saver in one block alone ends the repetition.

    Attributes:
        saved: The `StateVariable`; its value is None before the first call.
    """

    saved: Any = dataclasses.field(default_factory=lambda: StateVariable(None))

    def __call__(self, argument: Any, /, **side_inputs: Any) -> Any:
        """Returns the input."""
        del side_inputs
        self.saved.value = argument
        return argument
