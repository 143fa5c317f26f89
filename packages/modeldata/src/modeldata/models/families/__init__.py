"""Model families: for each, how its settings are read and where its weights are stored."""

from modeldata.models.families._family import FAMILIES, Family, find_family

__all__ = ["FAMILIES", "Family", "find_family"]
