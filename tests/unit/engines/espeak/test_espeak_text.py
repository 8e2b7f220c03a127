"""Text for libespeak-ng: ordinary text passes unchanged, text that can crash it never passes."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtc_server.engines.espeak.espeak_text import clean_text
from rtc_server.engines.registry import CANARY_LANGUAGES
from tests.support.espeak_sentences import SENTENCES


@pytest.mark.parametrize("language", CANARY_LANGUAGES)
def test_ordinary_text_comes_out_as_it_went_in(language: str) -> None:
    sentence = SENTENCES[language]
    assert clean_text(sentence, language) == sentence


@pytest.mark.parametrize(
    ("text", "language", "clean"),
    [
        ("Встреча в 10:30, 25 % скидки", "ru", "Встреча в 10:30, 25 % скидки"),
        ("Компания OpenAI выпустила API", "ru", "Компания OpenAI выпустила API"),
        ("в Windowsе", "ru", "в Windows е"),  # two scripts in one word
        ("«Да» — “yes”", "ru", '"Да" — "yes"'),
        ("¿Dónde está?", "es", "Dónde está?"),
        ("don’t", "en", "don't"),
        ("Да, Иванов!", "en", "da, ivanov!"),
        ("Ελλάδα, подъезд", "de", "ellada, podezd"),
        ("café Élysée", "ru", "cafe Elysee"),
        ("½ kg, 5 m²", "en", "1/2 kg, 5 m2"),
        ("©п", "pt", "p"),  # kills the Portuguese voice of 1.52
        ("東京 Tokyo 😀", "en", "Tokyo"),
        ("ﬁne № ５", "en", "fine № 5"),
        ("<b>x</b> [[h@l'oU]]", "en", "b x /b h l'oU"),
        ("line\none\ttwo\0three", "en", "line one two three"),
        ("й decomposed: и\u0306", "ru", "й decomposed: й"),
        ("... !?", "en", ""),
        ("", "en", ""),
        ("a" * 130, "en", " ".join(["a" * 60, "a" * 60, "a" * 10])),
    ],
)
def test_odd_text_is_made_fit(text: str, language: str, clean: str) -> None:
    assert clean_text(text, language) == clean


@given(st.text(max_size=300), st.sampled_from(CANARY_LANGUAGES))
def test_whatever_comes_the_result_is_safe(text: str, language: str) -> None:
    clean = clean_text(text, language)
    assert clean_text(clean, language) == clean
    assert not re.search(r"[a-zA-Z\u00c0-\u024f][\u0370-\u052f]|[\u0370-\u052f][a-zA-Z]", clean)
    assert not re.search(r"[\x00-\x1f<>\[\]@]", clean)
    assert all(len(word) <= 60 for word in re.findall(r"\w+", clean))
    clean.encode()  # lone surrogates would fail here
