"""Options of plug-ins from an application: `Settings.plugins`, refused where they do not fit."""

from pathlib import Path
from typing import Any

import pytest

from rtc_phrasebook.listing import own_books
from rtc_server.config import Settings
from rtc_server.engines.base import EngineOptions
from rtc_server.errors import ConfigError
from tests.support.engine_plugins import add

OPTIONS = """(
    PluginOption(name="odd_list", type=tuple[str, ...], default=(), help="some"),
    PluginOption(name="odd_count", type=int, default=3, low=1, high=9, help="how many"),
    PluginOption(name="odd_least", type=float, default=0.5, low=0, help="how much"),
    PluginOption(name="odd_on", type=bool, default=False, help="whether it is on"),
    PluginOption(name="odd_unit", default="km", choices=("km", "miles"), help="unit"),
)"""


@pytest.fixture(autouse=True)
def odd(site: Path) -> None:
    add(site, "odd", "rtc-odd", options=OPTIONS)


def test_a_list_is_as_good_as_a_tuple_and_a_whole_number_as_a_number() -> None:
    given: dict[str, Any] = {
        "odd_list": ["a", "b"],
        "odd_least": 2,
        "odd_on": True,
        "odd_unit": "km",
    }
    assert Settings(plugins=given).plugins == {**given, "odd_list": ("a", "b"), "odd_least": 2.0}


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"odd_lst": ()}, "names 'odd_lst', an option that no installed plug-in has.*odd_list"),
        ({"odd_list": "/tmp/no.toml"}, "odd_list in Settings.plugins must be a list of texts"),
        ({"odd_list": [1]}, "must be a list of texts"),
        ({"odd_list": None}, "must be a list of texts"),
        ({"odd_count": 99}, "must be a whole number from 1 to 9"),
        ({"odd_count": "x"}, "must be a whole number"),
        ({"odd_count": True}, "must be a whole number"),
        ({"odd_count": 2.0}, "must be a whole number"),
        ({"odd_least": float("nan")}, "must be a number of 0 or more"),
        ({"odd_on": 1}, "must be yes or no"),
        ({"odd_unit": "yards"}, "must be one of km, miles"),
        ({"odd_unit": 3}, "must be a text"),
        ({"odd_unit": {}}, "must be a text"),
    ],
)
def test_what_does_not_fit_is_refused(given: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence):
        Settings(plugins=given)


def test_a_misspelt_book_is_not_passed_over() -> None:
    with pytest.raises(ConfigError, match=r"There are: .*phrasebook"):
        Settings(plugins={"phrasebok": ("mine.toml",)})


def test_settings_and_options_are_keys_as_before() -> None:
    """Engines of others keep what they loaded by their options (`functools.cache`)."""
    book = {"phrasebook": ("mine.toml",)}
    assert hash(Settings(plugins=book)) == hash(Settings())
    assert hash(EngineOptions(own=book)) == hash(EngineOptions())


def test_an_engine_that_uses_the_phrasebook_has_the_books_of_the_server() -> None:
    wrapped = EngineOptions(phrasebooks=(Path("mine.toml"),))
    assert own_books(wrapped) == (Path("mine.toml"),)
    assert own_books(EngineOptions(own={"phrasebook": ()})) == ()
