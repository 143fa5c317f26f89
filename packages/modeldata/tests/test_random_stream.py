"""Streams of random keys."""

import jax
import numpy as np
import pytest

from modeldata._random import RandomStream
from modeldata.variables import unbind_variables, variable_jit


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
