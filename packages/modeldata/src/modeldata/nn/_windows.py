"""Windows that slide along axes: what convolution and pooling share."""

from collections.abc import Hashable, Iterable, Mapping
from typing import Any, Self

import jax

from modeldata._struct import Struct, pytree_dataclass, static_field
from modeldata.nn._axes import list_names

Padding = str | tuple[tuple[int, int], ...]
PaddingLike = str | Mapping[Hashable, tuple[int, int]]
PerAxis = int | Mapping[Hashable, int]


@pytree_dataclass
class Windows(Struct):
    """Where windows lie along some axes.

    Attributes:
        axis_names: The axes.
        sizes: The size of the window along each.
        strides: How far apart windows begin.
        padding: What is added in front of and after each axis: `"VALID"` for nothing, `"SAME"` for
            as many windows as the size divided by the stride, rounded up, `"CAUSAL"` for windows
            that end at each index, or two numbers for each axis.
        dilation: How far apart the elements of a window lie.
        input_dilation: How far apart the elements of the input are pulled, zeros between them.
    """

    axis_names: tuple[Hashable, ...] = static_field()
    sizes: tuple[int, ...] = static_field()
    strides: tuple[int, ...] = static_field()
    padding: Padding = static_field()
    dilation: tuple[int, ...] = static_field()
    input_dilation: tuple[int, ...] = static_field()

    @classmethod
    def make(
        cls,
        sizes: Mapping[Hashable, int],
        strides: PerAxis,
        padding: PaddingLike,
        dilation: PerAxis,
        input_dilation: PerAxis = 1,
    ) -> Self:
        """Returns windows from settings by axis.

        Args:
            sizes: The size of the window along each axis.
            strides: One number for all axes, or one for each by name, where 1 may be left out.
            padding: `"VALID"`, `"SAME"`, `"CAUSAL"`, or two numbers for each axis by name, where
                `(0, 0)` may be left out.
            dilation: As `strides`.
            input_dilation: As `strides`.

        Raises:
            ValueError: If there are no axes, if a number is not positive, or if a setting is for
                another axis or of another kind.
        """
        names = tuple(sizes)
        if not names:
            raise ValueError(
                "Expected a window with at least one axis, but got none. Name the axes to slide "
                'along, as in `{"height": 3, "width": 3}`.'
            )
        return cls(
            axis_names=names,
            sizes=_per_axis("window", sizes, names),
            strides=_per_axis("strides", strides, names),
            padding=_padding(padding, names),
            dilation=_per_axis("dilation", dilation, names),
            input_dilation=_per_axis("input_dilation", input_dilation, names),
        )

    def pads(self, shape: Mapping[Hashable, int]) -> list[tuple[int, int]]:
        """Returns what to add in front of and after each axis.

        Args:
            shape: The size of each axis of the input by name.
        """
        if not isinstance(self.padding, str):
            return list(self.padding)
        reaches = [(size - 1) * d + 1 for size, d in zip(self.sizes, self.dilation, strict=True)]
        if self.padding == "CAUSAL":
            return [(reach - 1, 0) for reach in reaches]
        lengths = [
            (shape[name] - 1) * d + 1
            for name, d in zip(self.axis_names, self.input_dilation, strict=True)
        ]
        return list(jax.lax.padtype_to_pads(lengths, reaches, self.strides, self.padding))


def _per_axis(what: str, value: Any, names: tuple[Hashable, ...]) -> tuple[int, ...]:
    values: dict[Any, Any] = (
        dict(value) if isinstance(value, Mapping) else dict.fromkeys(names, value)
    )
    _check_names(what, values, names)
    result = tuple(values.get(name, 1) for name in names)
    if any(not isinstance(number, int) or number < 1 for number in result):
        raise ValueError(
            f"Expected a positive integer for every axis in `{what}`, but got {value!r}."
        )
    return result


def _padding(value: PaddingLike, names: tuple[Hashable, ...]) -> Padding:
    if isinstance(value, str) and value.upper() in {"VALID", "SAME", "CAUSAL"}:
        return value.upper()
    if not isinstance(value, Mapping):
        raise ValueError(  # noqa: TRY004  # other texts are wrong values, too
            "Expected `padding` to be 'VALID', 'SAME', 'CAUSAL' or two numbers for each axis by "
            f"name, but got {value!r}."
        )
    _check_names("padding", value, names)
    return tuple(tuple(value.get(name, (0, 0))) for name in names)  # pyright: ignore[reportReturnType]  # pairs


def _check_names(what: str, given: Iterable[Hashable], names: tuple[Hashable, ...]) -> None:
    unknown = [name for name in given if name not in names]
    if unknown:
        raise ValueError(
            f"Expected `{what}` for the axes of the window, {list_names(names)}, but got it for "
            f"{list_names(unknown)}."
        )
