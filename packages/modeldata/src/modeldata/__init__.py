"""Neural networks as plain data on JAX."""

import importlib
from typing import TYPE_CHECKING, Any

from modeldata import named as nx
from modeldata import nn, shapecheck
from modeldata._partition import NotInThisPartition, combine
from modeldata._random import RandomStream
from modeldata._struct import Struct, pytree_dataclass, static_field
from modeldata._struct_info import (
    PyTreeDataclassSafetyError,
    is_pytree_dataclass_type,
    is_pytree_node_field,
)
from modeldata._tree import pretty_keystr
from modeldata.named import NamedArray
from modeldata.selectors import Selection, select
from modeldata.variables import (
    AbstractVariable,
    AbstractVariableSlot,
    AbstractVariableValue,
    AutoStateVarLabel,
    Parameter,
    ParameterSlot,
    ParameterValue,
    ScopedStateVarLabel,
    StateVariable,
    StateVariableSlot,
    StateVariableValue,
    UnboundVariableError,
    VariableConflictError,
    bind_variables,
    freeze_params,
    freeze_state_vars,
    freeze_variables,
    scoped_auto_state_var_labels,
    unbind_params,
    unbind_state_vars,
    unbind_variables,
    update_variables,
    variable_checkpoint,
    variable_grad,
    variable_jit,
    variable_scan,
    variable_value_and_grad,
    variable_values,
    variable_vmap,
)

if TYPE_CHECKING:
    from modeldata import models, toolshed

__all__ = [
    "AbstractVariable",
    "AbstractVariableSlot",
    "AbstractVariableValue",
    "AutoStateVarLabel",
    "NamedArray",
    "NotInThisPartition",
    "Parameter",
    "ParameterSlot",
    "ParameterValue",
    "PyTreeDataclassSafetyError",
    "RandomStream",
    "ScopedStateVarLabel",
    "Selection",
    "StateVariable",
    "StateVariableSlot",
    "StateVariableValue",
    "Struct",
    "UnboundVariableError",
    "VariableConflictError",
    "bind_variables",
    "combine",
    "freeze_params",
    "freeze_state_vars",
    "freeze_variables",
    "is_pytree_dataclass_type",
    "is_pytree_node_field",
    "models",
    "nn",
    "nx",
    "pretty_keystr",
    "pytree_dataclass",
    "scoped_auto_state_var_labels",
    "select",
    "shapecheck",
    "static_field",
    "toolshed",
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

_LOADED_ON_USE = frozenset({"models", "toolshed"})


def __getattr__(name: str) -> Any:
    """Imports the parts that not every program needs when they are first used."""
    if name in _LOADED_ON_USE:
        return importlib.import_module(f"modeldata.{name}")
    raise AttributeError(
        f"Expected a public name of `modeldata`, got `{name}`. Its names are in `dir(modeldata)`."
    )


def __dir__() -> list[str]:
    return __all__
