"""Writing any tree as JSON and arrays.

None, booleans, integers, finite floats, strings and lists are themselves in JSON; all else is an
object with a `kind`. Arrays are numbered by their paths and kept apart. Variables are in a list,
each once, so that those that are shared stay shared.
"""

import dataclasses
import enum
import functools
import itertools
import math
from collections import OrderedDict
from collections.abc import Iterable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from modeldata._frozen_dict import FrozenDict
from modeldata._struct_info import is_pytree_dataclass_type
from modeldata.models._tree_names import is_scalar_type, name_of
from modeldata.models.checkpoints import SaveError
from modeldata.nn import EqualPartial
from modeldata.variables import AbstractVariable
from modeldata.variables._labels import AutoStateVarLabel

SEQUENCES: dict[str, type] = {"tuple": tuple, "set": set, "frozenset": frozenset}
MAPPINGS: dict[str, type] = {"dict": dict, "frozen dict": FrozenDict, "ordered dict": OrderedDict}
PARTIALS: dict[str, type] = {
    "partial": functools.partial,
    "equal partial": EqualPartial,
    "tree partial": jax.tree_util.Partial,
}
# Other types are stored as bytes.
_STORABLE = frozenset(
    {"bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"}
    | {"float16", "bfloat16", "float32", "float64"}
)


def stored_form(dtype: np.dtype[Any], shape: tuple[int, ...]) -> tuple[str, tuple[int, ...]]:
    """Returns with which dtype and shape an array is in the file."""
    if str(dtype) in _STORABLE:
        return str(dtype), shape
    return "uint8", (math.prod(shape) * dtype.itemsize,)


def is_numeric(dtype: np.dtype[Any]) -> bool:
    """Returns whether arrays of a dtype are saved: those of numbers and booleans."""
    return jnp.issubdtype(dtype, jnp.number) or jnp.issubdtype(dtype, jnp.bool_)


def kind_of_class(cls: type) -> str | None:
    """Returns as what instances of a class are written; None if they are not data."""
    if is_pytree_dataclass_type(cls):
        return "struct"
    if issubclass(cls, tuple) and hasattr(cls, "_fields"):
        return "namedtuple"
    if dataclasses.is_dataclass(cls) and cls.__dataclass_params__.frozen:  # pyright: ignore[reportAttributeAccessIssue]  # of every dataclass
        return "dataclass"
    return None


def fields_of_class(cls: type) -> tuple[str, ...]:
    """Returns the names of the fields of a struct, another dataclass, or a named tuple."""
    if issubclass(cls, tuple):
        return tuple(cls._fields)  # pyright: ignore[reportAttributeAccessIssue]  # a named tuple
    return tuple(field.name for field in dataclasses.fields(cls))


