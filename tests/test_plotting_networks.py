"""The maps inside a model, and the kernels of a layer."""

import numpy as np
import pytest

from convlab import conv2d, layers, models, plotting
from convlab.plotting.networks import kernel_of, maps_inside

IMAGE = np.random.default_rng(0).normal(size=(9, 7, 2)).astype("float32")


def network(data_format="channels_last"):
    shape = (9, 7, 2) if data_format == "channels_last" else (2, 9, 7)
    return models.Sequential([
        layers.Input(shape),
        layers.Conv2D(4, 3, activation="relu", data_format=data_format, name="first"),
        layers.MaxPooling2D(2, data_format=data_format, name="pool"),
        layers.Conv2D(5, 1, data_format=data_format, name="second"),
        layers.Flatten(name="flat"),
        layers.Dense(3, name="scores"),
    ])  # fmt: skip


def test_maps_are_those_of_every_convolution_in_order():
    found = maps_inside(network(), IMAGE)
    assert [(name, maps.shape) for name, maps in found] == [
        ("first", (7, 5, 4)),
        ("second", (3, 2, 5)),
    ]


def test_maps_are_what_the_layer_puts_out():
    model = network()
    [(_, maps)] = maps_inside(model, IMAGE, "first")
    kernel, bias, *_ = model.get_weights()
    expected = np.maximum(conv2d(IMAGE[np.newaxis], kernel, bias), 0)[0]
    np.testing.assert_allclose(maps, expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("wanted", ["pool", ["pool"], ["pool", "first"]])
def test_a_layer_is_named_alone_or_in_a_list(wanted):
    model = network()
    names = [wanted] if isinstance(wanted, str) else wanted
    assert [name for name, _ in maps_inside(model, IMAGE, wanted)] == names


def test_a_layer_may_be_the_layer_itself():
    model = network()
    [(name, maps)] = maps_inside(model, IMAGE, model.get_layer("pool"))
    assert name == "pool"
    assert maps.shape == (3, 2, 4)


def test_batch_axis_of_one_is_optional():
    model = network()
    for one, other in zip(
        maps_inside(model, IMAGE), maps_inside(model, IMAGE[np.newaxis]), strict=True
    ):
        np.testing.assert_array_equal(one[1], other[1])


def test_channels_first_maps_have_their_channels_at_the_end():
    last, first = network(), network("channels_first")
    first.set_weights([*last.get_weights()])
    for (_, one), (_, other) in zip(
        maps_inside(last, IMAGE),
        maps_inside(first, np.moveaxis(IMAGE, -1, 0)),
        strict=True,
    ):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("layer", "count"), [("first", 4), ("second", 5), (["second"], 5)])
def test_feature_maps_of_one_layer_shows_each_of_its_channels(layer, count):
    picture = plotting.feature_maps(network(), IMAGE, layer=layer)
    assert f"{count} feature maps of " in repr(picture)


def test_feature_maps_of_a_model_shows_its_convolutions():
    texts = [text.get_text() for axes in plotting.feature_maps(network(), IMAGE).figure.axes
             for text in axes.texts]  # fmt: skip
    assert {"first", "second"} <= set(texts)
    assert texts.count("map 0") == 2
    assert texts.count("map 4") == 1


def test_kernels_of_a_layer_are_those_of_its_kernel():
    layer = network().get_layer("second")
    np.testing.assert_array_equal(kernel_of(layer), layer.kernel)
    assert repr(plotting.kernels(layer)) == repr(plotting.kernels(np.asarray(layer.kernel)))
    assert kernel_of(IMAGE) is IMAGE


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        (layers.Conv2D(2, 3, name="raw"), r"that is built\. Received: layer 'raw', which is not"),
        (layers.Flatten(name="flat"), r"Received: layer 'flat', which"),
        (network().get_layer("scores"), r"layer 'scores', which has no kernel of 4 axes"),
    ],
)
def test_layer_without_a_kernel_of_four_axes_is_refused(layer, message):
    with pytest.raises(ValueError, match=message):
        plotting.kernels(layer)


@pytest.mark.parametrize("name", ["flat", "scores"])
def test_layer_without_maps_is_refused(name):
    with pytest.raises(ValueError, match=rf"channels\) makes maps\. Received: layer='{name}'"):
        maps_inside(network(), IMAGE, name)


def test_model_without_a_convolution_is_refused():
    model = models.Sequential([layers.Input((4, 4, 1)), layers.Flatten(name="flat")])
    with pytest.raises(ValueError, match=r"must have a convolution.*with the layers \['flat'\]"):
        maps_inside(model, np.zeros((4, 4, 1)))


@pytest.mark.parametrize("shape", [(9, 7), (2, 9, 7, 2), (0, 9, 7, 2)])
def test_anything_but_one_image_is_refused(shape):
    with pytest.raises(ValueError, match=r"must be one image of shape \(9, 7, 2\)\. Received: "):
        maps_inside(network(), np.zeros(shape))
