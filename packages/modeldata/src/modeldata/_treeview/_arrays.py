"""Named arrays: the axes have names, the rest is what the stored array says."""

from modeldata.named import AxisName, NamedArray
from treeview import Axis, Shown, View, delegating_adapter


def named_axes(array: NamedArray) -> list[Axis]:
    """The axes of a named array in the order of its data.

    Args:
        array: A named array.

    Raises:
        ValueError: If its axes do not fit the array that it holds.
    """
    return [
        Axis(size, position=label) if isinstance(label, int) else Axis(size, name=_shown(label))
        for size, label in zip(array.data_array.shape, array.layout.labels, strict=True)
    ]


def _shown(name: AxisName) -> AxisName:
    return "None" if name is None else name  # to treeview, None is an axis without a name


named_adapter = delegating_adapter(
    lambda array: array.data_array, axes=named_axes, type_name="NamedArray"
)


def draw_named_array(array: NamedArray, view: View) -> Shown:
    """Draws a named array as one line, or as a struct where it is no proper array.

    Args:
        array: A named array. It may hold anything that JAX puts there, such as None, a sharding, or
            a derivative that is itself a named array; and what it holds need not fit its `dims`.
        view: The builder of treeview.
    """
    if view.options.roundtrip or not _holds_array(array, view):
        return view.record(array, array.attributes_dict(), static=["dims"])
    return view.array(array, named_adapter)


def _holds_array(array: NamedArray, view: View) -> bool:
    try:
        _ = array.layout
        view.array(array.data_array)
    except (TypeError, ValueError):
        return False
    return True
