"""The protocol of layers."""

import abc
from collections.abc import Iterable, Mapping
from typing import Any, final

from modeldata._struct import Struct
from modeldata.variables import (
    AbstractVariableValue,
    bind_variables,
    freeze_variables,
)


class MissingSideInputError(KeyError):
    """A layer needs a side input that it was not given."""

    def __str__(self) -> str:
        # KeyError would show the message with quotation marks and escapes.
        return str(self.args[0]) if self.args else ""


class Layer(Struct):
    """A step of a model: one input, one output, and nothing to configure when it is called.

    A layer takes one positional argument, and side inputs by keyword. It ignores side inputs that
    it does not know, and layers that hold others forward all of them. Its settings are fields, so
    that its printed form says what it does; different modes are different classes.
    """

    @abc.abstractmethod
    def __call__(self, argument: Any, /, **side_inputs: Any) -> Any:
        """Runs the layer.

        Args:
            argument: The input.
            **side_inputs: Further inputs, shared by all layers of a model.

        Returns:
            The output.
        """

    def bind_variables(self, variables: Iterable[Any], *, allow_unused: bool = False) -> Any:
        """Returns a copy with variables in their slots; see `modeldata.bind_variables`.

        Args:
            variables: Variables and frozen values.
            allow_unused: Whether there may be variables without a slot in this layer.
        """
        return bind_variables(self, variables, allow_unused=allow_unused)

    @final
    def stateless_call(
        self,
        variable_values: Iterable[AbstractVariableValue],
        argument: Any,
        /,
        **side_inputs: Any,
    ) -> tuple[Any, tuple[Any, ...]]:
        """Runs the layer as a pure function.

        Variables that the layer or its inputs still hold are read, never changed.

        Args:
            variable_values: Frozen values for slots in the layer, the argument or side inputs.
            argument: The input.
            **side_inputs: Side inputs.

        Returns:
            The output, and the values of the same variables afterwards, in the same order.

        Raises:
            ValueError: If a value has no slot, or is not frozen.
        """
        for value in (values := tuple(variable_values)):
            if not isinstance(value, AbstractVariableValue):
                raise ValueError(  # noqa: TRY004  # the same class as for other wrong values
                    "Expected frozen values in `variable_values` of `stateless_call`, but got a "
                    f"`{type(value).__name__}`. Freeze it with `.freeze()`."
                )
        variables = tuple(value.unfreeze_as_copy() for value in values)
        pure = freeze_variables((self, argument, side_inputs))
        layer, argument, side_inputs = bind_variables(pure, variables)
        result = layer(argument, **side_inputs)
        return result, tuple(variable.freeze() for variable in variables)


def require_side_input(layer: Any, side_inputs: Mapping[str, Any], name: str) -> Any:
    """Returns a side input that a layer cannot do without.

    Args:
        layer: The layer, for the message.
        side_inputs: The side inputs that it got.
        name: The name of the one it needs.

    Raises:
        MissingSideInputError: If it is not there.
    """
    if name in side_inputs:
        return side_inputs[name]
    present = ", ".join(f"`{key}`" for key in side_inputs) or "none"
    raise MissingSideInputError(
        f"`{type(layer).__name__}` needs the side input `{name}`, but the side inputs present are: "
        f"{present}. Pass `{name}=...` when you call the model."
    )
