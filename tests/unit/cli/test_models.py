"""The catalogue, and ``rtc-server models``: listing, verifying and removing."""

from pathlib import Path

import pytest

from rtc_server import catalog, model_files
from rtc_server.cli import main
from rtc_server.engines import registry
from rtc_server.errors import ModelError
from rtc_server.model_files import FileState
from rtc_server.resources import resource_folder
from tests.support.model_site import CONTENT, SHA256, Site, serving
from tests.support.models_command import Capture, model, put, run

pytestmark = pytest.mark.usefixtures("quick")

LOADED = {kind for card in registry.cards() for kind in registry.kinds_loaded(card.name, card.name)}
"""Kinds of models that some engine loads."""


def test_the_catalogue_is_whole_and_every_hash_and_address_is_plausible() -> None:
    models = catalog.catalog()
    assert len({entry.id for entry in models}) == len(models)
    for entry in models:
        assert entry.languages
        assert entry.licence
        assert entry.kind in LOADED
        for file in entry.files:
            assert file.url.startswith("https://")
            assert file.url.endswith(file.name)
            if file.sha256 is not None:
                assert len(bytes.fromhex(file.sha256)) == 32
                assert file.sha256 == file.sha256.lower()
                assert entry.checked >= 1
    assert (resource_folder("models") / "catalog.toml").is_file()


def test_sets_name_models_and_no_set_is_named_as_a_model() -> None:
    models = catalog.catalog()
    for each in catalog.model_sets():
        assert each.title
        assert each.size_bytes > 0
        assert set(each.models) <= set(models)
        assert catalog.expand([each.id, each.models[0].id]) == list(each.models)


@pytest.mark.parametrize(
    "entry",
    [
        "id='s'\ntitle='t'\nmodels=['nothing']",
        "id='s'\ntitle='t'",
        "id='tiny'\ntitle='t'\nmodels=['tiny']",
    ],
    ids=["an unknown model", "no models", "named as a model"],
)
def test_a_damaged_set_is_told(entry: str) -> None:
    with pytest.raises(ModelError, match="catalogue"):
        catalog.read_sets(f"[[set]]\n{entry}", [model()])


@pytest.mark.parametrize(
    "text",
    ["", "[[model]]\nid='x'", "not toml", "[[model]]\nid='x'\nfile=[{name='../x',url='u'}]"],
)
def test_a_damaged_catalogue_is_told(text: str) -> None:
    with pytest.raises(ModelError, match="catalogue"):
        catalog.read_catalog(text)


def test_models_lie_where_the_setting_says_else_in_the_cache_folder() -> None:
    assert model_files.models_folder("/data/m") == Path("/data/m")
    xdg = {"XDG_CACHE_HOME": "/cache"}
    assert model_files.models_folder("", xdg) == Path("/cache/rtc-server/models")
    assert model_files.models_folder("", {}) == Path.home() / ".cache/rtc-server/models"
    relative = {"XDG_CACHE_HOME": "cache"}  # must be ignored (XDG base directory specification)
    assert model_files.models_folder("", relative) == Path.home() / ".cache/rtc-server/models"


@pytest.mark.parametrize(
    ("content", "name", "state"),
    [
        (None, "", FileState.ABSENT),
        (CONTENT[:100], "tiny.pt.part", FileState.PARTIAL),
        (CONTENT[:100], "tiny.pt", FileState.WRONG),
        (CONTENT[:-1] + b"x", "tiny.pt", FileState.WRONG),
        (CONTENT, "tiny.pt", FileState.VERIFIED),
    ],
)
def test_what_is_on_disk_is_told_and_only_the_right_file_is_opened(
    folder: Path, content: bytes | None, name: str, state: FileState
) -> None:
    entry = model()
    if content is not None:
        put(folder, content, name)
    assert model_files.state_of(folder, entry, entry.files[0], hashed=True) is state
    if state is FileState.VERIFIED:
        with model_files.open_verified(folder, entry, entry.files[0]) as handle:
            assert handle.read() == CONTENT
    else:
        with pytest.raises(ModelError, match="rtc-server models fetch tiny"):
            model_files.open_verified(folder, entry, entry.files[0])


