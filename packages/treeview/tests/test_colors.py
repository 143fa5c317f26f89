"""Colour maps."""

import sys
import types

import numpy as np
import pytest
from treeview.arrays.colors import (
    css_colors,
    css_steps,
    digit_colors,
    diverging_map,
    oklch_colors,
    parse_colormap,
    sequential_map,
)


def lightness(colors):
    """CIE L*, computed apart from the code under test."""
    channels = colors[:, :3] / 255
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    luminance = linear @ [0.2126, 0.7152, 0.0722]
    return 116 * np.cbrt(luminance) - 16


def test_sequential_map_rises_steadily_in_lightness():
    levels = lightness(sequential_map())
    assert levels[0] < 20
    assert levels[-1] > 85
    assert (np.diff(levels[::8]) > 0).all()


def test_diverging_map_is_lightest_at_its_middle_and_even_at_its_ends():
    levels = lightness(diverging_map())
    assert levels.argmax() == 128
    assert abs(levels[0] - levels[-1]) < 10
    assert (np.diff(levels[:129:8]) > 0).all()
    assert (np.diff(levels[128::8]) < 0).all()


def test_diverging_map_goes_from_blue_over_grey_to_red():
    first, middle, last = diverging_map()[[0, 128, 256], :3].astype(int)
    assert first[2] > first[0]
    assert last[0] > last[2]
    assert np.ptp(middle) <= 3


def test_oklab_gives_the_published_primaries():
    # Red, green and blue of sRGB in OKLCh, from the author's page.
    points = [(0.62796, 0.25768, 29.234), (0.86644, 0.29483, 142.495), (0.45201, 0.31321, 264.052)]
    found = np.concatenate([oklch_colors([point], 1) for point in points])
    assert np.abs(found[:, :3].astype(int) - 255 * np.eye(3, dtype=int)).max() <= 1


def test_digits_have_ten_colors_that_differ():
    colors = digit_colors()[:, :3].astype(int)
    distances = np.abs(colors[:, None] - colors).sum(-1) + 1000 * np.eye(10, dtype=int)
    assert distances.min() > 40


def test_css_colors_keep_both_ends():
    colors = parse_colormap(["#000", "#102030", "#fff"])
    assert css_colors(colors, 2) == ("#000000", "#ffffff")
    assert css_steps(colors)[::4] == ("#000000", "#102030", "#ffffff")


@pytest.mark.parametrize(
    "given", [["#ff8000"], [(255, 128, 0)], [(1.0, 0.502, 0.0)], np.array([[255, 128, 0]])]
)
def test_colormaps_come_as_hex_integers_or_floats(given):
    assert parse_colormap(given).tolist() == [[255, 128, 0, 255]]


@pytest.mark.parametrize("given", [[], ["red"], [(1, 2)], [(300, 0, 0)], 3, [None]])
def test_other_colormaps_are_refused(given):
    with pytest.raises(ValueError, match=r"Expected `colormap` to be a sequence of colours \("):
        parse_colormap(given)


class Map:
    """A map as Matplotlib has them: indices and numbers from 0 to 1 choose colours."""

    def __init__(self, count):
        self.N = count

    def __call__(self, places):
        shades = np.asarray(places) / max(self.N - 1, 1)
        return np.stack([shades, 1 - shades, 0 * shades, 1 + 0 * shades], -1)


def test_maps_of_matplotlib_are_known_by_name(monkeypatch):
    maps = types.SimpleNamespace(colormaps={"fire": Map(256), "three": Map(3)})
    monkeypatch.setitem(sys.modules, "matplotlib", maps)
    assert parse_colormap("three").tolist() == [
        [0, 255, 0, 255],
        [128, 128, 0, 255],
        [255, 0, 0, 255],
    ]
    assert parse_colormap("fire").shape == (256, 4)
    assert (parse_colormap(Map(1000))[[0, -1], :3] == [[0, 255, 0], [255, 0, 0]]).all()
    with pytest.raises(
        ValueError, match="the name of a map of Matplotlib, got 'fir'; did you mean 'fire'"
    ):
        parse_colormap("fir")
    with pytest.raises(ValueError, match=r"got 'zzzzz'; `list\(matplotlib.colormaps\)` has all"):
        parse_colormap("zzzzz")


def test_names_need_matplotlib(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(
        ValueError, match="Expected Matplotlib to be installed for `colormap='magma'`"
    ):
        parse_colormap("magma")
