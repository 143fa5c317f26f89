"""Threads and tasks that render at once with options of their own: no error, no mixing."""

import asyncio
import threading
from dataclasses import dataclass
from itertools import cycle, islice

import numpy as np
import pytest

import treeview


@dataclass
class Block:
    name: str
    weights: object


class Nested:
    """Calls treeview from its own `repr`, with options of its own."""

    def __repr__(self):
        with treeview.options(width=20, max_lines=3):
            return f"Nested({treeview.render_text(list(range(30)))!r})"


SHARED = np.arange(12.0)
TREE = {
    "blocks": [Block(f"block {index}", [SHARED, np.full(index + 9, index)]) for index in range(2)],
    "nested": Nested(),
    "text": ["some words " * 3] * 3,
}
CHOICES = [
    {"width": 30},
    {"width": 50, "max_lines": 7},
    {"width": 70, "depth": 1},
    {"width": 90, "statistics": False},
    {"width": 110, "totals": True},
    {"width": 130, "max_items": 2, "color": True},
    {"roundtrip": True, "width": 40},
]


@pytest.fixture(scope="module")
def expected():
    pairs = []
    for choice in CHOICES:
        with treeview.options(**choice, seconds=60):
            pairs.append((choice, treeview.render_text(TREE)))
    return pairs


def test_the_choices_differ(expected):
    assert len({text for _, text in expected}) == len(CHOICES)


def test_sixteen_threads_render_with_options_of_their_own(expected):
    start = threading.Barrier(16)
    wrong = []

    def work(number):
        start.wait()
        for choice, text in islice(cycle(expected), number % 7, number % 7 + 7):
            try:
                with treeview.options(**choice, seconds=60):
                    if treeview.render_text(TREE) != text:
                        wrong.append((number, choice))
                    if "<details" not in treeview.render_html(TREE):
                        wrong.append((number, "html"))
            except BaseException as error:
                wrong.append((number, choice, error))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert treeview.current_options() == treeview.Options()


def test_a_thousand_tasks_render_with_options_of_their_own(expected):
    async def work(number):
        choice, text = expected[number % len(expected)]
        with treeview.options(**choice):
            await asyncio.sleep(0.001 * (number % 5))
            inside = treeview.current_options()
            await asyncio.sleep(0)
            assert treeview.current_options() is inside
            return treeview.render_text(TREE) == text

    async def everybody():
        return await asyncio.gather(*map(work, range(1000)))

    with treeview.options(seconds=60):
        assert all(asyncio.run(everybody())) is True
        assert treeview.current_options().seconds == 60


def test_registering_while_others_render_does_no_harm():
    class Animal:
        pass

    registry = treeview.Registry()
    kinds = [type(f"Animal{number}", (Animal,), {}) for number in range(200)]
    wrong, done = [], threading.Event()

    def render():
        from treeview._walk import build_document

        while not done.is_set():
            try:
                build_document([kind() for kind in kinds[::20]], registry=registry)
            except BaseException as error:
                wrong.append(error)

    threads = [threading.Thread(target=render) for _ in range(4)]
    for thread in threads:
        thread.start()
    for kind in kinds:
        registry.register(kind, lambda obj, view: view.text("an animal"))
    done.set()
    for thread in threads:
        thread.join()
    assert wrong == []
