"""The registry: who draws what, plugins included."""

import collections.abc
import sys
import textwrap

import numpy as np
import pytest

from treeview import Options
from treeview._registry import Registry
from treeview._text import document_text
from treeview._walk import build_document
from treeview.arrays.protocol import ArrayInfo, Axis


class Animal:
    pass


class Dog(Animal):
    pass


class Shelf(collections.abc.Sequence):
    def __len__(self):
        return 2

    def __getitem__(self, index):
        return range(2)[index]


class Grid:
    def __init__(self, size):
        self.size = size


class GridAdapter:
    def describe(self, array):
        return ArrayInfo("Grid", "int8", (Axis(array.size, position=0),), bytes=array.size)

    def statistics(self, arrays):
        return [None for _ in arrays]

    def fetch(self, requests):
        return [np.zeros([len(index) for index in window], "int8") for _, window in requests]


def shown(obj, registry):
    options = Options(width=80)
    return document_text(build_document(obj, options=options, registry=registry), options)


def say(words):
    return lambda obj, view: view.text(words)


def test_what_is_unregistered_is_forgotten():
    registry = Registry()
    registry.register(Animal, say("an animal"))
    registry.register_array(Grid, GridAdapter())
    for cls in (Animal, Grid, Dog):
        registry.unregister(cls)
    assert registry.adapter_for(Grid) is None
    assert "an animal" not in shown([Animal()], registry)


def test_a_handler_draws_subclasses_too():
    registry = Registry()
    registry.register(Animal, say("an animal"))
    assert shown([Animal(), Dog()], registry) == "[an animal, an animal]"


def test_the_nearest_class_wins():
    registry = Registry()
    registry.register(Dog, say("a dog"))
    registry.register(Animal, say("an animal"))
    assert shown([Animal(), Dog()], registry) == "[an animal, a dog]"


def test_a_handler_may_leave_an_object_to_the_next():
    registry = Registry()
    registry.register(Dog, lambda obj, view: None)
    registry.register(Animal, say("an animal"))
    assert shown(Dog(), registry) == "an animal"


def test_the_method_of_a_type_goes_first():
    class Cat(Animal):
        def __treeview__(self, view):
            return view.text("a cat")

    registry = Registry()
    registry.register(Cat, say("registered"))
    assert shown(Cat(), registry) == "a cat"


def test_only_a_method_found_on_the_type_counts():
    class Proxy:
        def __getattr__(self, name):
            return lambda *arguments: 1 / 0

        def __repr__(self):
            return "Proxy()"

    instance = Animal()
    instance.__treeview__ = lambda view: view.text("no")
    assert shown(Proxy(), Registry()) == "Proxy()"
    assert "__treeview__=" in shown(instance, Registry())
    assert "Animal" in shown(Animal, Registry())


def test_virtual_subclasses_count_after_real_bases():
    registry = Registry()
    registry.register(collections.abc.Sequence, say("a sequence"))
    assert shown(Shelf(), registry) == "a sequence"
    assert shown([1], registry) == "[1]"


def test_what_a_user_registers_goes_before_plugins():
    registry = Registry()
    registry.register(list, say("my list"))
    assert shown(([],), registry) == "(my list,)"
    assert shown([], registry) == "my list"


def test_arrays_are_drawn_by_their_adapter():
    registry = Registry()
    registry.register_array(Grid, GridAdapter())
    assert "int8[30]" in shown(Grid(30), registry)
    assert registry.adapter_for(Grid) is not None
    assert registry.adapter_for(Animal) is None


def test_lookups_give_the_first_handler_or_none():
    registry = Registry()
    handler = say("an animal")
    assert registry.handler_for(Dog) is None
    registry.register(Animal, handler)
    assert registry.handler_for(Dog) is handler


@pytest.mark.parametrize("cls", ["Dog", None, Dog()])
def test_only_classes_can_be_registered_for(cls):
    with pytest.raises(TypeError, match="Expected a class to register"):
        Registry().register(cls, say(""))
    with pytest.raises(TypeError, match="Expected a class to register"):
        Registry().register_array(cls, GridAdapter())


def test_a_handler_must_be_callable():
    with pytest.raises(TypeError, match="Expected `handler` for `Dog` to be a function"):
        Registry().register(Dog, "nice dog")


@pytest.mark.parametrize("adapter", [GridAdapter, object(), None])
def test_an_adapter_must_have_all_methods(adapter):
    with pytest.raises(TypeError, match="Expected `adapter` for `Grid` to be an object with"):
        Registry().register_array(Grid, adapter)


def test_a_class_with_a_broken_metaclass_is_drawn():
    class Meta(type):
        def __eq__(cls, other):
            raise RuntimeError("no")

        def __hash__(cls):
            raise RuntimeError("no")

    class Odd(metaclass=Meta):
        def __init__(self):
            self.a = 1

    assert shown(Odd(), Registry()) == "Odd(a=1)"


@pytest.fixture
def plugin(tmp_path, monkeypatch):
    """Installs a distribution with a library `zoo` and its plugin; returns how to write it."""

    def install(code, name="zoo", value="zoo_plugin:register"):
        info = tmp_path / "zoo-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: zoo\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[treeview.handlers]\n{name} = {value}\n")
        (tmp_path / "zoo.py").write_text("class Lion:\n    age = 3\n")
        (tmp_path / "zoo_plugin.py").write_text(textwrap.dedent(code))

    monkeypatch.syspath_prepend(tmp_path)
    yield install
    for module in ("zoo", "zoo_plugin"):
        sys.modules.pop(module, None)


ROAR = """
    import zoo

    def register(registry):
        registry.register(zoo.Lion, lambda lion, view: view.text("Roar!"))
"""


def test_a_plugin_waits_until_its_library_is_imported(plugin):
    plugin(ROAR)
    registry = Registry()
    assert shown(1, registry) == "1"
    assert "zoo_plugin" not in sys.modules
    import zoo

    assert shown(zoo.Lion(), registry) == "Roar!"


def test_a_plugin_that_fails_is_named_once_and_the_rendering_goes_on(plugin):
    plugin("def register(registry):\n    1 / 0\n")
    import zoo

    registry = Registry()
    with pytest.warns(RuntimeWarning, match="`zoo = zoo_plugin:register` .* ZeroDivisionError"):
        assert shown(zoo.Lion(), registry) == "Lion()"
    assert shown(zoo.Lion(), registry) == "Lion()"


def test_a_plugin_that_is_missing_is_named(plugin):
    plugin("", value="no_such_module:register")
    import zoo  # noqa: F401

    with pytest.warns(RuntimeWarning, match="`zoo = no_such_module:register` .* No module named"):
        assert shown([1], Registry()) == "[1]"


def test_what_a_plugin_registers_is_checked_with_its_name(plugin):
    plugin("def register(registry):\n    registry.register('Lion', print)\n")
    import zoo  # noqa: F401

    with pytest.warns(RuntimeWarning, match="`zoo = zoo_plugin:register` .* Expected a class"):
        shown([1], Registry())
