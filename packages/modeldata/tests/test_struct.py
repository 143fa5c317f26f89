"""Promises of structs and of the decorator that makes them."""

import copy
import dataclasses
import functools
import pickle
from typing import Any, Generic, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from modeldata import (
    PyTreeDataclassSafetyError,
    Selection,
    Struct,
    is_pytree_dataclass_type,
    is_pytree_node_field,
    nn,
    nx,
    pytree_dataclass,
    select,
    static_field,
)


@pytree_dataclass
class Point(Struct):
    x: Any
    y: Any


@pytree_dataclass
class Tagged(Struct):
    value: Any
    tag: Any = static_field(default="none")


@pytree_dataclass
class Doubled(Struct):
    value: Any
    half: Any = static_field()

    def __init__(self, half):
        self.half = half
        self.value = 2 * half
        self.scratch = "dropped"


class TestFlattening:
    def test_children_are_fields_in_order_with_attribute_keys(self):
        leaves = jax.tree_util.tree_leaves_with_path(Point([1, 2], {"k": 3}))
        assert [(jax.tree_util.keystr(path), leaf) for path, leaf in leaves] == [
            (".x[0]", 1),
            (".x[1]", 2),
            (".y['k']", 3),
        ]

    def test_static_fields_belong_to_the_structure(self):
        assert jax.tree.leaves(Tagged(1, "a")) == [1]
        same, other = (jax.tree.structure(Tagged(0, tag)) for tag in ("a", "b"))
        assert jax.tree.structure(Tagged(1, "a")) == same != other

    @pytest.mark.parametrize("hole", [None, object(), "text", jax.ShapeDtypeStruct((2,), "f4")])
    def test_any_object_may_stand_in_a_field_after_unflattening(self, hole):
        for node in (Tagged(1), Doubled(1)):
            treedef = jax.tree.structure(node)
            assert treedef.unflatten([hole]).value is hole

    def test_user_code_does_not_run_when_jax_rebuilds_a_struct(self):
        calls = []

        @pytree_dataclass
        class Checked(Struct):
            value: Any

            def __post_init__(self):
                calls.append(self.value)

        jax.tree.map(lambda x: x + 1, Checked(1))
        jax.tree.map(lambda x: x + 1, Doubled(1))
        assert calls == [1]

    def test_keys_can_be_chosen(self):
        @pytree_dataclass
        class Keyed(Struct):
            value: Any
            other: Any = static_field(default=0)

            def key_for_field(self, field_name):
                return f"my {field_name}"

        [(path, leaf)] = jax.tree_util.tree_leaves_with_path(Keyed(5))
        assert (path, leaf) == (("my value",), 5)
        assert jax.tree.map(lambda x: x + 1, Keyed(5)) == Keyed(6)

    def test_fields_that_init_does_not_take_are_kept(self):
        @pytree_dataclass
        class Counted(Struct):
            value: Any
            count: Any = dataclasses.field(default=0, init=False)

        assert jax.tree.map(lambda x: x + 1, Counted(1)).attributes_dict() == {
            "value": 2,
            "count": 1,
        }

    def test_transformations_take_and_return_structs(self):
        node = Tagged(jnp.arange(3.0), "t")
        assert jax.jit(lambda s: s)(node) == node
        grads = jax.grad(lambda s: (s.value**2).sum())(node)
        np.testing.assert_array_equal(grads.value, 2 * node.value)
        assert grads.tag == "t"
        assert jax.vmap(lambda s: s.replace(value=s.value + 1))(node) == Tagged(node.value + 1, "t")

    def test_a_class_with_flatten_methods_of_its_own_keeps_them(self):
        @pytree_dataclass
        class Odd:
            value: Any

            def tree_flatten_with_keys(self):
                return [("odd", self.value)], None

            def tree_flatten(self):
                return [self.value], None

            @classmethod
            def tree_unflatten(cls, _, children):
                return cls(children[0])

        [(path, _)] = jax.tree_util.tree_leaves_with_path(Odd(1))
        assert path == ("odd",)

    def test_a_class_need_not_derive_from_struct(self):
        @pytree_dataclass
        class Plain:
            value: Any

        assert jax.tree.map(lambda x: x + 1, Plain(1)) == Plain(2)
        assert repr(Plain(2)).endswith("Plain(value=2)")


