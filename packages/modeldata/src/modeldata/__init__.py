"""Neural networks as plain data on JAX."""

from modeldata import named as nx
from modeldata._struct import PyTreeDataclassSafetyError as PyTreeDataclassSafetyError
from modeldata._struct import Struct as Struct
from modeldata._struct import is_pytree_dataclass_type as is_pytree_dataclass_type
from modeldata._struct import is_pytree_node_field as is_pytree_node_field
from modeldata._struct import pytree_dataclass as pytree_dataclass
from modeldata._struct import static_field as static_field
from modeldata.named import NamedArray as NamedArray

__all__ = ["nx"]
