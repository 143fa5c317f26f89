"""Compiling a part of a model."""

from typing import Any

from modeldata._struct import pytree_dataclass
from modeldata.nn import Layer
from modeldata.nn._layer import call_located, locating
from modeldata.variables import variable_jit


@pytree_dataclass
class Jitted(Layer):
    """Runs a layer compiled.

    Models that are equal in structure, shapes and labels share compiled code. Variables in the
    layer, the argument and the side inputs may change during a call.

    Attributes:
        body: The layer.
    """

    body: Any

    def __call__(self, argument: Any, /, **side_inputs: Any) -> Any:
        """Returns what the layer returns."""
        with locating(self), locating(self.body, is_copied=True):
            return _call(self.body, argument, side_inputs)


@variable_jit
def _call(body: Any, argument: Any, side_inputs: dict[str, Any]) -> Any:
    return call_located(body, argument, side_inputs)
