"""Layers that check the structure of what passes through them."""

from typing import Any, final

from modeldata._struct import pytree_dataclass, static_field
from modeldata.nn._grouping import Sequential
from modeldata.nn._layer import Layer
from modeldata.shapecheck import StructureAnnotation, check_structure


@pytree_dataclass
class CheckedSequential(Layer):
    """Runs its sublayers in order, and checks what comes in and what goes out.

    A variable has the same value in both patterns. Patterns belong to the structure of the model,
    so they are hashable: an `ArraySpec`, or a tuple of some.

    Attributes:
        input_like: The pattern of the input; see `modeldata.shapecheck`.
        output_like: The pattern of the output.
        sublayers: The layers; none for the identity.
    """

    input_like: StructureAnnotation = static_field(always_collapse=True)
    output_like: StructureAnnotation = static_field(always_collapse=True)
    sublayers: list[Any]

    @final
    def __call__(self, argument: Any, /, **side_inputs: Any) -> Any:
        """Runs the sublayers in order.

        Raises:
            StructureMismatchError: If the input or the output does not match its pattern.
        """
        name = type(self).__name__
        known = check_structure(
            argument, self.input_like, error_prefix=f"While checking the input of a `{name}`:"
        )
        result = Sequential(self.sublayers)(argument, **side_inputs)
        check_structure(
            result,
            self.output_like,
            known_vars=known,
            error_prefix=f"While checking the output of a `{name}`, given its input:",
        )
        return result


@final
@pytree_dataclass
class CheckStructure(Layer):
    """Returns its input if that matches a pattern.

    Attributes:
        expected: The pattern, which is hashable; see `modeldata.shapecheck`.
    """

    expected: StructureAnnotation = static_field()

    def __call__(self, argument: Any, /, **side_inputs: Any) -> Any:
        """Checks the input and returns it.

        Raises:
            StructureMismatchError: If it does not match.
        """
        del side_inputs
        check_structure(
            argument, self.expected, error_prefix="While checking the input of a `CheckStructure`:"
        )
        return argument
