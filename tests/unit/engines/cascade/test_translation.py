"""Language pairs, if needed through English, and translators that panic."""

import sys
from types import ModuleType

import pytest

from rtc_server.engines.cascade.translation import Translation, Translator, load_translator
from rtc_server.errors import EngineError, EngineUnavailable


class PanicException(BaseException):
    """Error as pyo3 raises it."""


class Marking:
    """Translator that appends its pair to the text."""

    def __init__(self, pair: str) -> None:
        self.pair = pair

    def translate_long(self, text: str) -> str:
        return f" {text} {self.pair}\n"


class Panicking:
    """Translator that panics, and names the text."""

    def translate_long(self, text: str) -> str:
        raise PanicException(f"index out of bounds: {text}")


def translation(*pairs: str) -> Translation:
    return Translation({(pair[:2], pair[3:]): Marking(pair) for pair in pairs})


def test_pairs_are_direct_or_through_english() -> None:
    assert translation("ru-en", "en-de", "fr-en", "en-fr").pairs == (
        *(("ru", "en"), ("en", "de"), ("fr", "en"), ("en", "fr")),
        *(("ru", "de"), ("ru", "fr"), ("fr", "de")),
    )
    assert translation("ru-de", "de-fr").pairs == (("ru", "de"), ("de", "fr"))


def test_a_text_takes_the_direct_way_where_there_is_one() -> None:
    models = translation("ru-en", "en-de", "en-fr", "ru-fr")
    assert models.translate("x", ("ru", "en")) == "x ru-en"
    assert models.translate("x", ("ru", "de")) == "x ru-en en-de"
    assert models.translate("x", ("ru", "fr")) == "x ru-fr"


def test_a_panic_is_an_engine_error_that_tells_nothing_of_the_text() -> None:
    models = Translation({("en", "ru"): Panicking()})
    with pytest.raises(EngineError, match="could not be translated") as raised:
        models.translate("secret", ("en", "ru"))
    assert "secret" not in str(raised.value)
    assert raised.value.__cause__ is None


def test_other_ends_of_the_world_pass() -> None:
    class Interrupted:
        def translate_long(self, text: str) -> str:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Translation({("en", "ru"): Interrupted()}).translate("x", ("en", "ru"))


@pytest.mark.parametrize("error", [ValueError("bad magic"), PanicException("shape")])
def test_what_is_no_model_is_refused_with_the_next_step(
    error: BaseException, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: bytes) -> Translator:
        raise error

    library = ModuleType("fxtranslate")
    library.Translator = fails  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "fxtranslate", library)
    with pytest.raises(EngineUnavailable, match=r"mt-en-ru cannot be .* Fetch it again\."):
        load_translator("mt-en-ru", b"", b"", b"", "Fetch it again.")


def test_a_shortlist_reaches_the_translator(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[tuple[bytes | None, ...]] = []
    library = ModuleType("fxtranslate")
    library.Translator = lambda *parts: given.append(parts)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "fxtranslate", library)
    load_translator("mt-en-ru", b"m", b"s", b"t", "Fetch it again.", shortlist=b"l")
    load_translator("mt-ru-en", b"m", b"s", b"t", "Fetch it again.")
    assert given == [(b"m", b"s", b"t", b"l"), (b"m", b"s", b"t", None)]
