"""Pictures of arrays, pixel by pixel."""

import io
import math
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from PIL import Image
from treeview.arrays import colors
from treeview.arrays.blocks import legend_lines
from treeview.arrays.digits import digit_tiles
from treeview.arrays.drawing import can_draw, draw_picture
from treeview.arrays.painting import paint_values
from treeview.arrays.phases import HUES, SHADES, phase_colors
from treeview.arrays.picture import CUT_MARK, encode_png
from treeview.arrays.protocol import ArrayInfo, Axis, positional_axes
from treeview.arrays.style import PictureStyle


def draw(array, axes=None, valid=None, **style):
    axes = axes or positional_axes(array.shape)
    info = ArrayInfo("", str(array.dtype), axes)
    style = PictureStyle(**style)
    window = style.window(info.shape)
    values = array[np.ix_(*window)] if window else array
    valid = valid if valid is None else valid[np.ix_(*window)]
    return draw_picture(values, info, window, style, valid)


def decoded(data):
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image.convert("RGBA"))


def color_type(data):
    return struct.unpack(">IIBB", data[16:26])[3]


@given(npst.arrays(np.uint8, st.tuples(st.integers(1, 9), st.integers(1, 9), st.just(4))))
def test_png_gives_back_every_pixel(pixels):
    assert (decoded(encode_png(pixels)) == pixels).all()


def test_png_has_a_palette_for_up_to_256_colors_and_none_for_more():
    few = np.zeros((16, 16, 4), np.uint8)
    few[..., 0] = np.arange(256).reshape(16, 16)
    many = np.zeros((1, 257, 4), np.uint8)
    many[..., 0] = np.arange(257) % 256
    many[0, 256, 1] = 1
    assert color_type(encode_png(few)) == 3
    assert color_type(encode_png(many)) == 6
    assert (decoded(encode_png(few)) == few).all()
    assert (decoded(encode_png(many)) == many).all()


@pytest.mark.parametrize(
    "pixels",
    [np.zeros((0, 3, 4), np.uint8), np.zeros((2, 2, 3), np.uint8), np.zeros((2, 2, 4))],
)
def test_png_of_anything_but_pixels_is_refused(pixels):
    with pytest.raises(ValueError, match=r"Expected `pixels` to be uint8\[rows, columns, 4\]"):
        encode_png(pixels)


@given(npst.arrays(np.float64, (3, 5), elements=st.floats(-1e9, 1e9)))
def test_real_numbers_take_the_nearest_color_between_the_limits(array):
    picture = draw(array, trim_outliers=False)
    low, high = array.min(), array.max()
    table = colors.sequential_map()
    if low < 0 < high:
        table = colors.diverging_map()
        high = max(-low, high)
        low = -high
    assert picture.pixels.shape == (3, 5, 4)
    for row, column in np.ndindex(3, 5):
        place = 0.5 if low == high else (array[row, column] - low) / (high - low)
        exact = place * (len(table) - 1)
        allowed = {min(len(table) - 1, math.floor(exact + d)) for d in (0.4999, 0.5, 0.5001)}
        assert tuple(picture.pixels[row, column]) in {tuple(table[k]) for k in allowed}


def test_given_limits_clip():
    picture = draw(np.array([[-5.0, 0.0, 1.0, 2.0, 9.0]]), low=0, high=2)
    table = colors.sequential_map()
    assert (picture.pixels[0] == table[[0, 0, 128, 255, 255]]).all()
    assert picture.scale_legend.low == "0"
    assert picture.scale_legend.high == "2"
    assert picture.scale_legend.note == "2 beyond the scale"


def test_a_limit_around_zero_is_mirrored():
    picture = draw(np.array([[1.0, 2.0, 4.0]]), high=4, around_zero=True)
    assert (picture.pixels[0] == colors.diverging_map()[[160, 192, 256]]).all()
    assert picture.scale_legend.low == "-4"


def test_outliers_are_trimmed_to_three_deviations_and_counted():
    array = np.zeros((1, 100))
    array[0, 0] = 1.0
    assert draw(array).scale_legend.high == f"{0.01 + 3 * math.sqrt(0.0099):.3g}"
    assert draw(array).scale_legend.note == "1 beyond the scale"
    assert draw(array, trim_outliers=False).scale_legend.high == "1"


