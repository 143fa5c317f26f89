"""Model families: for each, how its settings are read and where its weights are stored."""

from modeldata.models.families._family import (
    FAMILIES,
    Family,
    family_named,
    find_family,
    register_family,
    unregister_family,
)
from modeldata.models.families._gguf_settings import gguf_settings
from modeldata.models.families._llamalike import (
    LLAMA_ROWS,
    llamalike_config,
    window_by_block,
    window_everywhere,
)
from modeldata.models.families._rope_settings import read_rope
from modeldata.models.families._rows import Row

__all__ = [
    "FAMILIES",
    "LLAMA_ROWS",
    "Family",
    "Row",
    "family_named",
    "find_family",
    "gguf_settings",
    "llamalike_config",
    "read_rope",
    "register_family",
    "unregister_family",
    "window_by_block",
    "window_everywhere",
]
