"""The tables that say which stored tensor is which parameter, for reading and for writing.

A model family lists its tensors once. The list works in both directions and for every naming of the
same tensors, because a named axis needs no transposition: a stored axis is cut into parts, one
inside the other, and each part is a named axis, several of them, or a portion of something that
other parameters share (as where queries, keys and values are stored in one tensor).
"""

import dataclasses
import math
from collections.abc import Callable, Iterable, Mapping

import numpy as np
from numpy.typing import DTypeLike

from modeldata.models.checkpoints._base import Checkpoint, aligned_empty
from modeldata.models.checkpoints._errors import LoadError


@dataclasses.dataclass(frozen=True)
class Portion:
    """A part of a stored axis, and which of its indices belong to a parameter.

    Attributes:
        axes: The named axes that these indices are, outermost first, with sizes. Empty for a
            single index.
        start: The first of them.
        total: How many indices the part has; left out, only those of the parameter.
    """

    axes: Mapping[str, int]
    start: int = 0
    total: int | None = None

    @property
    def size(self) -> int:
        """How many indices belong to the parameter."""
        return math.prod(self.axes.values())

    @property
    def stored_size(self) -> int:
        """How many indices the part has."""
        return self.size if self.total is None else self.total


@dataclasses.dataclass(frozen=True)
class Place:
    """Where checkpoints of one naming store a parameter.

    Attributes:
        naming: The naming: `gguf` or `huggingface`.
        name: The name of the tensor. With the name of an axis in braces, as `{experts}`, there is
            one tensor for each index of that axis.
        axes: For each axis of the stored tensor its parts, outermost first.
        shift: What is added to the stored values. Gemma's norm scales are stored less one by
            Hugging Face.
        apart: The axis that is stored in tensors of their own, with its size.
        paired: The axis whose two halves take turns in the stored tensor, or None.
    """

    naming: str
    name: str
    axes: tuple[tuple[Portion, ...], ...]
    shift: float = 0.0
    apart: tuple[str, int] | None = None
    paired: str | None = None

    @property
    def tensor_names(self) -> list[str]:
        """The names of all tensors that hold the parameter."""
        if self.apart is None:
            return [self.name]
        axis, size = self.apart
        return [self.name.replace(f"{{{axis}}}", str(index)) for index in range(size)]

    @property
    def stored_shape(self) -> tuple[int, ...]:
        """The shape of each stored tensor."""
        return tuple(math.prod(part.stored_size for part in parts) for parts in self.axes)

    @property
    def named_shape(self) -> dict[str, int]:
        """The named axes of the parameter, in the order in which they are stored."""
        outer = {} if self.apart is None else dict([self.apart])
        return outer | {k: v for parts in self.axes for p in parts for k, v in p.axes.items()}

    @property
    def is_whole(self) -> bool:
        """Whether the stored tensor is the parameter, but for its shape."""
        parts = self._sizes(stored=True) == self._sizes(stored=False)
        return parts and self.apart is None and self.shift == 0 and self.paired is None

    def read(self, checkpoint: Checkpoint, dtype: DTypeLike) -> np.ndarray:
        """Reads the parameter; see `WeightRule.read`."""
        shape = tuple(self.named_shape.values())
        if self.apart is None and self._sizes(stored=True) == self._sizes(stored=False):
            # The whole tensor need not be copied.
            values = self._shifted(checkpoint.read(self.name, dtype)).reshape(shape)
            return values if self.paired is None else self._with_halves(values, split=(-1, 2))
        values = aligned_empty(shape, dtype)
        pieces = values.reshape(-1, *self._sizes(stored=False))
        for piece, name in zip(pieces, self.tensor_names, strict=True):
            whole = checkpoint.read(name, dtype).reshape(self._sizes(stored=True))
            piece[...] = self._shifted(whole[self._slices])
        return values

    def write(self, values: np.ndarray, into: Callable[[str], np.ndarray]) -> None:
        """Writes the parameter into its tensors; the inverse of `read`.

        Args:
            values: The values, with the axes of `named_shape`.
            into: Gives the tensor of a name and of the shape `stored_shape`, to be filled.
        """
        if self.paired is not None:
            values = self._with_halves(values, split=(2, -1))
        pieces = values.reshape(-1, *self._sizes(stored=False))
        for piece, name in zip(pieces, self.tensor_names, strict=True):
            whole = into(name).reshape(self._sizes(stored=True))
            whole[self._slices] = piece - np.asarray(self.shift, values.dtype)

    def _with_halves(self, values: np.ndarray, split: tuple[int, int]) -> np.ndarray:
        """Splits the paired axis in two and exchanges these."""
        axis = list(self.named_shape).index(str(self.paired))
        shape = values.shape
        parts = values.reshape(*shape[:axis], *split, *shape[axis + 1 :])
        result = aligned_empty(shape, values.dtype)
        result[...] = np.swapaxes(parts, axis, axis + 1).reshape(shape)
        return result

    def _shifted(self, values: np.ndarray) -> np.ndarray:
        values += np.asarray(self.shift, values.dtype)
        return values

    def _sizes(self, *, stored: bool) -> list[int]:
        parts = (part for parts in self.axes for part in parts)
        return [part.stored_size if stored else part.size for part in parts]

    @property
    def _slices(self) -> tuple[slice, ...]:
        parts = (part for parts in self.axes for part in parts)
        return tuple(slice(part.start, part.start + part.size) for part in parts)


