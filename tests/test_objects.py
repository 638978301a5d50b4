import json

import pytest

from convlab import activations, initializers, optimizers, regularizers
from convlab.objects import (
    Catalogue,
    Configurable,
    config_of,
    custom_object_scope,
)


class Thing(Configurable):
    def __init__(self, size=1, name="thing"):
        self.size, self.name = size, name

    def get_config(self):
        return {"size": self.size, "name": self.name}

    def __call__(self, x):
        return self.size * x


def doubled(x):
    return 2 * x


def catalogue(**options):
    entries = {"Thing": Thing, "thing": Thing, "doubled": doubled}
    return Catalogue("thing", "keras.things", entries, **options)


def test_every_form_gives_the_same_object():
    things = catalogue()
    config = {"class_name": "Thing", "config": {"size": 3}}
    for identifier in (Thing(3), config, {"module": "keras.things", **config}):
        assert things.get(identifier).size == 3
    for identifier in ("Thing", "thing", Thing, {"class_name": "thing"}):
        assert things.get(identifier).size == 1
    assert things.get(None) is None
    assert things.get("doubled") is things.get(doubled) is doubled


def test_object_is_taken_as_it_is_and_a_name_makes_a_new_one():
    things, one = catalogue(), Thing()
    assert things.get(one) is one
    assert things.get("thing") is not things.get("thing")


def test_config_goes_through_json_and_back():
    things = catalogue()
    config = things.serialize(Thing(4))
    assert config == {
        "module": "keras.things", "class_name": "Thing", "config": {"size": 4, "name": "thing"},
        "registered_name": None,
    }  # fmt: skip
    assert things.get(json.loads(json.dumps(config))).get_config() == Thing(4).get_config()
    assert config == config_of(Thing(4), "keras.things")


def test_functions_are_written_by_name_if_the_catalogue_has_them():
    def halved(x):
        return x / 2

    things = catalogue()
    assert things.serialize(doubled) == "doubled"
    assert things.serialize(None) is None
    config = things.serialize(halved)
    assert config["class_name"] == "function"
    assert config["config"] == "halved"
    with pytest.raises(ValueError, match="Received: 'halved'"):
        things.get(config)
    with custom_object_scope({"halved": halved}):
        assert things.get(config) is halved


def test_function_of_a_known_name_is_not_taken_for_the_known_one():
    def other(x):
        return x

    other.__name__ = "doubled"
    assert catalogue().serialize(other) != "doubled"


@pytest.mark.parametrize(
    ("identifier", "message"),
    [
        ("thin", "interpret thing identifier: .*Received: 'thin'. Did you mean '[Tt]hing'"),
        ("THING", "Received: 'THING'. Did you mean '[Tt]hing'"),
        ("nothing of the kind", "Received: .*Known names: 'Thing', 'thing', 'doubled'"),
        ("", "Received: ''. Known names"),
        (3, "it must be a name, a config, a class or a callable. Received: 3"),
        ([Thing()], "Received: "),
        ({}, 'A config of a thing must have "class_name". Received: {}'),
        ({"config": {}}, 'must have "class_name"'),
        ({"class_name": 3}, 'must have "class_name"'),
        ({"class_name": "Thing", "config": 3}, '"config" of a thing must be.*Received: 3'),
        ({"class_name": "Nothing", "config": {}}, "Received: 'Nothing'"),
        ({"class_name": "__import__", "config": {"name": "os"}}, "Received: '__import__'"),
        ({"class_name": "function", "config": "eval"}, "Received: 'eval'"),
    ],
)  # fmt: skip
def test_what_names_no_object_is_refused(identifier, message):
    with pytest.raises(ValueError, match=message):
        catalogue().get(identifier)


def test_unknown_argument_in_a_config_is_refused():
    with pytest.raises(TypeError, match=r"deserializing class 'Thing' using config=.*'colour'"):
        catalogue().get({"class_name": "Thing", "config": {"colour": 1}})


def test_class_that_needs_arguments_says_so():
    class Needy:
        def __init__(self, size):
            self.size = size

    with pytest.raises(TypeError, match=r"Needy cannot be made from config=\{\}.*size"):
        catalogue().get(Needy)


def test_case_counts_unless_the_family_ignores_it():
    assert isinstance(catalogue(ignore_case=True).get("tHiNg"), Thing)
    assert isinstance(optimizers.get("SGD"), type(optimizers.get("sgd")))
    with pytest.raises(ValueError, match="'ReLU'"):
        activations.get("ReLU")


def test_article_before_the_kind_fits_it():
    with pytest.raises(ValueError, match="A config of an initializer"):
        initializers.get({})
    with pytest.raises(ValueError, match="A config of a regularizer"):
        regularizers.get({})


def test_custom_names_hold_inside_the_block_alone():
    things = catalogue()
    with custom_object_scope({"mine": Thing}):
        assert isinstance(things.get("mine"), Thing)
        with custom_object_scope({"other": doubled}):
            assert isinstance(things.get("mine"), Thing)
            assert things.get("other") is doubled
        with pytest.raises(ValueError, match="'other'"):
            things.get("other")
    with pytest.raises(ValueError, match="'mine'"):
        things.get("mine")


def test_custom_names_end_with_an_error_too():
    def fail():
        with custom_object_scope({"mine": Thing}):
            raise KeyError("inside")

    with pytest.raises(KeyError):
        fail()
    with pytest.raises(ValueError, match="'mine'"):
        catalogue().get("mine")


def test_no_custom_objects_are_none():
    with custom_object_scope(None):
        assert catalogue().get("doubled") is doubled


def test_custom_name_goes_before_the_catalogues():
    with custom_object_scope({"doubled": abs}):
        assert catalogue().get("doubled") is abs


def test_configurable_shows_its_arguments():
    assert repr(Thing(2)) == "Thing(size=2, name='thing')"
    assert Configurable().get_config() == {}
    assert Thing.from_config({"size": 5}).size == 5
