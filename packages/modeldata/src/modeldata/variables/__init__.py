"""Parameters and state: variables that models share and change, and their forms as plain data."""

from modeldata.variables._binding import (
    bind_variables,
    freeze_params,
    freeze_state_vars,
    freeze_variables,
    unbind_params,
    unbind_state_vars,
    unbind_variables,
    update_variables,
)
from modeldata.variables._checkpointing import variable_checkpoint
from modeldata.variables._gradients import (
    variable_grad,
    variable_value_and_grad,
    variable_values,
)
from modeldata.variables._jit import variable_jit
from modeldata.variables._labels import (
    AutoStateVarLabel,
    ScopedStateVarLabel,
    scoped_auto_state_var_labels,
)
from modeldata.variables._looping import variable_scan
from modeldata.variables._mapping import variable_vmap
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
    "update_variables",
    "variable_checkpoint",
    "variable_grad",
    "variable_jit",
    "variable_scan",
    "variable_value_and_grad",
    "variable_values",
    "variable_vmap",
]
