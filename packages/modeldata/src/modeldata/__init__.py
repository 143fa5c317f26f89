"""Neural networks as plain data on JAX."""

from modeldata import named as nx
from modeldata._partition import NotInThisPartition, combine
from modeldata._struct import (
    PyTreeDataclassSafetyError,
    Struct,
    is_pytree_dataclass_type,
    is_pytree_node_field,
    pytree_dataclass,
    static_field,
)
from modeldata._tree import pretty_keystr
from modeldata.named import NamedArray
from modeldata.selectors import Selection, select

__all__ = [
    "NamedArray",
    "NotInThisPartition",
    "PyTreeDataclassSafetyError",
    "Selection",
    "Struct",
    "combine",
    "is_pytree_dataclass_type",
    "is_pytree_node_field",
    "nx",
    "pretty_keystr",
    "pytree_dataclass",
    "select",
    "static_field",
]