class TestConstruction:
    def test_struct_itself_is_abstract(self):
        with pytest.raises(TypeError, match=r"`Struct` is abstract.*can't be instantiated"):
            Struct()

    def test_an_undecorated_subclass_is_abstract(self):
        class Sub(Point):
            pass

        with pytest.raises(TypeError, match=r"Sub` is abstract.*Decorate the class"):
            Sub(1, 2)
        with pytest.raises(TypeError, match=r"Sub` is abstract"):
            Sub.from_attributes(x=1, y=2)

    def test_abstract_methods_are_enforced(self):
        import abc

        @pytree_dataclass
        class Callable(Struct):
            @abc.abstractmethod
            def __call__(self): ...

        with pytest.raises(TypeError, match="abstract"):
            Callable()

    def test_init_may_assign_fields_and_freezes_them_afterwards(self):
        node = Doubled(3)
        assert node.attributes_dict() == {"value": 6, "half": 3}
        assert type(node) is Doubled
        assert not hasattr(node, "scratch")
        with pytest.raises(dataclasses.FrozenInstanceError, match="value"):
            node.value = 1

    def test_init_of_a_subclass_may_call_that_of_its_parent(self):
        @pytree_dataclass
        class More(Doubled):
            value: Any
            half: Any = static_field()
            more: Any = None

            def __init__(self, half, more):
                super().__init__(half)
                self.more = more

        assert More(1, 5).attributes_dict() == {"value": 2, "half": 1, "more": 5}
        assert jax.tree.leaves(More(1, 5)) == [2, 5]

    def test_init_can_be_inherited(self):
        @pytree_dataclass(init=False, has_implicitly_inherited_fields=True)
        class Same(Doubled):
            pass

        assert Same(4).value == 8

    def test_init_must_set_every_field(self):
        @pytree_dataclass
        class Forgetful(Struct):
            kept: Any
            forgotten: Any

            def __init__(self):
                self.kept = 1

        with pytest.raises(
            AttributeError, match=r"set every field, but `forgotten` is still unset"
        ):
            Forgetful()

    def test_generic_structs_work(self):
        t = TypeVar("t")

        @pytree_dataclass
        class Box(Struct, Generic[t]):
            value: t

        assert Box[int](1) == Box(1)

    def test_kw_only_fields(self):
        @pytree_dataclass(kw_only=True)
        class Keywords(Struct):
            a: Any = 1
            b: Any

        assert jax.tree.map(lambda x: x + 1, Keywords(b=2)) == Keywords(a=2, b=3)

    def test_slots_are_left_to_jax(self):
        @pytree_dataclass
        class Slotted:
            __slots__ = ("x",)
            x: Any

        assert jax.tree.map(lambda x: x + 1, Slotted(1)).x == 2
        assert select(Slotted(1)).at_instances_of(int).set(5).x == 5

    def test_slots_do_not_go_with_an_init_that_must_not_run(self):
        with pytest.raises(
            PyTreeDataclassSafetyError, match=r"Slotted` to keep its fields in `__dict__`, because"
        ):

            @pytree_dataclass
            class Slotted:
                __slots__ = ("x",)
                x: Any

                def __init__(self, x):
                    self.x = x

    def test_parametrized_generics_can_be_called_and_subclassed(self):
        item = TypeVar("item")

        @pytree_dataclass
        class Box(Struct, Generic[item]):
            x: item

        @pytree_dataclass
        class IntBox(Box[int]):
            x: int
            y: int = 3

        assert Box[int](2) == Box(2)
        assert jax.tree.leaves(IntBox(1)) == [1, 3]


