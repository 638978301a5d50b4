"""The picture of a model: every call, every arrow, nothing over anything else."""

from itertools import combinations, pairwise

import numpy as np
import pytest

import test_configs
from convlab import layers, models, plotting
from convlab.plotting import COLOURS
from convlab.plotting.colours import INK, contrast


def branches():
    x = layers.Input((8, 8, 2), name="image")
    a, b, c = (test_configs.conv(name) for name in "abc")
    deep = c(b(x))
    joined = layers.Concatenate(name="joined")([a(x), deep, x])
    return models.Model(x, {"all": joined, "deep": deep}, name="branches")


MAKERS = [*test_configs.BUILT, branches]


def boxes_of(picture):
    return [one for one in picture.figure.axes[0].artists + picture.figure.axes[0].patches
            if one.get_label() == "layer"]  # fmt: skip


def texts_of(picture):
    return [text.get_text() for text in picture.figure.axes[0].texts]


def extent(patch):
    left, top = patch.get_xy()
    return left, top, left + patch.get_width(), top + patch.get_height()


def lines_of(picture, label):
    return [line for line in picture.figure.axes[0].lines if line.get_label() == label]


@pytest.mark.parametrize("make", MAKERS)
def test_there_is_a_box_for_each_call_and_an_arrow_for_each_array_read(make):
    model = make()
    picture = plotting.model(model)
    nodes = model.graph.nodes
    assert len(boxes_of(picture)) == len(nodes) + len(model.inputs)
    reads = sum(len(node.sources) for node in nodes)
    assert len(lines_of(picture, "arrow")) == len(lines_of(picture, "head")) == reads


@pytest.mark.parametrize("make", MAKERS)
def test_no_box_covers_another_or_leaves_the_picture(make):
    picture = plotting.model(make())
    wide, high = picture.figure.get_size_inches()
    extents = [extent(box) for box in boxes_of(picture)]
    for left, top, right, bottom in extents:
        assert 0 <= left < right <= wide
        assert 0 <= top < bottom <= high
    for one, other in combinations(extents, 2):
        assert one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]


@pytest.mark.parametrize("make", MAKERS)
def test_no_arrow_runs_through_a_box(make):
    picture = plotting.model(make())
    extents = [extent(box) for box in boxes_of(picture)]
    for line in lines_of(picture, "arrow"):
        points = np.column_stack(line.get_data())
        steps = np.linspace(0, 1, 101)[:, None]
        for start, end in pairwise(points):
            way = start + steps * (end - start)
            for left, top, right, bottom in extents:
                inside = (way > [left + 1e-6, top + 1e-6]) & (way < [right - 1e-6, bottom - 1e-6])
                assert not inside.all(axis=1).any()


@pytest.mark.parametrize("make", MAKERS)
def test_texts_stay_in_their_boxes(make):
    picture = plotting.model(make())
    axes = picture.figure.axes[0]
    extents = [box.get_window_extent() for box in boxes_of(picture)]
    for text in axes.texts:
        place = text.get_window_extent()
        assert any(
            box.x0 <= place.x0 and place.x1 <= box.x1 and box.y0 <= place.y0 and place.y1 <= box.y1
            for box in extents
        ), text.get_text()


def test_a_box_says_name_class_shape_and_parameters():
    texts = texts_of(plotting.model(test_configs.residual()))
    for text in ("image (Input)", "a (Conv2D)", "(None, 6, 6, 2)", "38 parameters", "output"):
        assert text in texts


def test_weights_of_a_layer_that_is_called_twice_count_once():
    texts = texts_of(plotting.model(test_configs.nested()))
    assert texts.count("38 parameters") == 1
    assert "call 2, the same weights" in texts


def test_outputs_of_a_dict_have_their_names():
    texts = texts_of(plotting.model(branches()))
    assert {"output all", "output deep"} <= set(texts)


def test_an_arrow_that_skips_layers_goes_around_them():
    picture = plotting.model(test_configs.residual())
    edge = max(extent(box)[2] for box in boxes_of(picture))
    around = [line for line in lines_of(picture, "arrow") if max(line.get_data()[0]) > edge]
    assert len(around) == 1


def test_long_names_are_cut():
    x = layers.Input((2,))
    picture = plotting.model(models.Model(x, layers.Dense(2, name="n" * 200)(x)))
    assert any(text.endswith("…") for text in texts_of(picture))


def test_ink_can_be_read_on_every_box():
    for role in ("input", "kernel", "output"):
        assert contrast(INK, COLOURS[role].fill) >= 4.5


def test_the_same_model_gives_the_same_pixels():
    model = branches()
    assert plotting.model(model)._repr_png_() == plotting.model(model)._repr_png_()


def test_a_description_says_what_is_drawn():
    assert repr(plotting.model(branches())) == "<Picture: model branches: 5 layers, 114 parameters>"


def test_models_that_cannot_be_drawn_are_refused():
    with pytest.raises(ValueError, match="not built yet"):
        plotting.model(test_configs.unbuilt())
    deep = models.Sequential([layers.Input((2,)), *[layers.Activation("relu") for _ in range(70)]])
    with pytest.raises(ValueError, match=r"at most 60 layers. Received: 71.*Draw a part"):
        plotting.model(deep)
    x = layers.Input((2,))
    wide = models.Model(x, layers.Add()([layers.Activation("relu")(x) for _ in range(9)]))
    with pytest.raises(ValueError, match="9 layers in one row"):
        plotting.model(wide).figure  # noqa: B018
