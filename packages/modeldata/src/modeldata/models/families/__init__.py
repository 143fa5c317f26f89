"""Model families: for each, how its settings are read and where its weights are stored."""

from modeldata.models.families._family import FAMILIES, Family, family_named, find_family

__all__ = ["FAMILIES", "Family", "family_named", "find_family"]