class TestGuards:
    def test_decorating_twice_is_an_error(self):
        with pytest.raises(ValueError, match=r"`Point` not to be decorated yet"):
            pytree_dataclass(Point)

    def test_inherited_fields_must_be_listed(self):
        with pytest.raises(
            PyTreeDataclassSafetyError, match=r"got `z`, but .* the fields are `x`, `y`, `z`"
        ):

            @pytree_dataclass
            class Point3(Point):
                z: Any

    def test_inherited_fields_must_be_listed_in_order(self):
        with pytest.raises(PyTreeDataclassSafetyError, match=r"got `y`, `x`, but"):

            @pytree_dataclass
            class Swapped(Point):
                y: Any
                x: Any

    def test_inheriting_fields_can_be_opted_into(self):
        @pytree_dataclass(has_implicitly_inherited_fields=True)
        class Point3(Point):
            z: Any

        assert jax.tree.leaves(Point3(1, 2, 3)) == [1, 2, 3]

    def test_opting_in_needlessly_is_an_error(self):
        with pytest.raises(PyTreeDataclassSafetyError, match="to inherit at least one field"):

            @pytree_dataclass(has_implicitly_inherited_fields=True)
            class Alone(Struct):
                x: Any

    def test_a_written_init_is_not_hidden_by_accident(self):
        with pytest.raises(PyTreeDataclassSafetyError, match=r"inherits from `Doubled`"):

            @pytree_dataclass(has_implicitly_inherited_fields=True)
            class Sub(Doubled):
                more: Any

        @pytree_dataclass(has_implicitly_inherited_fields=True, overwrite_parent_init=True)
        class Replaced(Doubled):
            more: Any

        assert Replaced(1, 2, 3).attributes_dict() == {"value": 1, "half": 2, "more": 3}

    def test_fields_cannot_hide_methods(self):
        with pytest.raises(PyTreeDataclassSafetyError, match=r"`select` would hide a method"):

            @pytree_dataclass
            class Bad(Struct):
                select: Any

    @pytest.mark.parametrize(
        ("value", "advice"),
        [
            (np.ones(2), r"got f64\[2\]\(numpy\)\. Make it a pytree field"),
            ([1], r"got \[1\]\. Store a tuple instead"),
            ({"a": 1}, "Store a tuple of pairs instead"),
            ({1}, "Store a frozenset instead"),
            ((1, [2]), "Store a hashable value"),
        ],
    )
    def test_static_values_must_be_hashable(self, value, advice):
        for make in (
            lambda: Tagged(1, value),
            lambda: Tagged.from_attributes(value=1, tag=value),
            lambda: Tagged(1).replace(tag=value),
        ):
            with pytest.raises(TypeError, match=rf"static field `Tagged\.tag`, .*{advice}"):
                make()

    def test_static_values_are_checked_after_a_written_init(self):
        with pytest.raises(TypeError, match=r"static field `Doubled\.half`, got f32\[2\]"):
            Doubled(jnp.ones(2))

    def test_named_arrays_and_tracers_are_no_static_values(self):
        advice = r"Make it a pytree field \(drop `static_field`\)"
        with pytest.raises(TypeError, match=rf"got NamedArray\(f32\[a:2\]\)\. {advice}"):
            Tagged(1, nx.ones({"a": 2}))
        with pytest.raises(TypeError, match=rf"got f32\[\]\. {advice}"):
            jax.jit(lambda x: Tagged(1, x))(1.0)


