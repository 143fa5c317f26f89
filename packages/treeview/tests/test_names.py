"""Names of classes and functions, found without running their code."""

import collections
import enum
import sys
import types

import pytest

from treeview._names import (
    class_of,
    object_name,
    qualified_name,
    type_attribute,
    type_module,
    type_mro,
    type_name,
)


class Liar:
    @property
    def __class__(self):
        raise RuntimeError("no class")


class Meta(type):
    def __getattribute__(cls, name):
        raise RuntimeError(f"no {name}")


class Guarded(metaclass=Meta):
    flag = 1


def test_the_class_of_an_object_is_its_true_class():
    assert class_of(Liar()) is Liar


def test_names_do_not_ask_the_metaclass():
    assert type_name(Guarded) == "Guarded"
    assert type_mro(Guarded) == (Guarded, object)
    assert type_attribute(Guarded, "flag") == 1
    assert type_module(Guarded) == __name__


def test_a_missing_class_attribute_is_none():
    assert type_attribute(int, "no_such_thing") is None


@pytest.mark.parametrize(
    ("cls", "name"),
    [
        (int, "int"),
        (collections.OrderedDict, "collections.OrderedDict"),
        (enum.Enum, "enum.Enum"),
        (types.MappingProxyType, "types.MappingProxyType"),
    ],
)
def test_a_qualified_name_evaluates_to_the_class(cls, name):
    assert qualified_name(cls) == name
    assert (
        eval(
            name, vars(collections.abc) | {"collections": collections, "enum": enum, "types": types}
        )
        is cls
    )


def test_a_public_parent_is_preferred_to_the_private_module():
    import importlib.metadata

    assert qualified_name(importlib.metadata.EntryPoint) == "importlib.metadata.EntryPoint"


def test_a_local_class_has_no_qualified_name():
    class Local:
        pass

    assert qualified_name(Local) is None


def test_a_name_that_leads_elsewhere_is_none():
    fake = type("OrderedDict", (), {"__module__": "collections"})
    assert qualified_name(fake) is None


@pytest.mark.parametrize("module", [None, 3, "no.such.module"])
def test_objects_that_lie_about_their_module_have_no_name(module):
    assert object_name(len, module, "len") is None


def test_a_class_whose_module_is_no_string_has_none():
    odd = type("Odd", (), {"__module__": 7})
    assert type_module(odd) == ""


def test_a_public_name_is_preferred_to_the_private_module_of_its_definition(monkeypatch):
    private = types.ModuleType("package._src.layers")

    def function():
        pass

    function.__module__, function.__qualname__ = private.__name__, "function"
    private.function = function
    monkeypatch.setitem(sys.modules, private.__name__, private)
    assert object_name(function, *named(function)) == "package._src.layers.function"
    public = types.ModuleType("package.layers")
    public.function = function
    monkeypatch.setitem(sys.modules, public.__name__, public)
    assert object_name(function, *named(function)) == "package.layers.function"


def named(function):
    return function.__module__, function.__qualname__
