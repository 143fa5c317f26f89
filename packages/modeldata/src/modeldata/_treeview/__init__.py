"""How treeview draws modeldata: the only room that knows treeview.

treeview finds `register` through the entry point `modeldata` of the group `treeview.handlers` and
calls it before the first rendering after modeldata was imported.
"""

from modeldata._struct import Struct
from modeldata._treeview._arrays import draw_named_array, named_adapter
from modeldata._treeview._selections import (
    InSight,
    Marked,
    draw_in_sight,
    draw_marked,
    draw_selection,
)
from modeldata._treeview._selections import show_in_sight as show_in_sight
from modeldata._treeview._structs import draw_pattern, draw_struct
from modeldata._treeview._variables import draw_slot, draw_value, draw_variable
from modeldata.named import NamedArray
from modeldata.selectors import Selection
from modeldata.shapecheck import ArraySpec, Wildcard
from modeldata.variables import AbstractVariable, AbstractVariableSlot, AbstractVariableValue
from treeview import Registry
from treeview import show as show


def register(registry: Registry) -> None:
    """Registers handlers for structs, variables and selections, and the adapter for named arrays.

    Args:
        registry: The registry of treeview.
    """
    registry.register(Struct, draw_struct)
    registry.register(ArraySpec, draw_pattern)
    registry.register(Wildcard, draw_pattern)
    registry.register(AbstractVariable, draw_variable)
    registry.register(AbstractVariableValue, draw_value)
    registry.register(AbstractVariableSlot, draw_slot)
    registry.register(Selection, draw_selection)
    registry.register(Marked, draw_marked)
    registry.register(InSight, draw_in_sight)
    registry.register(NamedArray, draw_named_array)
    registry.register_array(NamedArray, named_adapter)
