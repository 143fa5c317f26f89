"""A layer that checks the structure of what passes through it."""

from typing import Any, final

from modeldata._struct import pytree_dataclass, static_field
from modeldata.nn._layer import Layer
from modeldata.shapecheck import StructureAnnotation, check_structure


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
