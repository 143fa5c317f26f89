"""Whole text of one object at the widths on either side of every break."""

from types import SimpleNamespace

import numpy as np
import pytest

import treeview

TREE = {
    "config": SimpleNamespace(name="small", sizes=[64, 128, 256], rate=0.1),
    "weights": np.ones((3, 4)),
    "tags": ["one", "two", "three"],
    "note": None,
}
ONE_LINE = (
    "{'config': SimpleNamespace(name='small', sizes=[64, 128, 256], rate=0.1), "
    "'weights': np.ndarray float64[3, 4] all 1, 'tags': ['one', 'two', 'three'], 'note': None}"
)
OPEN_ROOT = """\
{
  'config': SimpleNamespace(name='small', sizes=[64, 128, 256], rate=0.1),
  'weights': np.ndarray float64[3, 4] all 1,
  'tags': ['one', 'two', 'three'],
  'note': None,
}"""
OPEN_CONFIG = """\
{
  'config': SimpleNamespace(
    name='small',
    sizes=[64, 128, 256],
    rate=0.1,
  ),
  'weights': np.ndarray float64[3, 4] all 1,
  'tags': ['one', 'two', 'three'],
  'note': None,
}"""
CUT_SUMMARY = OPEN_CONFIG.replace("all 1", "all…")
SHORT_SUMMARY = OPEN_CONFIG.replace("[3, 4] all 1", "[…")
OPEN_TAGS = OPEN_CONFIG.replace("64[3, 4] all 1", "64…").replace(
    "['one', 'two', 'three']", "[\n    'one', 'two', 'three',\n  ]"
)
FULL_TAGS = OPEN_TAGS.replace("float64…", "…")
TWO_ROWS = OPEN_TAGS.replace(" float64…", "…").replace("'two', ", "'two',\n    ")
OPEN_SIZES = TWO_ROWS.replace("array…", "arra…").replace(
    "[64, 128, 256]", "[\n    64, 128, 256,\n    ]"
)
ONE_EACH = """\
{
  'config': SimpleNamespace(
    name='small',
    sizes=[
    64,
    128,
    256,
    ],
    rate=0.1,
  ),
  'weights': …,
  'tags': [
    'one',
    'two',
    'three',
  ],
  'note': None,
}"""


@pytest.mark.parametrize(
    ("width", "expected"),
    [
        (200, ONE_LINE),
        (163, ONE_LINE),
        (162, OPEN_ROOT),
        (74, OPEN_ROOT),
        (73, OPEN_CONFIG),
        (44, OPEN_CONFIG),
        (43, CUT_SUMMARY),
        (34, SHORT_SUMMARY),
        (33, OPEN_TAGS),
        (26, FULL_TAGS),
        (25, TWO_ROWS),
        (24, OPEN_SIZES),
        (11, ONE_EACH),
        (1, ONE_EACH),
    ],
)
def test_lines_break_where_they_no_longer_fit(width, expected):
    assert treeview.render_text(TREE, width=width, max_lines=None) == expected


FOLDED_CONFIG = """\
{
  'config': SimpleNamespace(name='small', sizes=[…], rate=0.1),
  'weights': np.ndarray float64[3, 4] all 1,
  'tags': ['one', 'two', 'three'],
  'note': None,
}"""


@pytest.mark.parametrize(
    ("max_lines", "expected"),
    [
        (None, OPEN_CONFIG),
        (10, OPEN_CONFIG),
        (9, FOLDED_CONFIG),
        (6, FOLDED_CONFIG),
        (5, FOLDED_CONFIG.replace("  'tags': ['one', 'two', 'three'],\n  'note': None,\n", "")),
    ],
)
def test_what_has_no_lines_folds_and_says_how_much(max_lines, expected):
    if max_lines == 5:
        expected = expected.replace("all 1,\n", "all 1,\n  … 2 more items\n")
    assert treeview.render_text(TREE, width=73, max_lines=max_lines) == expected
