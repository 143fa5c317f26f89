"""Checks of structures: arrays with the shapes, axis names and types that a pattern describes.

from modeldata.shapecheck import ArraySpec, check_structure, var

pattern = ArraySpec(named_shape={**var("batch"), "embedding": var("width")})
match = check_structure(activations, pattern)
match.width, match.batch  # 640, {"sequence": 12}
"""

from modeldata.shapecheck._checking import MatchResult as MatchResult
from modeldata.shapecheck._checking import check_structure as check_structure
from modeldata.shapecheck._dims import DimVar as DimVar
from modeldata.shapecheck._dims import KnownDim as KnownDim
from modeldata.shapecheck._dims import MultiDimVar as MultiDimVar
from modeldata.shapecheck._dims import RemainingAxisPlaceholder as RemainingAxisPlaceholder
from modeldata.shapecheck._dims import var as var
from modeldata.shapecheck._dims import vars_for_axes as vars_for_axes
from modeldata.shapecheck._messages import StructureMismatchError as StructureMismatchError
from modeldata.shapecheck._patterns import ANY as ANY
from modeldata.shapecheck._patterns import ArraySpec as ArraySpec
from modeldata.shapecheck._patterns import StructureAnnotation as StructureAnnotation
from modeldata.shapecheck._patterns import Wildcard as Wildcard
from modeldata.shapecheck._patterns import as_array_structure as as_array_structure
from modeldata.shapecheck._substitution import (
    DimensionVariableSubstitution as DimensionVariableSubstitution,
)
from modeldata.shapecheck._substitution import (
    full_substitute_dimension_variables as full_substitute_dimension_variables,
)
from modeldata.shapecheck._substitution import (
    get_dimension_variables as get_dimension_variables,
)
