"""Checkpoints: files and models whose tensors are read one at a time."""

from modeldata.models.checkpoints._base import Checkpoint, TensorInfo
from modeldata.models.checkpoints._errors import LoadError, SaveError, import_extra
from modeldata.models.checkpoints._gguf import GGUFCheckpoint
from modeldata.models.checkpoints._huggingface import (
    HuggingFaceFolder,
    TransformersModel,
    is_transformers_model,
    read_json,
)
from modeldata.models.checkpoints._mxfp4 import ExpandedCheckpoint, is_mxfp4
from modeldata.models.checkpoints._settings import Settings
from modeldata.models.checkpoints._tables import Place, Portion, WeightRule, check_tensors
from modeldata.models.checkpoints._text_part import text_part

__all__ = [
    "Checkpoint",
    "ExpandedCheckpoint",
    "GGUFCheckpoint",
    "HuggingFaceFolder",
    "LoadError",
    "Place",
    "Portion",
    "SaveError",
    "Settings",
    "TensorInfo",
    "TransformersModel",
    "WeightRule",
    "check_tensors",
    "import_extra",
    "is_mxfp4",
    "is_transformers_model",
    "read_json",
    "text_part",
]
