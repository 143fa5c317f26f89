"""Parameters and state: variables that models share and change, and their forms as plain data."""

from modeldata.variables._binding import (
    bind_variables,
    freeze_params,
    freeze_state_vars,
    freeze_variables,
    unbind_params,
    unbind_state_vars,
    unbind_variables,
)
from modeldata.variables._jit import variable_jit
from modeldata.variables._labels import (
    AutoStateVarLabel,
    ScopedStateVarLabel,
    scoped_auto_state_var_labels,
)
from modeldata.variables._variable import (
    AbstractVariable,
    AbstractVariableSlot,
    AbstractVariableValue,
    Parameter,
    ParameterSlot,
    ParameterValue,
    StateVariable,
    StateVariableSlot,
    StateVariableValue,
    UnboundVariableError,
    VariableConflictError,
)

__all__ = [
    "AbstractVariable",
    "AbstractVariableSlot",
    "AbstractVariableValue",
    "AutoStateVarLabel",
    "Parameter",
    "ParameterSlot",
    "ParameterValue",
    "ScopedStateVarLabel",
    "StateVariable",
    "StateVariableSlot",
    "StateVariableValue",
    "UnboundVariableError",
    "VariableConflictError",
    "bind_variables",
    "freeze_params",
    "freeze_state_vars",
    "freeze_variables",
    "scoped_auto_state_var_labels",
    "unbind_params",
    "unbind_state_vars",
    "unbind_variables",
    "variable_jit",
]
