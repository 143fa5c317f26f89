"""Which arrays of a tree are drawn, and how."""

from collections.abc import Hashable, Iterable
from contextlib import suppress
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import Any, Literal, Self, SupportsIndex

from treeview._names import class_of
from treeview.arrays.checks import check_cell, choice
from treeview.arrays.drawing import can_draw_unasked
from treeview.arrays.given import short_text
from treeview.arrays.protocol import ArrayInfo
from treeview.arrays.style import PictureStyle
from treeview.arrays.tokens import TokenLookup, token_texts

# The bytes of a picture of noise grow with the logarithm of this; neighbours still look different.
_COLOR_STEPS = 33
_MOST_CELLS = 4000
_SIZES = ("maximum_size", "cutoff_size_per_axis", "edge_items")


@dataclass(frozen=True, slots=True, kw_only=True)
class ArrayAutovisualizer:
    """How the arrays in a tree are drawn: a value of the option `autovisualize`.

    As a rule of its own it draws all arrays of numbers and of records, and arrays of texts if at
    most nine different ones are shown; a function that decides by value and path may return it for
    the arrays that are to be drawn so. All arrays are still read together.

    Attributes:
        maximum_size: About how many values of an array to show; None for 4000, or fewer where the
            arrays of a tree together would exceed the option `max_cells`.
        cutoff_size_per_axis: About how many indices of one axis to show.
        edge_items: How many indices to keep at either end of an axis.
        prefers_column: Names of axes that go to the columns of whatever array has them, innermost
            first; one name may stand alone.
        prefers_row: Names of axes that go to the rows.
        around_zero: Whether zero is in the middle of the colours; `"auto"` if values of both signs
            are shown.
        force_continuous: Whether integers get colours of a map instead of nested squares.
        token_lookup_fn: Gives the text of a token for its number, or None where there is no such
            token; then arrays of integers show their tokens.
        pixels_per_cell: The side of a cell in CSS pixels, 1 to 64; None for 7, up to 14 in small
            pictures.

    Raises:
        TypeError: A setting has another type.
        ValueError: A setting is out of range, or an axis is to be both column and row.

    Example:
        >>> with treeview.options(autovisualize=ArrayAutovisualizer(prefers_column="kv_seq")):
        ...     treeview.show(activations)  # doctest: +SKIP
    """

    maximum_size: int | None = None
    cutoff_size_per_axis: int = 128
    edge_items: int = 5
    prefers_column: Hashable | Iterable[Hashable] = ()
    prefers_row: Hashable | Iterable[Hashable] = ()
    around_zero: bool | Literal["auto"] = "auto"
    force_continuous: bool = False
    token_lookup_fn: TokenLookup | None = None
    pixels_per_cell: float | None = None

    def __post_init__(self) -> None:
        for name in _SIZES:
            value: Any = getattr(self, name)
            if value is None and name == "maximum_size":
                continue
            if isinstance(value, bool) or not isinstance(value, SupportsIndex):
                raise TypeError(f"Expected `{name}` to be a whole number, got {value!r}.")
            if value.__index__() < 1:
                raise ValueError(f"Expected `{name}` to be at least 1, got {value!r}.")
        choice(self.around_zero, "around_zero")
        if class_of(self.force_continuous) is not bool:
            raise TypeError(
                "Expected `force_continuous` to be True or False, got "
                f"{short_text(self.force_continuous)}."
            )
        check_cell(self.pixels_per_cell)
        if self.token_lookup_fn is not None and not callable(self.token_lookup_fn):
            raise TypeError(
                "Expected `token_lookup_fn` to be a function from a number to a text, got "
                f"{self.token_lookup_fn!r}; for a tokenizer use "
                "`ArrayAutovisualizer.for_tokenizer`."
            )
        both = [name for name in _names(self.prefers_column) if name in _names(self.prefers_row)]
        if both:
            raise ValueError(
                "Expected each axis in one of `prefers_column` and `prefers_row`, got "
                f"{both[0]!r} in both; leave it out of one."
            )

    @classmethod
    def for_tokenizer(cls, tokenizer: Any, **settings: Any) -> Self:
        """Shows the tokens behind arrays of integers.

        Tokens are written as the vocabulary has them (`'Ġcat'`, `'▁cat'`), and numbers without a
        token as `<out of bounds: 50300>`.

        Args:
            tokenizer: A tokenizer of SentencePiece, `tokenizers` or `transformers`, any object
                with a method `decode` for lists of numbers, or a function from a number to a
                text.
            **settings: Other fields of `ArrayAutovisualizer`.

        Raises:
            TypeError: It is none of these, or a setting has another name.
        """
        known = {field.name for field in fields(cls)} - {"token_lookup_fn"}
        for name in settings:
            if name not in known:
                raise TypeError(
                    f"Expected a setting of `ArrayAutovisualizer`, got `{name}`; known are "
                    f"{', '.join(f'`{one}`' for one in sorted(known))}."
                )
        return cls(token_lookup_fn=token_texts(tokenizer), **settings)

    def __call__(self, value: object, path: str) -> Self:  # noqa: ARG002 - the form of a rule
        """Is what a rule answers: to draw so whatever can be drawn."""
        return self

    def style(self, info: ArrayInfo) -> PictureStyle | None:
        """How to draw one array; None where it has no picture."""
        if info.size <= 1 or not can_draw_unasked(info):
            return None
        rows, columns = _present(self.prefers_row, info), _present(self.prefers_column, info)
        if self.token_lookup_fn is None:
            with suppress(TypeError):  # names in a list have no hash
                return _known_style(self, rows, columns)
        return _picture_style(self, rows, columns)


def _picture_style(
    chosen: ArrayAutovisualizer, rows: tuple[int, ...], columns: tuple[int, ...]
) -> PictureStyle:
    return PictureStyle(
        rows=rows,
        columns=columns,
        continuous=True if chosen.force_continuous else "auto",
        around_zero=chosen.around_zero,
        color_steps=_COLOR_STEPS,
        maximum_size=_MOST_CELLS if chosen.maximum_size is None else chosen.maximum_size,
        axis_cutoff=chosen.cutoff_size_per_axis,
        minimum_edge=chosen.edge_items,
        pixels_per_cell=chosen.pixels_per_cell,
        token_lookup=chosen.token_lookup_fn,
    )


# The arrays of a model are drawn in few styles.
_known_style = lru_cache(maxsize=32)(_picture_style)


def _names(given: Hashable | Iterable[Hashable]) -> tuple[Hashable, ...]:
    return tuple(given) if isinstance(given, list | tuple | set | frozenset) else (given,)  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType] - a sequence of anything


def _present(given: Hashable | Iterable[Hashable], info: ArrayInfo) -> tuple[int, ...]:
    """Where the named axes are that an array has."""
    if given == ():
        return ()
    found = (
        number
        for name in _names(given)
        for number, axis in enumerate(info.axes)
        if axis.name is not None and axis.name == name
    )
    return tuple(dict.fromkeys(found))
