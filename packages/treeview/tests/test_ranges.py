"""One range of colours for each index of an axis."""

import numpy as np
import pytest
import treeview
from treeview.arrays import colors

HEADS = np.stack([np.linspace(0, 1, 12), np.linspace(0, 100, 12)]).reshape(2, 3, 4)


def legends(figure):
    return [(scale.low, scale.high) for scale in figure.picture.legends]


def test_each_index_has_all_the_colors():
    figure = treeview.render_array(
        HEADS, scale_axis=0, rows=[1], columns=[2, 0], trim_outliers=False
    )
    table = colors.sequential_map()
    places = np.rint(np.linspace(0, 1, 12) * 255).astype(int).reshape(3, 4)
    assert (figure.picture.pixels[:, :4] == table[places]).all()
    assert (figure.picture.pixels[:, 5:] == table[places]).all()
    assert legends(figure) == [("0: 0", "1"), ("1: 0", "100")]
    assert figure.text().splitlines() == [
        "float64[2, 3, 4]: values in 2 ranges; rows: axis 1; columns: axis 2 within axis 0",
        "0: 0 to 1",
        "1: 0 to 100",
    ]


def test_limits_are_given_for_each_index_or_for_all():
    figure = treeview.render_array(HEADS, scale_axis=0, vmin=-1, vmax=[2, 200])
    assert legends(figure) == [("0: -1", "2"), ("1: -1", "200")]
    figure = treeview.render_array(
        HEADS, scale_axis=-3, vmin=np.array([-1.0, -2.0]), vmax=np.array([1.0, 2.0])
    )
    assert legends(figure) == [("0: -1", "1"), ("1: -2", "2")]
    middle = colors.diverging_map()[128]
    assert (figure.picture.pixels[0, 0] == middle).all()


def test_all_ranges_use_the_same_map():
    array = np.array([[-1.0, 1.0], [2.0, 3.0]])
    figure = treeview.render_array(array, scale_axis=0, trim_outliers=False)
    assert legends(figure) == [("0: -1", "1"), ("1: -3", "3")]


def test_integers_get_colors_and_labels_name_the_ranges():
    figure = treeview.render_array(
        np.array([[0, 5], [0, 50]]), scale_axis=0, axis_item_labels={0: ["small", "large"]}
    )
    assert legends(figure) == [("small: 0", "5"), ("large: 0", "50")]
    assert figure.picture.pixels.shape == (2, 2, 4)


def test_ranges_of_indices_left_out_are_left_out():
    array = np.arange(200.0)[:, None] * np.ones(3)
    figure = treeview.render_array(
        array,
        scale_axis=0,
        vmin=np.arange(200.0),
        vmax=np.arange(200.0) + 1,
        truncate=True,
        maximum_size=12,
        minimum_edge_items=2,
    )
    assert legends(figure) == [
        ("0: 0", "1"),
        ("1: 1", "2"),
        ("198: 198", "199"),
        ("199: 199", "200"),
    ]


def test_many_ranges_are_counted():
    figure = treeview.render_array(np.arange(60.0).reshape(20, 3), scale_axis=0)
    assert len(figure.picture.legends) == 12
    assert figure.picture.legends[-1].note == "and 8 more ranges"


def test_what_is_no_number_keeps_its_mark():
    figure = treeview.render_array(np.array([[np.nan, 1.0], [np.inf, np.nan]]), scale_axis=0)
    assert legends(figure) == [("0: 1", "1")]
    assert "values in 2 ranges, 2 NaN, 1 infinite" in figure.text()
    tile = figure.picture.pixels[:7, :7].reshape(-1, 4)
    assert {tuple(color) for color in tile.tolist()} == {
        (*colors.NAN, 255),
        (*colors.NAN_MARK, 255),
    }


def test_legends_of_all_ranges_are_in_every_output(tmp_path):
    figure = treeview.render_array(HEADS, scale_axis=0)
    figure.save(tmp_path / "heads.svg")
    for output in (figure.html(), (tmp_path / "heads.svg").read_text()):
        assert output.count("<div class=le>") + output.count("<linearGradient id=") == 2
        assert "1: 0" in output


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (
            {"vmax": [1, 2]},
            "Expected `vmax` to be one number where no `scale_axis` is given, got 2",
        ),
        (
            {"vmin": [1], "scale_axis": 0},
            "Expected `vmin` to have one finite number for each of the 2",
        ),
        ({"vmin": [1, np.inf], "scale_axis": 0}, "Expected `vmin` to have one finite number"),
        (
            {"vmin": [1, 5], "vmax": 2, "scale_axis": 0},
            "`vmin` <= `vmax`, got 5.0 and 2.0 at index 1",
        ),
        ({"vmin": [[1]], "scale_axis": 0}, "a number or a sequence of numbers, got one of 2 dim"),
        ({"scale_axis": 3}, "Expected `scale_axis` to name axes of"),
    ],
)
def test_limits_that_do_not_fit_are_explained(arguments, words):
    with pytest.raises(ValueError, match=words):
        treeview.render_array(HEADS, **arguments)


def test_digits_have_no_ranges():
    with pytest.raises(ValueError, match="Expected `continuous` to be True or 'auto' with"):
        treeview.render_array(np.eye(2, dtype=int), scale_axis=0, continuous=False)
