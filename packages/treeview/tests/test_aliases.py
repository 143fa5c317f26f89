"""Names of what is known by name: short where they are read, whole in a roundtrip."""

import functools
import math
import subprocess
import sys
import types

import numpy as np
import pytest

import treeview
from treeview._aliases import known_name, leads_to, read_names, short_name


@pytest.fixture
def library(monkeypatch):
    """A module with a constant, a class in a private module, and an import hook of its own."""
    module = types.ModuleType("library")
    exec(
        "class Config:\n"
        "    def __init__(self): self.sizes = [1, 2]\n"
        "    def __getattr__(self, name): raise RuntimeError(name)\n"
        "    def __eq__(self, other): raise RuntimeError('eq')\n"
        "    __hash__ = None\n"
        "DEFAULT = Config()\n"
        "def __getattr__(name): raise RuntimeError(name)\n",
        module.__dict__,
    )
    monkeypatch.setitem(sys.modules, "library", module)
    for name in ("_chosen", "_shorter"):
        kept = dict(getattr(treeview._aliases, name))
        monkeypatch.setattr(treeview._aliases, name, kept)
    return module


@pytest.mark.parametrize(
    ("value", "short"),
    [
        (np.mean, "np.mean"),
        (np.sin, "np.sin"),
        (np.linalg.norm, "np.linalg.norm"),
        (np.random.default_rng, "np.random.default_rng"),
        (math.sin, "math.sin"),
        (len, "len"),
        (dict, "dict"),
    ],
)
def test_well_known_functions_have_short_names_that_a_roundtrip_writes_out(value, short):
    assert treeview.render_text([value]).startswith(f"[{short}]")
    written = treeview.render_text([value], roundtrip=True)
    assert eval(written, {"numpy": np, "math": math}) == [value]


def test_classes_have_short_names_too():
    assert treeview.render_text(np.float32).startswith("np.float32  # ")


def test_an_alias_of_a_module_shortens_all_names_in_it(library):
    treeview.add_alias(functools, "ft")
    assert treeview.render_text(functools.reduce) == "ft.reduce"
    assert treeview.render_text(functools.reduce, roundtrip=True) == "functools.reduce"
    assert short_name("functools.reduce") == "ft.reduce"
    assert short_name("functools") == "functools"
    assert short_name("jax.numpy.linalg.norm") == "jnp.linalg.norm"
    assert short_name("numpyish.sin") == "numpyish.sin"


def test_an_object_with_an_alias_is_shown_by_it_but_not_when_it_is_looked_at(library):
    treeview.add_alias(library.DEFAULT, "library.DEFAULT")
    assert treeview.render_text({"config": library.DEFAULT}) == "{'config': library.DEFAULT}"
    assert treeview.render_text(library.DEFAULT) == "Config(sizes=[1, 2])"
    written = treeview.render_text([library.DEFAULT], roundtrip=True)
    assert eval(written, {"library": library})[0] is library.DEFAULT


def test_an_alias_that_no_longer_leads_to_the_object_is_not_used(library):
    config = library.DEFAULT
    treeview.add_alias(config, "library.DEFAULT")
    library.DEFAULT = None
    assert treeview.render_text([config]) == "[Config(sizes=[1, 2])]"


def test_a_later_alias_replaces_an_earlier_one(library):
    library.OTHER = library.DEFAULT
    treeview.add_alias(library.DEFAULT, "library.DEFAULT")
    treeview.add_alias(library.DEFAULT, "library.OTHER")
    assert known_name(library.DEFAULT) == "library.OTHER"


def test_a_function_of_a_private_module_takes_its_alias(library):
    def public():
        pass

    library.public = public
    treeview.add_alias(public, "library.public")
    assert treeview.render_text(public).startswith("library.public  # ")


@pytest.mark.parametrize("name", ["library.MISSING", "no.such.module", "library", "len", ""])
def test_an_alias_has_to_lead_to_its_object(library, name):
    with pytest.raises(ValueError, match=f"Expected `name` to lead .* got '{name}', which leads"):
        treeview.add_alias(library.DEFAULT, name)


def test_an_alias_is_a_string_and_that_of_a_module_an_identifier(library):
    with pytest.raises(TypeError, match="Expected `name` to be a string, got 3"):
        treeview.add_alias(library.DEFAULT, 3)
    with pytest.raises(ValueError, match="module `library` to be an identifier, got 'a.b'"):
        treeview.add_alias(library, "a.b")


def test_names_are_followed_without_running_code(library):
    assert leads_to("library.Config", library.Config)
    assert not leads_to("library.missing", library.Config)
    assert not leads_to("library.DEFAULT.anything", library.Config)
    assert leads_to("library.DEFAULT.sizes", library.DEFAULT.sizes)


def test_names_of_a_library_are_read_once_it_is_there(monkeypatch):
    code = (
        "import sys, treeview; treeview.render_text([1]); loaded = set(sys.modules)\n"
        "import operator; print(treeview.render_text([operator.add]))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[operator.add]\n"


def test_a_module_that_is_still_being_imported_is_read_again(monkeypatch):
    half = types.ModuleType("operator")
    half.__spec__ = types.SimpleNamespace(_initializing=True)
    monkeypatch.setitem(sys.modules, "operator", half)
    read_names()
    half.new = lambda: None
    half.new.__module__ = "_hidden"
    read_names()
    assert known_name(half.new) == "operator.new"