def test_extremes_of_float64_do_not_overflow():
    picture = draw(np.array([[-1.7e308, 0.0, 1.7e308]]))
    assert (picture.pixels[0] == colors.diverging_map()[[0, 128, 256]]).all()
    tiny = draw(np.array([[0.0, 5e-324]]), trim_outliers=False)
    assert (tiny.pixels[0] == colors.sequential_map()[[0, 255]]).all()


def test_what_is_not_finite_has_marks_of_its_own():
    array = np.array([[np.nan, np.inf, -np.inf, 1.0]])
    valid = np.array([[True, True, True, True]])
    picture = draw(array)
    tiles = picture.pixels.reshape(7, 4, 7, 4).transpose(1, 0, 2, 3)
    seen = [{tuple(color) for color in tile.reshape(-1, 4).tolist()} for tile in tiles]
    assert seen[0] == {(*colors.NAN, 255), (*colors.NAN_MARK, 255)}
    assert seen[1] == {(*colors.POSITIVE_INFINITY, 255), (*colors.INFINITY_MARK, 255)}
    assert seen[2] == {(*colors.NEGATIVE_INFINITY, 255), (*colors.INFINITY_MARK, 255)}
    assert len(seen[3]) == 1
    assert (tiles[0] == tiles[0].transpose(1, 0, 2)).all()  # a cross is symmetric
    assert picture.description.endswith(
        "values from 1 to 1, 1 NaN, 2 infinite; rows: axis 0; columns: axis 1"
    )
    assert valid.all()


def test_masked_values_do_not_count_for_the_limits():
    array = np.array([[0.0, 1.0, 99.0]])
    masked = draw(np.ma.array(array, mask=[[0, 0, 1]]))
    valid = draw(array, valid=np.array([[True, True, False]]))
    assert (masked.pixels == valid.pixels).all()
    assert masked.scale_legend.high == "1"
    assert masked.description.startswith("float64[1, 3]: values from 0 to 1, 1 masked")
    last = {tuple(color) for color in masked.pixels[:, 14:].reshape(-1, 4).tolist()}
    assert last == {(*colors.MASKED, 255), (*colors.MASKED_MARK, 255)}


def test_nothing_finite_is_still_a_picture():
    picture = draw(np.full((2, 2), np.nan))
    assert picture.description.startswith("float64[2, 2]: no finite values, 4 NaN")
    assert picture.scale_legend is None
    assert draw(np.array(["NaT"], "M8[s]")).scale_legend is None


def test_no_values_are_said_to_be_none():
    picture = draw(np.zeros((0, 3)))
    assert picture.description == "float64[0, 3] without values"
    assert picture.caption.plain == "float64[0, 3] without values"


def test_digits_are_nested_from_the_outside_in():
    (tile,) = digit_tiles(np.array([123]), 7)
    table = colors.digit_colors()
    assert (tile[3] == table[[1, 2, 3, 3, 3, 2, 1]]).all()
    assert (tile == tile[::-1]).all()
    assert (tile == tile.transpose(1, 0, 2)).all()


def test_repeated_digits_are_told_apart():
    (tile,) = digit_tiles(np.array([77]), 7)
    assert (tile[0, 0] == colors.digit_colors()[7]).all()
    assert (tile[3, 3] != tile[0, 0]).any()


def test_negative_numbers_have_a_dark_corner():
    minus, plus = digit_tiles(np.array([-5, 5]), 7)
    differs = (minus != plus).any(-1)
    assert differs.tolist() == [[x + y < 2 for x in range(7)] for y in range(7)]
    assert (minus[0, 0] == (0, 0, 0, 255)).all()


@given(st.integers(-9_999_999, 9_999_999))
def test_digits_of_a_number_can_be_read_back(number):
    (tile,) = digit_tiles(np.array([number]), 14)
    ring = tile[7, :8].astype(int)  # from the left edge to the centre
    table = colors.digit_colors().astype(int)
    lighter = (table + 255) // 2
    digits = []
    for k, color in enumerate(ring):
        if k and (color == ring[k - 1]).all():
            continue
        match = [d for d in range(10) if (table[d] == color).all() or (lighter[d] == color).all()]
        digits.append(match[0])
    assert "".join(map(str, digits)) == str(abs(number))


