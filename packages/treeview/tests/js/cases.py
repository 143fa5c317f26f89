"""Writes payloads and what they must read as, for the tests of the scripts.

Usage: python cases.py FILE

What concerns pictures goes to `pictures.json` beside it.
"""

import collections
import json
import random
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import treeview
from picture_cases import place_cases, write_cases
from treeview._layout import open_counts
from treeview._payload import Payload

WORDS = [
    "",
    "a",
    "name",
    "世界",
    "é",
    "a\u0301",
    "\u202e",
    "it's",
    '"',
    "\n",
    "</script>",
    "x" * 40,
]
Point = collections.namedtuple("Point", "x y")


@dataclass
class Layer:
    size: int
    parts: list


def value(rng, depth=0):
    """A random value that treeview writes without a comment."""
    kind = rng.randrange(13 if depth < 4 else 7)
    children = (
        [value(rng, depth + 1) for _ in range(rng.choice([0, 1, 1, 2, 3, 5, 30]))]
        if kind > 6
        else []
    )
    match kind:
        case 0 | 1:
            return rng.choice([0, -1, 7, 10**30, 123456])
        case 2:
            return rng.choice([0.5, -0.0, 1e300, 3.0, 1e-7])
        case 3 | 4:
            return rng.choice(WORDS) * rng.choice([1, 1, 2])
        case 5:
            return rng.choice([None, True, False, ..., 2j, b"a\xff"])
        case 6:
            return list(range(rng.choice([0, 3, 40, 200])))
        case 7 | 8:
            return children
        case 9:
            return tuple(children)
        case 10 | 11:
            keys = [rng.choice([*WORDS, 1, True, None, (1, 2), 0.5]) for _ in children]
            return dict(zip(keys, children, strict=True))
        case _:
            return rng.choice([Point(1, children), Layer(3, children)])


def case(obj, width, limit):
    """A payload and its text."""
    options = treeview.Options(width=width, max_lines=limit)
    root = treeview.render(obj, width=width, max_lines=limit).document
    counts = open_counts(root, width=width, max_lines=limit)
    opened = {} if limit is None else counts
    payload = Payload(root, opened)
    header = {"width": width, "stretch": limit, "all": limit is None, "root": ""}
    text = treeview.Rendering(root, options).text()
    whole = treeview.render_text(obj, roundtrip=True, width=10**9)
    return {"payload": payload.text(**header), "text": text, "whole": whole}


def main():
    """Writes the cases."""
    rng = random.Random(0)
    cases = []
    for width in (60, 80, 100):
        for limit in (None, 12, 40):
            cases += [case(value(rng), width, limit) for _ in range(25)]
    with open(sys.argv[1], "w", encoding="utf-8") as file:
        json.dump(cases, file)
    numbers = np.random.default_rng(0)
    pictures = {"values": write_cases(numbers), "places": place_cases(numbers)}
    Path(sys.argv[1]).with_name("pictures.json").write_text(json.dumps(pictures), encoding="utf-8")


if __name__ == "__main__":
    main()
