"""Layers that run others side by side."""

import functools
import operator
from typing import Any

from modeldata._struct import pytree_dataclass
from modeldata.nn._arguments import require_layers
from modeldata.nn._layer import Layer, locating


@pytree_dataclass
class Residual(Layer):
    """Adds the output of a layer to its input.

    Attributes:
        delta: The layer.
    """

    delta: Any

    def __post_init__(self) -> None:
        if isinstance(self.delta, list | tuple):
            raise TypeError(
                f"`{type(self).__name__}` needs one layer in `delta`, but got a "
                f"`{type(self.delta).__name__}` of {len(self.delta)}. Put them in a `Sequential`."
            )

    def __call__(self, argument: Any, /, **side_inputs: Any) -> Any:
        """Returns the input plus what the layer makes of it."""
        with locating(self):
            return argument + self.delta(argument, **side_inputs)


@pytree_dataclass
class BranchAndAddTogether(Layer):
    """Runs several layers on the same input and adds their outputs.

    Attributes:
        branches: The layers; at least one.
    """

    branches: list[Any]

    def __post_init__(self) -> None:
        require_layers(self, self.branches, "branches")

    def __call__(self, argument: Any, /, **side_inputs: Any) -> Any:
        """Returns the sum over the branches.

        Raises:
            ValueError: If there are no branches.
        """
        return functools.reduce(operator.add, _outputs(self, argument, side_inputs))


@pytree_dataclass
class BranchAndMultiplyTogether(Layer):
    """Runs several layers on the same input and multiplies their outputs.

    Attributes:
        branches: The layers; at least one.
    """

    branches: list[Any]

    def __post_init__(self) -> None:
        require_layers(self, self.branches, "branches")

    def __call__(self, argument: Any, /, **side_inputs: Any) -> Any:
        """Returns the product over the branches.

        Raises:
            ValueError: If there are no branches.
        """
        return functools.reduce(operator.mul, _outputs(self, argument, side_inputs))


def _outputs(
    layer: BranchAndAddTogether | BranchAndMultiplyTogether,
    argument: Any,
    side_inputs: dict[str, Any],
) -> list[Any]:
    if not layer.branches:
        raise ValueError(
            f"`{type(layer).__name__}` needs at least one branch, but `branches` is empty. Put "
            "layers in it, or use `Identity`."
        )
    with locating(layer):
        return [branch(argument, **side_inputs) for branch in layer.branches]
