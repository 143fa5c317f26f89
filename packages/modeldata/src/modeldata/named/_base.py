"""What named arrays are made of, for the functions that the class itself is built on."""

from typing import Any, Self, TypeVar

from modeldata import _repr
from modeldata._struct import Struct
from modeldata.named._dims import AxisName, Dims, Layout, layout_of

_N = TypeVar("_N", bound="Named")


class Named(Struct):
    """An array some of whose axes have names; see `NamedArray`, its one concrete class."""

    data_array: Any
    dims: Dims

    @classmethod
    def _make(cls, data_array: Any, dims: Dims) -> Self:
        """Makes an instance without any check; `dims` must be in short form."""
        result = object.__new__(cls)
        attributes = result.__dict__
        attributes["data_array"] = data_array
        attributes["dims"] = dims
        return result

    @property
    def _layout(self) -> Layout:
        ndim = getattr(self.data_array, "ndim", None)
        if not isinstance(ndim, int):
            raise ValueError(  # noqa: TRY004  # every invalid named array is a ValueError
                "Expected the `data_array` of a named array to be an array with a shape and a "
                f"dtype, got {_repr.brief(self.data_array)}. Put an array there first."
            )
        if not isinstance(self.dims, tuple):
            raise ValueError(  # noqa: TRY004  # as above
                f"Expected the `dims` of a named array to be a tuple, got {self.dims!r}. "
                "Use `nx.wrap(array, *names)` to make named arrays."
            )
        return layout_of(self.dims, ndim)

    @property
    def named_shape(self) -> dict[AxisName, int]:
        """The size of each named axis by name, in the order in which they are stored."""
        layout, shape = self._layout, self.data_array.shape
        return {name: shape[layout.axis_of[name]] for name in layout.names}

    @property
    def positional_shape(self) -> tuple[int, ...]:
        """The sizes of the positional axes."""
        shape = self.data_array.shape
        return tuple(shape[axis] for axis in self._layout.positional)


def is_named(value: object) -> bool:
    """Returns whether a value is a named array."""
    return isinstance(value, Named)
