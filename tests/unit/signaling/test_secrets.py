"""Client secrets: signed contents are read back, and anything else is refused."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtc_server.errors import ConfigError
from rtc_server.events.client import SessionPatch
from rtc_server.signaling.secret_signer import PREFIX, ClientSecret, SecretSigner, server_key

KEYS = {"k": b"1" * 32, "l": b"2" * 32}
SIGNER = SecretSigner(b"server" * 8, KEYS.get)
FULL = ClientSecret(
    id="sess_x",
    key="k",
    expires_at=123,
    model="modèle",
    settings=SessionPatch(
        source_language="ru",
        target_language="en",
        transcription=False,
        x_events=frozenset({"vad", "segment"}),
        vad_mode="off",
        hangover_ms=500,
        voice="anna",
        engine="book",
    ),
    origin="https://a.example",
)


@pytest.mark.parametrize("secret", [FULL, ClientSecret("sess_y", "l", 5)])
def test_it_reads_what_it_signed(secret: ClientSecret) -> None:
    token = SIGNER.sign(secret)
    assert token.startswith(PREFIX)
    assert SIGNER.read(token) == secret
    assert len(token) < 1000  # far below what servers take as a header


def test_the_largest_secret_fits() -> None:
    wide = "\U0001f600" * 128
    settings = SessionPatch(
        source_language=wide, target_language=wide, voice=wide, engine=wide, vad_mode="auto"
    )
    secret = ClientSecret("sess_" + "a" * 22, "k", 2**40, wide, settings, "https://" + "a" * 248)
    token = SIGNER.sign(secret)
    assert SIGNER.read(token) == secret


def test_it_ends_with_its_key_and_with_the_servers() -> None:
    token = SIGNER.sign(FULL)
    for keys in ({}, {"k": b"3" * 32}, {"l": KEYS["k"]}):
        assert SecretSigner(b"server" * 8, keys.get).read(token) is None
    assert SecretSigner(b"Server" * 8, KEYS.get).read(token) is None


@given(st.data())
def test_one_changed_character_makes_it_nothing(data: st.DataObject) -> None:
    token = SIGNER.sign(FULL)
    at = data.draw(st.integers(0, len(token) - 1))
    other = data.draw(st.characters().filter(lambda c: c != token[at]))
    assert SIGNER.read(token[:at] + other + token[at + 1 :]) is None


@given(st.text(st.characters(exclude_categories=())))
def test_nothing_else_is_a_secret(text: str) -> None:
    assert SIGNER.read(text) is None
    assert SIGNER.read(PREFIX + text) is None
    assert SIGNER.read(f"{PREFIX}k.{text}.{text}") is None


def test_the_servers_key_is_random_or_from_a_file(tmp_path: Path) -> None:
    assert server_key(None) != server_key(None)
    path = tmp_path / "key"
    path.write_text("ab" * 32 + "\n")
    assert server_key(path) == b"ab" * 32
    path.write_text("short")
    with pytest.raises(ConfigError, match="openssl"):
        server_key(path)
    with pytest.raises(ConfigError, match="Cannot read"):
        server_key(tmp_path / "none")
