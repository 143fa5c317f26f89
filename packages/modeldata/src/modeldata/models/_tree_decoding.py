"""Reading a tree that was written as JSON and arrays; see `_tree_encoding`."""

import enum
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from modeldata._struct_info import check_statics, is_pytree_dataclass_type
from modeldata.models._tree_encoding import (
    MAPPINGS,
    PARTIALS,
    SEQUENCES,
    fields_of_class,
    is_numeric,
    kind_of_class,
    stored_form,
)
from modeldata.models._tree_names import class_named, function_named, scalar_type_named
from modeldata.models.checkpoints import LoadError
from modeldata.variables import AbstractVariable
from modeldata.variables._labels import next_label


class TreeDecoder:
    """Makes one tree from JSON and arrays.

    No code of a class that the file names runs, but for the constructors of variables.

    Args:
        variables: The variables, encoded.
        read_tensor: Returns a stored array by name.
        trusted: Names of modules whose classes and functions the file may name.
    """

    def __init__(
        self,
        variables: Sequence[Any],
        read_tensor: Callable[[str], np.ndarray[Any, Any]],
        trusted: Sequence[str],
    ) -> None:
        self._encoded = variables
        self._variables: dict[int, AbstractVariable] = {}
        self._read_tensor = read_tensor
        self._trusted = trusted
        self._arrays: dict[tuple[str, str], Any] = {}
        self._labels: dict[int, Any] = {}
        self._readers: dict[str, Callable[[dict[str, Any]], Any]] = {
            **dict.fromkeys(SEQUENCES, self._sequence),
            **dict.fromkeys(MAPPINGS, self._mapping),
            **dict.fromkeys(PARTIALS, self._partial),
            **dict.fromkeys(("struct", "dataclass", "namedtuple"), self._instance),
            **dict.fromkeys(("array", "numpy array", "numpy number"), self._array),
            "variable": self._variable,
            "enum": self._member,
            "random key": self._key,
            "automatic label": self._automatic_label,
            "float": lambda node: float(node["value"]),
            "function": lambda node: function_named(node["name"], trusted),
            "type": lambda node: scalar_type_named(node["name"]),
            "dtype": lambda node: _dtype(node["name"]),
        }

    def decode(self, node: Any) -> Any:
        """Returns the value that a node of the JSON stands for.

        Raises:
            LoadError: If the file names what it may not, or does not fit its arrays or classes.
        """
        if isinstance(node, list):
            return [self.decode(item) for item in node]
        if not isinstance(node, dict):
            return node
        reader = self._readers.get(node["kind"])
        if reader is None:
            raise LoadError(
                "Expected kinds of values that this version of modeldata knows, but the file has "
                f"{node['kind']!r}. Load it with the version that it was saved with."
            )
        return reader(node)

    def _sequence(self, node: dict[str, Any]) -> Any:
        return SEQUENCES[node["kind"]](self.decode(node["items"]))

    def _mapping(self, node: dict[str, Any]) -> Any:
        pairs = [(self.decode(key), self.decode(item)) for key, item in node["items"]]
        return MAPPINGS[node["kind"]](dict(pairs))

    def _partial(self, node: dict[str, Any]) -> Any:
        function, args = self.decode(node["function"]), self.decode(node["args"])
        keywords = {name: self.decode(item) for name, item in node["keywords"].items()}
        return PARTIALS[node["kind"]](function, *args, **keywords)

    def _key(self, node: dict[str, Any]) -> Any:
        return jax.random.wrap_key_data(self.decode(node["data"]), impl=node["algorithm"])

    def _automatic_label(self, node: dict[str, Any]) -> Any:
        # Numbers of labels count in one process only.
        if node["number"] not in self._labels:
            self._labels[node["number"]] = next_label()
        return self._labels[node["number"]]

    def _instance(self, node: dict[str, Any]) -> Any:
        name, kind = node["class"], node["kind"]
        cls = class_named(name, self._trusted)
        if kind_of_class(cls) != kind:
            raise LoadError(
                f"Expected `{name}` to be a {kind}, as the file says, but it is not. Define it as "
                "it was when the file was saved."
            )
        values = {field: self.decode(value) for field, value in node["fields"].items()}
        if values.keys() != set(fields_of_class(cls)):
            raise LoadError(
                f"Expected `{name}` to have the fields {_listed(values)}, as in the file, but it "
                f"has {_listed(fields_of_class(cls))}. Load it with the code that it was saved "
                "with."
            )
        if kind == "namedtuple":
            return tuple.__new__(cls, [values[field] for field in fields_of_class(cls)])
        instance = object.__new__(cls)
        for field, value in values.items():
            object.__setattr__(instance, field, value)
        if is_pytree_dataclass_type(cls):
            check_statics(instance)
        return instance

    def _member(self, node: dict[str, Any]) -> Any:
        cls = class_named(node["class"], self._trusted)
        members = cls.__members__ if issubclass(cls, enum.Enum) else {}
        if node["member"] not in members:
            raise LoadError(
                f"Expected a member `{node['member']}` in `{node['class']}`, but it has "
                f"{_listed(members)}. Load the file with the code that it was saved with."
            )
        return members[node["member"]]

    def _variable(self, reference: dict[str, Any]) -> AbstractVariable:
        number = reference["number"]
        if number not in self._variables:
            node = self._encoded[number]
            cls = class_named(node["class"], self._trusted)
            if not issubclass(cls, AbstractVariable):
                raise LoadError(
                    f"Expected `{node['class']}` to be a class of variables, as the file says, but "
                    "it is not. Define it as it was when the file was saved."
                )
            label, metadata = self.decode(node["label"]), self.decode(node["metadata"])
            value = self.decode(node["value"])
            self._variables[number] = cls(value=value, label=label, metadata=metadata)
        return self._variables[number]

    def _array(self, node: dict[str, Any]) -> Any:
        key = node["kind"], node["tensor"]
        if key not in self._arrays:
            self._arrays[key] = self._read_array(node)
        return self._arrays[key]

    def _read_array(self, node: dict[str, Any]) -> Any:
        name, dtype, shape = node["tensor"], _dtype(node["dtype"]), tuple(node["shape"])
        stored = self._read_tensor(name)
        expected, found = stored_form(dtype, shape), (str(stored.dtype), stored.shape)
        if expected != found:
            raise LoadError(
                f"Expected the tensor `{name}` with the dtype and shape {expected}, as the tree "
                f"says, but the file has {found}. It is damaged; save the tree again."
            )
        if str(stored.dtype) != str(dtype):
            stored = stored.view(dtype).reshape(shape)
        if node["kind"] == "numpy array":
            return stored
        if node["kind"] == "numpy number":
            return stored[()]
        array = jnp.asarray(stored.item() if node.get("is_weak") else stored)
        if array.dtype != dtype:
            raise LoadError(
                f"Expected to keep the dtype `{dtype}` of the tensor `{name}`, but JAX makes "
                f"`{array.dtype}` of it. Load with `jax.enable_x64` as it was when the tree was "
                "saved."
            )
        return array


def _dtype(name: str) -> np.dtype[Any]:
    dtype = np.dtype(name)
    if not is_numeric(dtype):
        raise LoadError(
            f"Expected dtypes of numbers, but the file has `{name}`. It was not written by "
            "`save_tree`."
        )
    return dtype


def _listed(names: Any) -> str:
    return ", ".join(f"`{name}`" for name in names) or "none"
