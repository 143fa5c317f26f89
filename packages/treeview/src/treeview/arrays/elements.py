"""What the element types of NumPy are called."""

from typing import Any

import numpy as np


def dtype_name(dtype: np.dtype[Any]) -> str:
    """The name of an element type: `float32`, `>f4`, `<U5`, `{x: int32, y: float64[3]}`."""
    if dtype.names:
        fields = (f"{name}: {dtype_name(dtype[name])}" for name in dtype.names)
        return f"{{{', '.join(fields)}}}"
    if dtype.subdtype:
        base, shape = dtype.subdtype
        return f"{dtype_name(base)}[{', '.join(map(str, shape))}]"
    if dtype.kind == "T":
        return "str"
    if dtype.kind in "SUVmM" and dtype.type.__module__ == "numpy":
        return str(dtype).lstrip("|")
    return dtype.name if dtype.isnative else str(dtype)
