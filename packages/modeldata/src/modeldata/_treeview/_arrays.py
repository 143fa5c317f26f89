"""Named arrays: the axes have names, the rest is what the stored array says."""

from modeldata.named import NamedArray
from modeldata.named._dims import layout_of
from treeview import Axis, delegating_adapter


def named_axes(array: NamedArray) -> list[Axis]:
    """The axes of a named array in the order of its data.

    Args:
        array: A named array.

    Raises:
        ValueError: If its axes do not fit the array that it holds.
    """
    shape = array.data_array.shape
    labels = layout_of(array.dims, len(shape)).labels
    return [
        Axis(size, position=label) if isinstance(label, int) else Axis(size, name=label)
        for size, label in zip(shape, labels, strict=True)
    ]


named_adapter = delegating_adapter(
    lambda array: array.data_array, axes=named_axes, type_name="NamedArray"
)
