"""Canary without its extra, and the small rules around it."""

import sys
from collections.abc import Callable

import pytest

from rtc_server.engines.base import Ast, EngineOptions
from rtc_server.engines.canary.canary_text import clean
from rtc_server.engines.canary.engine import create, create_hf
from rtc_server.engines.canary.prompts import known_languages, translated_pairs
from rtc_server.errors import EngineUnavailable


@pytest.mark.parametrize(
    ("factory", "module", "missing", "brings"),
    [
        (create, "nemo_writer", "torch", r"nemo_toolkit\[asr\]"),
        (create, "nemo_writer", "nemo", r"nemo_toolkit\[asr\]"),
        (create_hf, "hf_writer", "torch", "transformers"),
        (create_hf, "hf_writer", "transformers", "transformers"),
    ],
)
def test_without_its_extra_it_says_what_to_install(
    factory: Callable[[EngineOptions], Ast],
    module: str,
    missing: str,
    brings: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delitem(sys.modules, f"rtc_server.engines.canary.{module}", raising=False)
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(EngineUnavailable, match=f"Run: .* -m pip install .*{brings}"):
        factory(EngineOptions())


def test_only_its_own_languages_to_and_from_english() -> None:
    vocabulary = {"<|en|>", "<|ru|>", "<|de|>", "<|ja|>", "ru"}
    languages = known_languages(vocabulary.__contains__)
    assert set(languages) == {"en", "ru", "de"}
    pairs = {("en", "de"), ("en", "ru"), ("de", "en"), ("ru", "en")}
    assert set(translated_pairs(languages)) == pairs


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("<|emo:undefined|>  Good  morning .<|endoftext|>", "Good morning."),
        ("Куда \u2047 ?", "Куда?"),
        ("<pad><pad>", ""),
        ("a < b | c > d", "a < b | c > d"),
        ("<|nospeech|>", ""),
    ],
)
def test_control_tokens_never_reach_people(written: str, read: str) -> None:
    assert clean(written) == read