class TreeEncoder:
    """Turns one tree into JSON and arrays.

    Attributes:
        tensors: The arrays as they are stored, by name.
        variables: The variables, encoded.
    """

    def __init__(self) -> None:
        self.tensors: dict[str, np.ndarray[Any, Any]] = {}
        self.variables: list[Any] = []
        self._variable_numbers: dict[int, int] = {}
        self._tensor_names: dict[int, str] = {}
        # Identities are kept only as long as objects are.
        self._kept: list[Any] = []
        self._around: set[int] = set()

    def encode(self, value: Any, path: str) -> Any:
        """Returns a value as what JSON can hold.

        Args:
            value: Any object.
            path: Where it is, for messages.

        Raises:
            SaveError: If it cannot be written.
        """
        if value is None or type(value) in (bool, int, str):
            return value
        if type(value) is float:
            return value if math.isfinite(value) else {"kind": "float", "value": repr(value)}
        if isinstance(value, jax.Array | np.ndarray | np.generic):
            return self._array(value, path)
        if id(value) in self._around:
            raise _refusal(path, value, "holds itself", "Remove the reference to what is around it")
        self._around.add(id(value))
        try:
            return self._node(value, path)
        finally:
            self._around.discard(id(value))

    def _node(self, value: Any, path: str) -> Any:
        cls = type(value)
        if isinstance(value, AbstractVariable):
            return self._variable(value, path)
        if cls is list:
            return self._items(value, path)
        for kind, known in SEQUENCES.items():
            if cls is known:
                items = value if cls is tuple else sorted(value, key=repr)
                return {"kind": kind, "items": self._items(items, path)}
        for kind, known in MAPPINGS.items():
            if cls is known:
                pairs = [
                    [self.encode(key, f"{path} key {key!r}"), self.encode(item, f"{path}[{key!r}]")]
                    for key, item in value.items()
                ]
                return {"kind": kind, "items": pairs}
        for kind, known in PARTIALS.items():
            if cls is known:
                return self._partial(kind, value, path)
        return self._named(value, path)

    def _named(self, value: Any, path: str) -> Any:
        """Writes what refers to a class or function by name."""
        cls = type(value)
        if cls is AutoStateVarLabel:
            return {"kind": "automatic label", "number": value.var_id}
        if isinstance(value, np.dtype) and is_numeric(value):
            return {"kind": "dtype", "name": str(value)}
        if is_scalar_type(value) and name_of(value) is not None:
            return {"kind": "type", "name": name_of(value)}
        if isinstance(value, enum.Enum) and value.name in cls.__members__:
            return {"kind": "enum", "class": _class_name(cls, value, path), "member": value.name}
        kind = kind_of_class(cls)
        if kind is not None:
            fields = {
                name: self.encode(getattr(value, name), f"{path}.{name}")
                for name in fields_of_class(cls)
            }
            return {"kind": kind, "class": _class_name(cls, value, path), "fields": fields}
        if callable(value) and not isinstance(value, type):
            return {"kind": "function", "name": _function_name(value, path)}
        raise _refusal(
            path,
            value,
            "is none of these",
            "Replace it, or make its class a struct (`pytree_dataclass`) or a frozen dataclass",
        )

    def _items(self, items: Iterable[Any], path: str) -> list[Any]:
        return [self.encode(item, f"{path}[{index}]") for index, item in enumerate(items)]

    def _partial(self, kind: str, value: Any, path: str) -> Any:
        return {
            "kind": kind,
            "function": self.encode(value.func, f"{path}.func"),
            "args": self._items(value.args, f"{path}.args"),
            "keywords": {
                name: self.encode(item, f"{path}.keywords[{name!r}]")
                for name, item in value.keywords.items()
            },
        }

    def _variable(self, variable: AbstractVariable, path: str) -> Any:
        number = self._variable_numbers.get(id(variable))
        if number is None:
            number = self._variable_numbers[id(variable)] = len(self.variables)
            self.variables.append(None)
            # Tensors have the names of the variables that they are in.
            inside = variable.label if isinstance(variable.label, str) else path
            self.variables[number] = {
                "class": _class_name(type(variable), variable, path),
                "label": self.encode(variable.label, f"{path}.label"),
                "value": self.encode(variable.value, f"{inside}.value"),
                "metadata": self.encode(dict(variable.metadata), f"{path}.metadata"),
            }
        return {"kind": "variable", "number": number}

    def _array(self, value: Any, path: str) -> Any:
        node: dict[str, Any] = {"kind": "array"}
        if isinstance(value, jax.Array):
            _check_present(value, path)
            if jnp.issubdtype(value.dtype, jax.dtypes.prng_key):
                node = {"kind": "random key", "algorithm": str(jax.random.key_impl(value))}
                node["data"] = self._array(jax.random.key_data(value), path)
                return node
            # Only for single numbers is there a public way to make one of a weak type.
            is_weak_number = value.weak_type and value.ndim == 0
            if is_weak_number and jnp.asarray(value.item()).dtype == value.dtype:
                node["is_weak"] = True
        elif isinstance(value, np.generic):
            node["kind"] = "numpy number"
        elif type(value) in (np.ndarray, np.memmap):
            node["kind"] = "numpy array"
        else:
            raise _refusal(path, value, "is another kind of array", "Convert it by `np.asarray`")
        data = np.asarray(value)
        if not is_numeric(data.dtype):
            raise _refusal(
                path, value, f"has the dtype `{data.dtype}`", "Only arrays of numbers can be saved"
            )
        node |= {"dtype": str(data.dtype), "shape": list(data.shape)}
        return node | {"tensor": self._tensor(value, data, path)}

    def _tensor(self, value: Any, data: np.ndarray[Any, Any], path: str) -> str:
        if id(value) not in self._tensor_names:
            wanted = path.lstrip(".") or "array"
            numbered = (f"{wanted}#{number}" for number in itertools.count(2))
            name = next(n for n in itertools.chain([wanted], numbered) if n not in self.tensors)
            stored, _ = stored_form(data.dtype, data.shape)
            data = np.asarray(data, order="C")
            is_bytes = stored != str(data.dtype)
            self.tensors[name] = data.reshape(-1).view(np.uint8) if is_bytes else data
            self._tensor_names[id(value)] = name
            self._kept.append(value)
        return self._tensor_names[id(value)]


def _check_present(array: jax.Array, path: str) -> None:
    if isinstance(array, Tracer):
        raise _refusal(path, array, "is a tracer", "Save outside of functions that JAX transforms")
    if array.is_deleted():
        raise _refusal(path, array, "is deleted", "Save before its buffer is donated")
    if not array.is_fully_addressable:
        raise _refusal(
            path, array, "is spread over several processes", "Gather it on this process first"
        )


def _class_name(cls: type, value: Any, path: str) -> str:
    name = name_of(cls)
    if name is None:
        raise _refusal(
            path,
            value,
            f"has the class `{cls.__qualname__}`, which cannot be imported by name",
            "Define the class at the top level of a module",
        )
    return name


def _function_name(value: Any, path: str) -> str:
    name = name_of(value)
    if name is None:
        raise _refusal(
            path,
            value,
            "is a function or object that cannot be imported by name",
            "Define a function at the top level of a module, and give it settings by "
            "`functools.partial`",
        )
    return name


def _refusal(path: str, value: Any, problem: str, remedy: str) -> SaveError:
    return SaveError(
        "Expected structs, variables, arrays, plain containers, numbers, strings and importable "
        f"functions, but the `{type(value).__name__}` at `{path or '(root)'}` {problem}. {remedy}."
    )