def test_single_digits_are_plain_colors():
    picture = draw(np.array([[0, 5], [9, 1]]))
    assert (picture.pixels == colors.digit_colors()[[[0, 5], [9, 1]]]).all()


def test_long_integers_become_colors_of_a_map():
    picture = draw(np.array([[0, 10**7, 2**62]]), trim_outliers=False)
    assert (picture.pixels[0] == colors.sequential_map()[[0, 0, 255]]).all()
    assert picture.scale_legend.high == "4.61e+18"


def test_integers_choose_from_a_given_palette_and_miss_visibly():
    palette = colors.parse_colormap(["#ff0000", "#00ff00"])
    picture = draw(np.array([[0, 1, 1]]), colormap=palette)
    assert (picture.pixels[0] == palette[[0, 1, 1]]).all()
    missing = draw(np.array([[0, 2]]), colormap=palette)
    tile = {tuple(color) for color in missing.pixels[:, 7:].reshape(-1, 4).tolist()}
    assert tile == {(*colors.NAN, 255), (*colors.NAN_MARK, 255)}


def test_truth_values_have_two_colors_and_say_which():
    picture = draw(np.array([[True, False]]))
    assert (picture.pixels[0] == colors.digit_colors()[[1, 0]]).all()
    assert (picture.scale_legend.low, picture.scale_legend.high) == ("False", "True")


def test_complex_numbers_show_magnitude_and_phase():
    table = phase_colors().reshape(HUES, SHADES, 4)
    assert len({tuple(color) for color in table[:, 1:].reshape(-1, 4).tolist()}) > 200
    turns = np.exp(2j * np.pi * np.arange(HUES) / HUES)[:, None]
    picture = draw(turns * np.arange(1, SHADES) ** 2, low=0.0, trim_outliers=False)
    assert (picture.pixels == table[:, 1:]).all()
    words = "magnitudes from 1 to 81, phases as hues;"
    assert picture.description.startswith(f"complex128[24, 9]: {words}")
    magnitude, phase = picture.legends
    assert (magnitude.low, magnitude.high) == ("magnitude 0", "81")
    assert (phase.low, phase.high) == ("phase -π", "π")
    assert len(set(phase.colors)) == HUES
    assert phase.colors[0] == phase.colors[-1]


def test_lightness_of_complex_numbers_rises_with_their_magnitude():
    table = phase_colors().reshape(HUES, SHADES, 4)[..., :3] / 255
    linear = np.where(table <= 0.04045, table / 12.92, ((table + 0.055) / 1.055) ** 2.4)
    luminance = linear @ [0.2126, 0.7152, 0.0722]
    assert (np.diff(luminance, axis=1) > 0).all()


def test_complex_numbers_that_are_not_finite_are_marked():
    picture = draw(np.array([[complex(np.nan, 1), complex(1, np.inf), 1j, 0]]))
    assert ", 1 NaN, 1 infinite" in picture.description
    assert draw(np.array([[complex(np.nan, 0)]])).legends == ()
    assert draw(np.zeros((2, 2), complex)).description.startswith("complex128[2, 2]: magnitudes")


def test_limits_of_complex_numbers_are_magnitudes_and_a_map_shows_them_alone():
    picture = draw(np.array([[1j, 5.0]]), low=1.0, high=3.0)
    assert picture.legends[0].note == "1 beyond the scale"
    assert (picture.legends[0].low, picture.legends[0].high) == ("magnitude 1", "3")
    palette = colors.parse_colormap(["#000000", "#ffffff"])
    plain = draw(np.array([[0, 3 + 4j]]), colormap=palette, trim_outliers=False)
    assert (plain.pixels[0] == palette).all()


def test_strings_have_a_color_for_each_category():
    picture = draw(np.array([["b", "a"], ["a", "b"]]))
    first, second = colors.digit_colors()[1:3]
    assert (picture.pixels == np.array([[second, first], [first, second]])).all()
    assert [scale.high for scale in picture.legends] == ["'a'", "'b'"]
    assert [set(scale.colors) for scale in picture.legends] == [
        {f"#{r:02x}{g:02x}{b:02x}"} for r, g, b, _ in (first.tolist(), second.tolist())
    ]
    assert picture.description.startswith("<U1[2, 2]: 2 categories;")