def test_a_file_without_a_known_hash_is_opened_only_after_it_was_trusted(folder: Path) -> None:
    entry = model(sha256=None)
    path = put(folder, CONTENT)
    with pytest.raises(ModelError, match="--trust-download"):
        model_files.open_verified(folder, entry, entry.files[0])
    model_files.record_path(path).write_text(SHA256)
    model_files.open_verified(folder, entry, entry.files[0]).close()
    path.write_bytes(CONTENT[:-1] + b"x")
    with pytest.raises(ModelError, match="SHA-256 differs"):
        model_files.open_verified(folder, entry, entry.files[0])


@pytest.mark.real_time
def test_a_set_is_fetched_listed_verified_found_and_removed(
    monkeypatch: pytest.MonkeyPatch, capsys: Capture, folder: Path
) -> None:
    with serving(Site()) as site:
        entry = model(site.url)
        assert run(monkeypatch, folder, entry, "list") == 0
        listed = capsys.readouterr().out
        assert "pair  (set, 2 MB, not fetched: tiny, twin)" in listed
        assert "licences: MIT; CC0" in listed
        assert "memory: up to 1.6 GB" in listed
        assert run(monkeypatch, folder, entry, "fetch", "pair", "tiny") == 0
        assert len(site.paths) == 2
    capsys.readouterr()
    assert run(monkeypatch, folder, entry, "list", "pair") == 0
    assert "pair  (set, 2 MB, fetched)" in capsys.readouterr().out
    assert run(monkeypatch, folder, entry, "verify", "pair") == 0
    assert run(monkeypatch, folder, entry, "path", "pair") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[-2:] == [str(folder / name / "tiny.pt") for name in ("tiny", "twin")]
    (folder / "twin" / "notes.txt").write_text("the operator's own")
    assert run(monkeypatch, folder, entry, "remove", "pair") == 0
    assert "2 MB freed" in capsys.readouterr().out
    assert [path.name for path in folder.rglob("*")] == ["twin", "notes.txt"]
    assert run(monkeypatch, folder, entry, "remove", "tiny") == 0
    assert "None of these" in capsys.readouterr().out


def test_what_was_begun_or_trusted_is_removed_too(
    monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    put(folder, CONTENT[:100], "tiny.pt.part")
    put(folder, SHA256.encode(), "tiny.pt.sha256")
    assert run(monkeypatch, folder, model(), "remove", "tiny") == 0
    assert not list(folder.iterdir())


def test_what_is_here_is_listed_verified_and_found(
    monkeypatch: pytest.MonkeyPatch, capsys: Capture, folder: Path
) -> None:
    entry = model()
    assert run(monkeypatch, folder, entry, "list") == 0
    assert "tiny  (silero, 1 MB, not fetched)" in capsys.readouterr().out
    assert run(monkeypatch, folder, entry, "verify") == 0
    assert "No models in" in capsys.readouterr().out
    assert run(monkeypatch, folder, entry, "verify", "tiny") == 1
    assert "not here" in capsys.readouterr().out
    path = put(folder, CONTENT)
    assert run(monkeypatch, folder, entry, "list") == 0
    assert "1 MB, fetched)" in capsys.readouterr().out
    assert run(monkeypatch, folder, entry, "verify") == 0
    assert run(monkeypatch, folder, entry, "path", "tiny") == 0
    assert capsys.readouterr().out.splitlines()[-1] == str(path)
    assert run(monkeypatch, folder, entry, "path") == 0
    assert capsys.readouterr().out.strip() == str(folder)


def test_an_action_is_needed() -> None:
    with pytest.raises(SystemExit):
        main(["models"], {})


def test_an_unknown_model_is_one_sentence(capsys: Capture) -> None:
    assert main(["models", "fetch", "v9_tlh"], {}) == 2
    assert "rtc-server models list" in capsys.readouterr().err
