"""The tables that say which stored tensor is which parameter, for reading and for writing.

A model family lists its tensors once. The list works in both directions and for every naming of the
same tensors, because a named axis needs no transposition: a stored axis either is a named axis, or
holds several named axes one inside the other, and is split or merged by a reshape.
"""

import dataclasses
import math
from collections.abc import Collection, Iterable, Mapping

import numpy as np
from numpy.typing import DTypeLike

from modeldata.models.checkpoints._base import Checkpoint
from modeldata.models.checkpoints._errors import LoadError


@dataclasses.dataclass(frozen=True)
class WeightRule:
    """Where one parameter is stored, and how.

    Attributes:
        label: The label of the parameter.
        names: The name of the tensor in each naming (`gguf`, `huggingface`).
        axes: For each axis of the stored tensor the named axes in it, outermost first, with sizes.
        shifts: What is added to the stored values, by naming; nothing where left out. Gemma's norm
            scales are stored less one by Hugging Face.
    """

    label: str
    names: Mapping[str, str]
    axes: tuple[Mapping[str, int], ...]
    shifts: Mapping[str, float] = dataclasses.field(default_factory=dict)

    @property
    def stored_shape(self) -> tuple[int, ...]:
        """The shape of the stored tensor."""
        return tuple(math.prod(group.values()) for group in self.axes)

    @property
    def named_shape(self) -> dict[str, int]:
        """The named axes of the parameter, in the order in which they are stored."""
        return {name: size for group in self.axes for name, size in group.items()}

    def read(self, checkpoint: Checkpoint, dtype: DTypeLike) -> np.ndarray:
        """Reads the parameter.

        Args:
            checkpoint: Where from; `check_tensors` must have accepted it.
            dtype: The type to convert to.

        Returns:
            The values, with the axes of `named_shape`.
        """
        values = checkpoint.read(self.names[checkpoint.naming], dtype)
        values += np.asarray(self.shifts.get(checkpoint.naming, 0), values.dtype)
        return values.reshape(tuple(self.named_shape.values()))

    def stored(self, values: np.ndarray, naming: str) -> np.ndarray:
        """Returns the tensor to store; the inverse of `read`.

        Args:
            values: The values of the parameter, with the axes of `named_shape`.
            naming: The naming to write for.
        """
        shift = np.asarray(self.shifts.get(naming, 0), values.dtype)
        return (values - shift).reshape(self.stored_shape)


def check_tensors(
    rules: Iterable[WeightRule], checkpoint: Checkpoint, repeated: Collection[str] = ()
) -> None:
    """Checks, before anything is read, that a checkpoint has exactly the tensors of a table.

    Args:
        rules: The table.
        checkpoint: The checkpoint.
        repeated: Tensors that may be there and need not be read, since they repeat others.

    Raises:
        LoadError: If a tensor is missing, has another shape, or is not in the table: a model that
            leaves out weights would give other results.
    """
    expected = {rule.names[checkpoint.naming]: rule for rule in rules}
    missing = [name for name in expected if name not in checkpoint.tensors]
    if missing:
        raise LoadError(
            f"Expected {len(expected)} tensors, but {checkpoint.source} has none named "
            f"{_some(missing)}. The file is incomplete, or of another model family."
        )
    surplus = [name for name in checkpoint.tensors if name not in expected and name not in repeated]
    if surplus:
        raise LoadError(
            f"Expected only the tensors that `{checkpoint.architecture}` models have, but "
            f"{checkpoint.source} also has {_some(surplus)}. This variant is not supported."
        )
    for name, rule in expected.items():
        shape = checkpoint.tensors[name].shape
        if shape != rule.stored_shape:
            raise LoadError(
                f"Expected the tensor `{name}` to have the shape {rule.stored_shape} that the "
                f"settings ask for, but in {checkpoint.source} it has {shape}. The file is "
                "damaged, or its settings belong to another model."
            )


def _some(names: list[str], limit: int = 3) -> str:
    text = ", ".join(f"`{name}`" for name in names[:limit])
    return f"{text} and {len(names) - limit} more" if len(names) > limit else text
