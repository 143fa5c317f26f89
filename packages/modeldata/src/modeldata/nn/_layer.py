"""The protocol of layers."""

import abc
import contextlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, final

import jax

from modeldata._struct import Struct
from modeldata.variables import (
    AbstractVariableValue,
    bind_variables,
    freeze_variables,
)


class MissingSideInputError(KeyError):
    """A layer needs a side input that it was not given.

    Layers that hold others say, as the error passes them, where the layer is. So the path costs
    nothing unless there is an error, and is found while JAX traces as well.

    Attributes:
        layer: The class of the layer.
        name: The side input.
        present: The side inputs that there are.
        path: Where the layer is in the outermost layer that was called, as Python code; empty for
            that layer itself.
    """

    def __init__(self, layer: str, name: str, present: tuple[str, ...]) -> None:
        """Makes an error of a layer whose place is not known yet.

        Args:
            layer: The class of the layer.
            name: The side input.
            present: The side inputs that there are.
        """
        super().__init__(layer, name, present)
        self.layer = layer
        self.name = name
        self.present = present
        self.path = ""
        self.holder: Any = None

    def __str__(self) -> str:
        # KeyError would show the message with quotation marks and escapes.
        place = f" at `{self.path}`" if self.path else ""
        present = ", ".join(f"`{key}`" for key in self.present) or "none"
        return (
            f"`{self.layer}`{place} needs the side input `{self.name}`, but the side inputs "
            f"present are: {present}. Pass `{self.name}=...` when you call the model."
        )

    def locate(self, tree: Any, copy: Any = None) -> None:
        """Puts the way through a tree in front of the path.

        Args:
            tree: A layer that called the one that the error comes from, directly or not.
            copy: What was called in its stead, if that was not the same object.
        """
        called, sought = tree if copy is None else copy, self.holder
        self.holder = tree
        nodes = jax.tree_util.tree_leaves_with_path(called, is_leaf=lambda node: node is sought)
        found = [jax.tree_util.keystr(path) for path, node in nodes if node is sought]
        self.path = (found[0] if found else "...") + self.path


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
        with locating(self, is_copied=True):
            result = call_located(layer, argument, side_inputs)
        return result, tuple(variable.freeze() for variable in variables)


@contextlib.contextmanager
def locating(layer: Any, *, is_copied: bool = False) -> Iterator[None]:
    """Puts the way through a layer in front of the path of a side input missing inside.

    Every layer that calls others does so within this.

    Args:
        layer: The layer.
        is_copied: Whether what was called inside is a copy of this layer.
    """
    try:
        yield
    except MissingSideInputError as error:
        error.locate(layer, copy=error.holder if is_copied else None)
        raise


def call_located(layer: Any, argument: Any, side_inputs: Mapping[str, Any]) -> Any:
    """Calls a layer; what it misses is said of it, not of layers in it.

    Args:
        layer: The layer, perhaps a copy of one.
        argument: Its input.
        side_inputs: Its side inputs.

    Raises:
        MissingSideInputError: If the layer misses one.
    """
    with locating(layer):
        return layer(argument, **side_inputs)


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
    error = MissingSideInputError(type(layer).__name__, name, tuple(side_inputs))
    error.holder = layer
    raise error