def test_rare_categories_are_grey_and_long_ones_cut():
    words = np.array([*"abcdefghi" * 2, "x", "y", "z" * 90])
    picture = draw(words)
    assert picture.legends[-1].high == "3 others"
    assert (picture.pixels[0, -3:] == colors.digit_colors()[0]).all()
    assert draw(np.array(["z" * 90])).legends[0].high == f"'{'z' * 22}…"


def test_legends_are_told_in_words():
    assert legend_lines(draw(np.array(["a"])).legends) == ["'a'"]
    assert legend_lines(draw(RECORDS).legends)[1:4] == [
        "weight: -2.5 to 2.5",
        "kind: 'a'",
        "kind: 'b'",
    ]
    assert legend_lines(draw(np.eye(3)).legends) == []


class Mute:
    """An object that cannot be written."""

    def __repr__(self):
        raise ValueError


def test_objects_are_the_same_if_they_are_written_the_same():
    array = np.array([[1, None], [Mute(), Mute()]], object)
    picture = draw(array, valid=np.array([[True, False], [True, True]]))
    assert [scale.high for scale in picture.legends] == ["1", "<Mute>"]
    assert "2 categories, 1 masked" in picture.description


RECORDS = np.array(
    [(1, 2.5, "a", [1, 2, 3]), (300, -1, "b", [4, 5, 6])],
    [("id", "i4"), ("weight", "f8"), ("kind", "U3"), ("place", "i4", 3)],
)


def test_records_have_a_picture_of_each_field():
    picture = draw(RECORDS)
    names = [label for label in picture.labels if label.text in RECORDS.dtype.names]
    assert [label.text for label in names] == ["id", "weight", "kind", "place"]
    for label, name in zip(names, RECORDS.dtype.names, strict=True):
        alone = draw(np.ascontiguousarray(RECORDS[name]), pixels_per_cell=14)
        factor = round(alone.scale / picture.scale)
        expected = alone.pixels.repeat(factor, 0).repeat(factor, 1)
        if name != "place":  # whose other axis has no position
            rows = picture.pixels[int(label.start) : int(label.stop), : expected.shape[1]]
            assert (rows == expected).all()
    assert "; weight: float64[2]: values from -1 to 2.5; columns: axis 0;" in picture.description
    assert "place: int32[2, place axis 0:3]: values from 1 to 6;" in picture.description
    assert [f"{scale.low} {scale.high}" for scale in picture.legends] == [
        "id: 0 9",
        "weight: -2.5 2.5",
        "kind: 'a'",
        "kind: 'b'",
        "place: 0 9",
    ]


def test_masked_records_and_many_fields():
    many = np.zeros(3, [(f"f{k}", "f4") for k in range(20)])
    assert draw(many).description.endswith("; 8 more fields")
    hidden = np.zeros(2, [("id", "?"), ("weight", "?"), ("kind", "?"), ("place", "?", 3)])
    hidden["id"][0] = True
    masked = np.ma.masked_array(RECORDS, hidden)
    assert "id: int32[2]: values from 300 to 300" in draw(masked).description
    shown = draw(RECORDS, valid=np.array([True, False]))
    assert "place: int32[2, place axis 0:3]: values from 1 to 3" in shown.description


def test_dates_are_written_as_dates():
    dates = np.array(["2020-01-01", "2021-01-01", "NaT"], "M8[D]")
    picture = draw(dates, trim_outliers=False)
    assert (picture.scale_legend.low, picture.scale_legend.high) == ("2020-01-01", "2021-01-01")
    assert ", 1 NaN" in picture.description


def test_facets_have_transparent_gaps_and_labels():
    axes = (Axis(3, name="head"), Axis(2, name="row"), Axis(4, name="col"))
    array = np.arange(24.0).reshape(3, 2, 4)
    picture = draw(array, axes, rows=(1,), columns=(2, 0), trim_outliers=False)
    assert picture.pixels.shape == (2, 14, 4)
    assert (picture.pixels[:, [4, 9], 3] == 0).all()
    expected = colors.sequential_map()[np.rint(array / 23 * 255).astype(int)]
    for head in range(3):
        assert (picture.pixels[:, 5 * head : 5 * head + 4] == expected[head]).all()
    labels = [
        (label.side, label.start, label.stop, label.text, label.level) for label in picture.labels
    ]
    assert labels == [
        ("left", 0, 2, "row: 2", 0),
        ("top", 0, 14, "col: 4", 0),
        ("top", 0, 4, "0", 1),
        ("top", 5, 9, "1", 1),
        ("top", 10, 14, "2", 1),
        ("top", 0, 14, "head: 3", 2),
    ]
    assert picture.description == (
        "float64[head:3, row:2, col:4]: values from 0 to 23; rows: row; columns: col within head"
    )