@dataclasses.dataclass(frozen=True)
class WeightRule:
    """Where one parameter is stored.

    Attributes:
        label: The label of the parameter.
        places: Where checkpoints store it. Of several places with one naming the first is where it
            is saved; checkpoints may have any.
    """

    label: str
    places: tuple[Place, ...]

    @property
    def named_shape(self) -> dict[str, int]:
        """The named axes of the parameter, in the order in which it is saved."""
        return self.places[0].named_shape

    def place_in(self, checkpoint: Checkpoint) -> Place:
        """Returns where a checkpoint stores the parameter, or should.

        Args:
            checkpoint: The checkpoint.

        Raises:
            LoadError: If it is not known for this kind of checkpoint.
        """
        named = [place for place in self.places if place.naming == checkpoint.naming]
        if not named:
            raise LoadError(
                f"Expected a kind of checkpoint that is known for `{checkpoint.architecture}` "
                f"models, but got {checkpoint.source}. Use a Hugging Face folder."
            )
        there = (place for place in named if place.tensor_names[0] in checkpoint.tensors)
        return next(there, named[0])

    def place_for(self, naming: str) -> Place:
        """Returns where the parameter is saved.

        Args:
            naming: The naming to write for.
        """
        return next(place for place in self.places if place.naming == naming)

    def read(self, checkpoint: Checkpoint, dtype: DTypeLike) -> np.ndarray:
        """Reads the parameter.

        Args:
            checkpoint: Where from; `check_tensors` must have accepted it.
            dtype: The type to convert to.

        Returns:
            The values, with the axes of `place_in(checkpoint).named_shape`.
        """
        return self.place_in(checkpoint).read(checkpoint, dtype)


def check_tensors(
    rules: Iterable[WeightRule],
    checkpoint: Checkpoint,
    is_ignored: Callable[[str], object] = lambda _: False,
) -> None:
    """Checks, before anything is read, that a checkpoint has exactly the tensors of a table.

    Args:
        rules: The table.
        checkpoint: The checkpoint.
        is_ignored: Says of a tensor that is not in the table whether it need not be read, since it
            repeats another or holds no weights.

    Raises:
        LoadError: If a tensor is missing, has another shape, or is not in the table: a model that
            leaves out weights would give other results.
    """
    places = [rule.place_in(checkpoint) for rule in rules]
    expected = {name: place for place in places for name in place.tensor_names}
    missing = [name for name in expected if name not in checkpoint.tensors]
    if missing:
        raise LoadError(
            f"Expected {len(expected)} tensors, but {checkpoint.source} has none named "
            f"{_some(missing)}. The file is incomplete, or of another model family."
        )
    surplus = [name for name in checkpoint.tensors if name not in expected and not is_ignored(name)]
    if surplus:
        raise LoadError(
            f"Expected only the tensors that `{checkpoint.architecture}` models have, but "
            f"{checkpoint.source} also has {_some(surplus)}. This variant is not supported."
        )
    for name, place in expected.items():
        shape = checkpoint.tensors[name].shape
        if shape != place.stored_shape:
            raise LoadError(
                f"Expected the tensor `{name}` to have the shape {place.stored_shape} that the "
                f"settings ask for, but in {checkpoint.source} it has {shape}. The file is "
                "damaged, or its settings belong to another model."
            )


def _some(names: list[str], limit: int = 3) -> str:
    text = ", ".join(f"`{name}`" for name in names[:limit])
    return f"{text} and {len(names) - limit} more" if len(names) > limit else text
