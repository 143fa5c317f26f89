"""Fronts, reference pages and docstrings agree."""

import ast
import importlib
import inspect
import pkgutil
import re
from pathlib import Path
from types import FunctionType, ModuleType

import modeldata
import modeldata.models
import modeldata.models.simple_mlp
import modeldata.named
import modeldata.nn
import modeldata.shapecheck
import modeldata.toolshed
import pytest
import treeview

REFERENCE = Path(__file__).parent.parent / "docs" / "reference"

# The modules that users import from, by the page that documents them.
FRONTS = {
    "treeview.md": [treeview],
    "modeldata.md": [
        modeldata,
        modeldata.named,
        modeldata.nn,
        modeldata.shapecheck,
        modeldata.models,
        modeldata.models.simple_mlp,
        modeldata.toolshed,
        *(
            importlib.import_module(f"modeldata.toolshed.{module.name}")
            for module in pkgutil.iter_modules(modeldata.toolshed.__path__)
            if not module.name.startswith("_")
        ),
    ],
}
DOCUMENTED = (FunctionType, classmethod, staticmethod, property)
MODULES = [front for fronts in FRONTS.values() for front in fronts]


def front_name(front) -> str:
    return front.__name__ if isinstance(front, ModuleType) else front


def defined_here(module: ModuleType) -> set[str]:
    """Public names that a module without a front of its own defines."""
    return {
        name
        for name, value in vars(module).items()
        if not name.startswith("_") and getattr(value, "__module__", None) == module.__name__
    }


def exported(module: ModuleType) -> set[str]:
    """Public names of a module: its `__all__`, else names imported `as` themselves, else its own."""
    if hasattr(module, "__all__"):
        return set(module.__all__)
    tree = ast.parse(inspect.getsource(module))
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    names = {alias.asname for node in imports for alias in node.names if alias.asname == alias.name}
    return names or defined_here(module)


def documented(page: str) -> set[str]:
    """Names that a reference page documents, with their modules."""
    found = set()
    module = ""
    for line in (REFERENCE / page).read_text().splitlines():
        if match := re.match(r"\.\. currentmodule:: (\S+)$", line):
            module = match[1]
        elif match := re.match(r"\.\. auto\w+:: (\S+)$", line):
            found.add(f"{module}.{match[1]}")
    return found


def public_objects(module: ModuleType) -> dict[str, object]:
    """What a front offers, without modules, by name."""
    values = {name: getattr(module, name) for name in exported(module)}
    return {name: value for name, value in values.items() if not isinstance(value, ModuleType)}


@pytest.mark.parametrize("page", FRONTS)
def test_reference_page_documents_what_its_fronts_offer(page):
    told = documented(page)
    # What two fronts offer stands on the page once, under the first of them.
    offered = {
        id(value): f"{front.__name__}.{name}"
        for front in reversed(FRONTS[page])
        for name, value in public_objects(front).items()
    }
    assert sorted(set(offered.values()) - told) == [], "not on the page yet"
    assert sorted(told - set(offered.values())) == [], "on the page, but offered by no front"


@pytest.mark.parametrize("front", MODULES, ids=front_name)
def test_modules_in_fronts_are_fronts(front):
    values = [getattr(front, name) for name in exported(front)]
    assert [
        value for value in values if isinstance(value, ModuleType) and value not in MODULES
    ] == []


@pytest.mark.parametrize("front", MODULES, ids=front_name)
def test_exported_names_are_sorted_and_exist(front):
    names = getattr(front, "__all__", [])
    assert list(names) == sorted(names)
    assert [name for name in exported(front) if not hasattr(front, name)] == []


@pytest.mark.parametrize("front", MODULES, ids=front_name)
def test_every_public_object_has_a_docstring(front):
    assert front.__doc__
    package = front.__name__.partition(".")[0]
    ours = {
        name: value
        for name, value in public_objects(front).items()
        if (getattr(value, "__module__", None) or "").partition(".")[0] == package
    }
    assert missing_docstrings(ours) == []


def missing_docstrings(objects: dict[str, object]) -> list[str]:
    """Names of classes, functions and public methods of our own that say nothing of themselves."""
    missing = []
    for name, value in objects.items():
        if isinstance(value, type):
            members = {
                f"{name}.{key}": member
                for key, member in vars(value).items()
                if not key.startswith("_") and isinstance(member, DOCUMENTED)
            }
            # An inherited docstring says nothing of this class.
            missing += [name] * (not value.__dict__.get("__doc__"))
            missing += [key for key, member in members.items() if not inspect.getdoc(member)]
        elif inspect.isroutine(value) and not inspect.getdoc(value):
            missing.append(name)
    return missing


def test_missing_docstrings_are_noticed():
    class Silent:
        def method(self): ...

    class Child(Silent):
        """Documented."""

        @property
        def size(self): ...

    objects = {"Silent": Silent, "Child": Child, "function": lambda: None, "limit": 3}
    assert missing_docstrings(objects) == ["Silent", "Silent.method", "Child.size", "function"]