def test_what_is_left_out_is_marked_and_said():
    array = np.arange(40.0 * 50).reshape(40, 50)
    picture = draw(array, maximum_size=100, minimum_edge=2)
    height, width = picture.pixels.shape[0] - 1, picture.pixels.shape[1] - 1
    assert (picture.pixels[height // 2, ::2] == CUT_MARK).all()
    assert (
        picture.caption.plain == f"showing {height} of 40 along axis 0, {width} of 50 along axis 1"
    )
    assert (picture.pixels[0, 0] == colors.sequential_map()[0]).all()
    assert (picture.pixels[-1, -1] == colors.sequential_map()[-1]).all()


def test_items_and_axes_carry_the_given_labels():
    picture = draw(
        np.zeros((2, 2)),
        item_labels={0: ("a", "b")},
        axis_labels={1: "key"},
        value_labels={0: "no"},
    )
    texts = [(label.side, label.text, label.level) for label in picture.labels]
    assert texts == [
        ("left", "a", 0),
        ("left", "b", 0),
        ("left", "axis 0: 2", 1),
        ("top", "key", 0),
    ]
    assert picture.caption.plain == "0 = no"


def test_digits_with_names_have_a_legend_for_each():
    picture = draw(np.array([[0, 2, 5]]), value_labels={0: "no", 2: "yes", 7: "never"})
    css = colors.css_colors(colors.digit_colors(), 10)
    shown = [(set(scale.colors), scale.low, scale.high) for scale in picture.legends]
    assert shown == [({css[0]}, "", "0 = no"), ({css[2]}, "", "2 = yes"), ({css[5]}, "", "5")]
    assert picture.caption.plain == ""
    longer = draw(np.array([[0, 12]]), value_labels={12: "dozen"})
    assert longer.caption.plain == "12 = dozen"


def test_small_pictures_have_large_cells():
    assert draw(np.zeros((4, 4))).scale == 14
    assert draw(np.zeros((4, 100))).scale == 7
    assert draw(np.array([[123456]])).scale == 1  # 14 pixels for a cell of 14
    assert draw(np.zeros((4, 4)), pixels_per_cell=3).scale == 3


@pytest.mark.parametrize("dtype", ["<f8", ">i4", "?", "c8", "M8[s]", "m8[s]", "u1", "e"])
def test_numbers_can_be_drawn(dtype):
    info = ArrayInfo("", str(np.dtype(dtype)), positional_axes((2,)))
    assert can_draw(info)


@pytest.mark.parametrize("dtype", ["U3", "S3", ">U3", "O", "V3", "i4,i4"])
def test_other_types_cannot_be_drawn(dtype):
    info = ArrayInfo("", str(np.dtype(dtype)), positional_axes((2,)))
    assert not can_draw(info)


def test_drawing_what_is_no_number_is_refused():
    with pytest.raises(ValueError, match="Expected an array of numbers to draw, got <U1"):
        paint_values(np.array(["a", "b"]), None, PictureStyle())


def test_few_colors_of_a_map_are_evenly_spaced_and_the_legend_stays():
    array = np.linspace(-1, 1, 65)[None]
    few, many = draw(array, color_steps=33), draw(array)
    table = colors.diverging_map()[::8]
    places = np.rint((array[0] + 1) / 2 * 32 - 1e-9).astype(int)
    nearest = {tuple(color) for color in table}
    assert {tuple(color) for color in few.pixels[0].tolist()} == nearest
    assert (few.pixels[0, ::2] == table[places[::2]]).all()
    assert few.legends == many.legends


def test_a_single_number_between_given_limits_has_its_color():
    picture = draw(np.array(0.25), low=0.0, high=1.0)
    assert (picture.pixels[0, 0] == colors.sequential_map()[64]).all()
