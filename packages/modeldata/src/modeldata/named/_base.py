"""What named arrays are made of, for the functions that the class itself is built on."""

from typing import Any, Self

from modeldata import _repr
from modeldata._struct import Struct
from modeldata.named._dims import AxisName, Dims, Layout, layout_of


class Named(Struct):
    """An array some of whose axes have names; see `NamedArray`, its one concrete class."""

    data_array: Any
    dims: Dims

    @property
    def dtype(self) -> Any:
        """The type of the elements."""
        return self.data_array.dtype

    @classmethod
    def _make(cls, data_array: Any, dims: Dims) -> Self:
        """Makes an instance without any check; `dims` must be in short form."""
        result: Any = object.__new__(cls)
        attributes: dict[str, Any] = result.__dict__  # not by assignment, because it is frozen
        attributes["data_array"] = data_array
        attributes["dims"] = dims
        return result

    @property
    def layout(self) -> Layout:
        """The parts that the stored axes play; raises ValueError if `dims` and data do not fit."""
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
        layout, shape = self.layout, self.data_array.shape
        return {name: shape[layout.axis_of[name]] for name in layout.names}

    @property
    def positional_shape(self) -> tuple[int, ...]:
        """The sizes of the positional axes."""
        shape = self.data_array.shape
        return tuple(shape[axis] for axis in self.layout.positional)


def is_named(value: object) -> bool:
    """Returns whether a value is a named array."""
    return isinstance(value, Named)
