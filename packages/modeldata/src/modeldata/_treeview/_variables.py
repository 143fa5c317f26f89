"""Variables, their frozen values and their slots."""

from typing import Any

from modeldata._treeview._colors import (
    GREY,
    PARAMETER,
    PARAMETER_VALUE,
    STATE,
    STATE_VALUE,
)
from modeldata.variables import (
    AbstractVariable,
    AbstractVariableSlot,
    AbstractVariableValue,
    Parameter,
    ParameterValue,
)
from treeview import Shown, View


def draw_variable(variable: AbstractVariable, view: View) -> Shown:
    """Draws a variable: its value first, because its label tends to be long.

    Args:
        variable: A parameter or a state variable.
        view: The builder of treeview.
    """
    is_parameter = isinstance(variable, Parameter)
    color = PARAMETER if is_parameter else STATE
    # Reading `label` inside `variable_jit` would make compiled code depend on it.
    label = variable.identity[1]
    return _record(variable, view, color, label=label, is_parameter=is_parameter)


def draw_value(value: AbstractVariableValue, view: View) -> Shown:
    """Draws the frozen value of a variable.

    Args:
        value: The frozen value.
        view: The builder of treeview.
    """
    is_parameter = isinstance(value, ParameterValue)
    color = PARAMETER_VALUE if is_parameter else STATE_VALUE
    return _record(value, view, color, label=value.label, is_parameter=is_parameter)


def draw_slot(slot: AbstractVariableSlot, view: View) -> Shown:
    """Draws the empty place of a variable.

    Args:
        slot: The slot.
        view: The builder of treeview.
    """
    return view.record(slot, {"label": slot.label}, static=["label"], color=GREY)


def _record(variable: Any, view: View, color: str, *, label: Any, is_parameter: bool) -> Shown:
    fields = {"value": variable.value, "label": label}
    if variable.metadata:
        fields["metadata"] = dict(variable.metadata)
    return view.record(
        variable,
        fields,
        static=["label", "metadata"],
        color=color,
        unit="parameters" if is_parameter else None,
    )
