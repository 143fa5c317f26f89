"""Streams of random keys."""

import jax
import numpy as np
import pytest

from modeldata._random import RandomStream
from modeldata.variables import (
    unbind_variables,
    variable_checkpoint,
    variable_jit,
    variable_scan,
    variable_value_and_grad,
    variable_vmap,
)


def data(key):
    return np.asarray(jax.random.key_data(key))


def test_keys_are_the_base_key_with_a_count_folded_in():
    base = jax.random.key(7)
    stream = RandomStream.from_base_key(base)
    for count in range(3):
        np.testing.assert_array_equal(
            data(stream.next_key()), data(jax.random.fold_in(base, count))
        )


def test_a_stream_goes_on_inside_compiled_code():
    stream = RandomStream.from_base_key(jax.random.key(0))
    twin = RandomStream.from_base_key(jax.random.key(0))
    compiled = variable_jit(lambda s: (s.next_key(), s.next_key()))
    keys = [*compiled(stream), *compiled(stream)]
    for key in keys:
        np.testing.assert_array_equal(data(key), data(twin.next_key()))


def test_two_streams_fit_in_one_tree():
    streams = [RandomStream.from_base_key(jax.random.key(i)) for i in range(2)]
    _, variables = unbind_variables(streams)
    assert len(variables) == 2


def test_an_offset_label_can_be_chosen():
    stream = RandomStream.from_base_key(jax.random.key(0), offset_label="here")
    assert stream.offset.label == "here"


def draws(stream, count):
    return [data(stream.next_key()).tolist() for _ in range(count)]


def test_the_same_key_gives_the_same_draws_and_another_key_others():
    first, again, other = (RandomStream.from_base_key(jax.random.key(s)) for s in (1, 1, 2))
    keys = draws(first, 20)
    assert draws(again, 20) == keys
    assert len({str(key) for key in [*keys, *draws(other, 20)]}) == 40


def test_streams_in_one_tree_do_not_disturb_each_other():
    streams = [RandomStream.from_base_key(jax.random.key(i)) for i in range(2)]
    twins = [RandomStream.from_base_key(jax.random.key(i)) for i in range(2)]
    both = variable_jit(lambda a, b: (a.next_key(), b.next_key(), a.next_key()))
    keys = [data(key).tolist() for key in both(*streams)]
    assert keys[::2] == draws(twins[0], 2)
    assert keys[1:2] == draws(twins[1], 1)
    assert [int(s.offset.value) for s in streams] == [2, 1]


def test_a_shared_stream_gives_all_copies_one_key_and_a_split_one_each_their_own():
    stream = RandomStream.from_base_key(jax.random.key(0))
    normal = lambda s, x: x + jax.random.normal(s.next_key())
    shared = variable_vmap(normal, in_axes=(None, 0))(stream, np.zeros(4))
    assert len(set(shared.tolist())) == 1
    own = variable_vmap(normal)(stream.split(4), np.zeros(4))
    assert len(set(own.tolist())) == 4
    assert int(stream.offset.value) == 2  # one draw for the copies, one to split

    twin = RandomStream.from_base_key(jax.random.key(0))
    twin.next_key()
    again = variable_vmap(normal)(twin.split(4), np.zeros(4))
    np.testing.assert_array_equal(own, again)


def test_a_split_stream_goes_on_in_each_copy():
    parts = RandomStream.from_base_key(jax.random.key(0)).split(3)
    two = lambda s: jax.numpy.stack([jax.random.normal(s.next_key()) for _ in range(2)])
    values = [*variable_vmap(two)(parts).ravel(), *variable_vmap(two)(parts).ravel()]
    assert len({float(value) for value in values}) == 12
    assert int(parts.offset.value) == 4


def test_steps_of_a_loop_draw_one_after_the_other():
    stream, twin = (RandomStream.from_base_key(jax.random.key(0)) for _ in range(2))
    step = lambda carry, x, s: (carry, jax.random.key_data(s.next_key()))
    _, keys = variable_scan(step, None, None, 5, args=(stream,))
    assert keys.tolist() == draws(twin, 5)
    assert int(stream.offset.value) == 5


def test_dropout_is_the_same_again_in_the_backward_pass():
    stream = RandomStream.from_base_key(jax.random.key(0))

    @variable_checkpoint
    def drop(x, stream):
        mask = jax.random.bernoulli(stream.next_key(), 0.5, x.shape)
        return (x * mask).sum(), mask

    (_, mask), grads = variable_value_and_grad(drop, has_aux=True)(np.ones(32, np.float32), stream)
    np.testing.assert_array_equal(grads, mask)
    assert int(stream.offset.value) == 1