class TestMethods:
    def test_from_attributes_inverts_attributes_dict(self):
        for node in (Tagged(1, "a"), Doubled(2)):
            copied = type(node).from_attributes(**node.attributes_dict())
            assert copied == node
            assert copied is not node

    def test_from_attributes_wants_all_fields_and_no_more(self):
        with pytest.raises(ValueError, match=r"`Point`; missing: `y`; unknown: `z`\. The fields"):
            Point.from_attributes(x=1, z=2)

    def test_replace_changes_some_fields(self):
        node = Doubled(2)
        assert node.replace(value=0).attributes_dict() == {"value": 0, "half": 2}
        assert node.value == 4
        with pytest.raises(
            ValueError,
            match=r"fields of `Doubled` to replace, got `other`\. The fields are `value`",
        ):
            node.replace(other=1)

    def test_values_that_a_method_remembers_stay_with_their_instance(self):
        @pytree_dataclass
        class Remembers(Struct):
            x: Any

            @functools.cached_property
            def twice(self):
                return 2 * self.x

        node = Remembers(2)
        assert node.twice == 4
        assert node.replace(x=5).twice == 10
        assert node.select().at_instances_of(int).set(7).twice == 14

    def test_dataclasses_replace_works(self):
        assert dataclasses.replace(Point(1, 2), y=3) == Point(1, 3)

    def test_select_starts_a_selection(self):
        assert isinstance(Point(1, 2).select(), Selection)
        assert Point(1, 2).select().get() == Point(1, 2)

    def test_copies_and_pickles_are_equal(self):
        for node in (Tagged(jnp.ones(2), ("a", 1)), Doubled(3)):
            assert copy.copy(node) == node
            assert copy.deepcopy(node) == node
            assert pickle.loads(pickle.dumps(node)) == node

    def test_equality_compares_leaves_as_a_whole(self):
        a = Point(jnp.arange(3), [np.ones(2)])
        assert a == Point(jnp.arange(3), [np.ones(2)])
        assert a != Point(jnp.arange(3), [np.zeros(2)])
        assert a != Point(jnp.arange(4), [np.ones(2)])
        assert a != Point(jnp.arange(3.0), [np.ones(2)])
        assert a != Point(3, [np.ones(2)])
        assert a != "something else"

    def test_equal_structs_have_equal_hashes(self):
        assert hash(Point(1, (2,))) == hash(Point(1, (2,)))

    def test_hashes_leave_out_what_does_not_compare(self):
        @pytree_dataclass
        class Noted(Struct):
            x: Any
            note: Any = dataclasses.field(compare=False)

        assert hash(Noted(1, "a")) == hash(Noted(1, ["not hashable"]))
        with pytest.raises(TypeError, match="hash a `Noted`, but got an unhashable type: 'list'"):
            hash(Noted([1], "a"))

    def test_compiling_a_struct_as_a_function_says_what_to_do_instead(self):
        with pytest.raises(TypeError, match=r"`variable_jit\(layer\)` does so for a layer"):
            jax.jit(nn.Sequential([nn.Identity()]))(1.0)

    def test_an_own_hash_is_kept_and_a_parents_is_not(self):
        @pytree_dataclass
        class Own(Struct):
            x: Any

            def __hash__(self):
                return 7

        @pytree_dataclass
        class Child(Own):
            x: Any

        assert hash(Own(1)) == 7
        assert hash(Child(1)) == hash((1,))

    def test_equal_structures_have_equal_hashable_treedefs(self):
        structure = jax.tree_util.tree_structure
        same = structure(Tagged([1], "a")), structure(Tagged([2], "a"))
        assert same[0] == same[1]
        assert hash(same[0]) == hash(same[1])
        assert structure(Tagged([1], "b")) != same[0]

    def test_ordering_on_demand(self):
        @pytree_dataclass(order=True)
        class Ranked(Struct):
            rank: Any

        assert Ranked(1) < Ranked(2)

    def test_own_equality_is_kept(self):
        @pytree_dataclass
        class Loose(Struct):
            x: Any

            def __eq__(self, other):
                return True

        assert Loose(1) == Loose(2)


def test_what_counts_as_a_pytree_dataclass():
    class Sub(Point):
        pass

    assert is_pytree_dataclass_type(Point)
    assert not is_pytree_dataclass_type(Sub)
    assert not is_pytree_dataclass_type(Point(1, 2))
    assert not is_pytree_dataclass_type(int)


def test_fields_can_be_static_by_metadata_alone():
    @pytree_dataclass
    class Ported(Struct):
        a: Any
        b: str = dataclasses.field(metadata={"pytree_node": False})
        c: str = static_field(default="c", always_collapse=True, metadata={"mine": 1})

    assert [is_pytree_node_field(field) for field in dataclasses.fields(Ported)] == [
        True,
        False,
        False,
    ]
    assert dataclasses.fields(Ported)[2].metadata == {
        "pytree_node": False,
        "always_collapse": True,
        "mine": 1,
    }
    assert jax.tree.leaves(Ported(1, "b")) == [1]
