"""The catalogue, and ``rtc-server models`` against a server that cuts, lies and fails."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from rtc_server import catalog, model_files
from rtc_server.catalog import Model, ModelFile, ModelSet
from rtc_server.cli import main
from rtc_server.engines import registry
from rtc_server.errors import ModelError
from rtc_server.model_files import FileState
from rtc_server.resources import resource_folder
from tests.support.model_site import CONTENT, SHA256, Site, serving

LOADED = {kind for card in registry.cards() for kind in registry.kinds_loaded(card.name, card.name)}
"""Kinds of models that some engine loads."""
Capture = pytest.CaptureFixture[str]


def model(url: str = "http://127.0.0.1:9/x", sha256: str | None = SHA256) -> Model:
    """A model of one file of `CONTENT`."""
    file = ModelFile("tiny.pt", url, len(CONTENT), sha256)
    return Model("tiny", "silero", ("ru",), "MIT", 1, (file,))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "models"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rtc_server.cli.download._PAUSE_S", 0.0)


def run(
    monkeypatch: pytest.MonkeyPatch,
    folder: Path,
    entry: Model,
    *argv: str,
    environ: Mapping[str, str] | None = None,
) -> int:
    """``rtc-server models`` with a catalogue of one model, and of ``pair``: it and a twin."""
    twin = Model("twin", entry.kind, ("en",), "CC0", 1, entry.files)
    monkeypatch.setattr("rtc_server.catalog.catalog", lambda: (entry, twin))
    pair = ModelSet("pair", "Two for a test", (entry, twin), memory_mb=1600)
    monkeypatch.setattr("rtc_server.catalog.model_sets", lambda: (pair,))
    return main(["models", "--models-dir", str(folder), *argv], environ or {})


def put(folder: Path, content: bytes, name: str = "tiny.pt") -> Path:
    path = folder / "tiny" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


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
def test_a_model_is_fetched_checked_and_not_fetched_again(
    monkeypatch: pytest.MonkeyPatch, capsys: Capture, folder: Path
) -> None:
    with serving(Site()) as site:
        assert run(monkeypatch, folder, model(site.url), "fetch", "tiny") == 0
        path = folder / "tiny" / "tiny.pt"
        assert path.read_bytes() == CONTENT
        assert [file.name for file in path.parent.iterdir()] == ["tiny.pt"]
        captured = capsys.readouterr()
        assert "licence MIT" in captured.out
        assert "1.0 of 1.0 MB" in captured.err
        assert run(monkeypatch, folder, model(site.url), "fetch", "tiny") == 0
        assert site.asked == [""]
    assert "is here already" in capsys.readouterr().out


@pytest.mark.real_time
@pytest.mark.parametrize("ranges", [True, False])
def test_a_cut_download_goes_on_where_it_stopped_if_the_server_can(
    monkeypatch: pytest.MonkeyPatch, folder: Path, ranges: bool
) -> None:
    cuts = [300_000, 200_000] if ranges else [300_000]
    with serving(Site(cuts=cuts, ranges=ranges)) as site:
        assert run(monkeypatch, folder, model(site.url), "fetch", "tiny") == 0
    expected = ["", "bytes=300000-", "bytes=500000-"] if ranges else ["", "bytes=300000-"]
    assert site.asked == expected
    assert (folder / "tiny" / "tiny.pt").read_bytes() == CONTENT


@pytest.mark.real_time
def test_a_download_given_up_is_taken_up_by_the_next_command(
    monkeypatch: pytest.MonkeyPatch, capsys: Capture, folder: Path
) -> None:
    with serving(Site(cuts=[300_000, 0])) as site:
        assert run(monkeypatch, folder, model(site.url), "fetch", "tiny") == 2
        assert "Run the same command again to go on" in capsys.readouterr().err
        assert not (folder / "tiny" / "tiny.pt").exists()
        assert run(monkeypatch, folder, model(site.url), "fetch", "tiny") == 0
    assert site.asked == ["", "bytes=300000-", "bytes=300000-"]
    assert (folder / "tiny" / "tiny.pt").read_bytes() == CONTENT


@pytest.mark.real_time
@pytest.mark.parametrize("begun", [b"another edition" * 1000, CONTENT + b"more"])
def test_what_was_begun_with_another_edition_is_begun_again(
    monkeypatch: pytest.MonkeyPatch, folder: Path, begun: bytes
) -> None:
    put(folder, begun, "tiny.pt.part")
    with serving(Site()) as site:
        assert run(monkeypatch, folder, model(site.url), "fetch", "tiny") == 0
    assert (folder / "tiny" / "tiny.pt").read_bytes() == CONTENT


@pytest.mark.real_time
@pytest.mark.parametrize(
    ("site", "sentence"),
    [
        (Site(content=CONTENT[:-1] + b"x"), "SHA-256 differs"),
        (Site(content=CONTENT[:-1]), "has 1048575 bytes"),
        (Site(status=404), "404"),
        (Site(status=503), "503"),
        (Site(cuts=[0]), "Cannot reach"),
    ],
)
def test_a_download_that_is_not_the_file_leaves_nothing_and_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, capsys: Capture, folder: Path, site: Site, sentence: str
) -> None:
    with serving(site):
        assert run(monkeypatch, folder, model(site.url), "fetch", "tiny") == 2
    error = capsys.readouterr().err
    assert sentence in error
    assert "--trust-download" in error or "--from" in error
    assert "Traceback" not in error
    assert not (folder / "tiny" / "tiny.pt").exists()


@pytest.mark.real_time
def test_without_a_network_there_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: Capture, folder: Path
) -> None:
    with serving(Site()) as site:
        url = site.url  # nobody listens there any more
    assert run(monkeypatch, folder, model(url), "fetch", "tiny") == 2
    error = capsys.readouterr().err
    assert "Check the network" in error
    assert "--from FOLDER" in error
    assert error.count("\n") == 1


@pytest.mark.real_time
def test_another_edition_is_taken_only_by_choice_and_then_pinned(
    monkeypatch: pytest.MonkeyPatch, capsys: Capture, folder: Path
) -> None:
    other = CONTENT[:-1]
    with serving(Site(content=other)) as site:
        entry = model(site.url)
        assert run(monkeypatch, folder, entry, "fetch", "tiny", "--trust-download") == 0
    path = folder / "tiny" / "tiny.pt"
    assert path.read_bytes() == other
    model_files.open_verified(folder, entry, entry.files[0]).close()
    assert run(monkeypatch, folder, entry, "verify") == 0
    assert "the hash you chose to trust" in capsys.readouterr().out
    path.write_bytes(other[:-1] + b"?")
    assert run(monkeypatch, folder, entry, "verify") == 1


def test_a_model_of_unknown_hash_needs_that_choice(
    monkeypatch: pytest.MonkeyPatch, capsys: Capture, folder: Path
) -> None:
    assert run(monkeypatch, folder, model(sha256=None), "fetch", "tiny") == 2
    assert "--trust-download" in capsys.readouterr().err


@pytest.mark.parametrize("layout", ["tiny/tiny.pt", "tiny.pt"])
def test_a_folder_serves_as_a_mirror(
    monkeypatch: pytest.MonkeyPatch, folder: Path, tmp_path: Path, layout: str
) -> None:
    copy = tmp_path / "mirror" / layout
    copy.parent.mkdir(parents=True)
    copy.write_bytes(CONTENT)
    mirror = str(tmp_path / "mirror")
    assert run(monkeypatch, folder, model(), "fetch", "tiny", "--from", mirror) == 0
    assert (folder / "tiny" / "tiny.pt").read_bytes() == CONTENT
    assert copy.exists()


@pytest.mark.real_time
def test_an_address_serves_as_a_mirror(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    with serving(Site()) as site:
        assert run(monkeypatch, folder, model(), "fetch", "tiny", "--from", f"{site.url}/m/") == 0
    assert site.paths == ["/m/tiny/tiny.pt"]


@pytest.mark.real_time
def test_a_redirected_download_goes_on_in_the_middle(
    monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    with (
        serving(Site(cuts=[300_000])) as storage,
        serving(Site(moved_to=storage.url)) as publisher,
    ):
        assert run(monkeypatch, folder, model(publisher.url + "/x"), "fetch", "tiny") == 0
    assert publisher.asked == storage.asked == ["", "bytes=300000-"]
    assert storage.paths == ["/x", "/x"]
    assert (folder / "tiny" / "tiny.pt").read_bytes() == CONTENT


@pytest.mark.real_time
def test_another_site_stands_for_hugging_face(
    monkeypatch: pytest.MonkeyPatch, capsys: Capture, folder: Path
) -> None:
    there = model("https://huggingface.co/who/what/resolve/main/tiny.pt")
    with serving(Site()) as site:
        environ = {"HF_ENDPOINT": site.url + "/hf/"}
        assert run(monkeypatch, folder, there, "fetch", "tiny", environ=environ) == 0
        assert site.paths == ["/hf/who/what/resolve/main/tiny.pt"]
        other = model(site.url + "/elsewhere")
        assert run(monkeypatch, folder / "b", other, "fetch", "tiny", environ=environ) == 0
    assert site.paths[1:] == ["/elsewhere"]


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
    assert "Nothing of that" in capsys.readouterr().out


def test_what_was_begun_or_trusted_is_removed_too(
    monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    put(folder, CONTENT[:100], "tiny.pt.part")
    put(folder, SHA256.encode(), "tiny.pt.sha256")
    assert run(monkeypatch, folder, model(), "remove", "tiny") == 0
    assert not list(folder.iterdir())


@pytest.mark.real_time
def test_nothing_of_a_set_is_fetched_when_not_all_can_be(
    monkeypatch: pytest.MonkeyPatch, capsys: Capture, folder: Path
) -> None:
    usage = type("Usage", (), {"free": 1.5 * len(CONTENT)})
    with serving(Site()) as site:
        monkeypatch.setattr("rtc_server.cli.download.shutil.disk_usage", lambda _: usage)
        assert run(monkeypatch, folder, model(site.url), "fetch", "pair") == 2
        assert "2 MB are to come" in capsys.readouterr().err
        assert run(monkeypatch, folder, model(site.url, sha256=None), "fetch", "pair") == 2
        assert "tiny.pt (model tiny)" in capsys.readouterr().err
    assert site.asked == []


def test_a_mirror_without_the_file_or_with_a_wrong_one_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: Capture, folder: Path, tmp_path: Path
) -> None:
    assert run(monkeypatch, folder, model(), "fetch", "tiny", "--from", str(tmp_path)) == 2
    assert "There is no tiny.pt" in capsys.readouterr().err
    (tmp_path / "tiny.pt").write_bytes(CONTENT[:-1] + b"x")
    assert run(monkeypatch, folder, model(), "fetch", "tiny", "--from", str(tmp_path)) == 2
    assert "SHA-256 differs" in capsys.readouterr().err
    assert not list(folder.rglob("*.pt*"))


def test_a_folder_that_cannot_be_written_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: Capture, tmp_path: Path
) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    assert run(monkeypatch, blocked, model(), "fetch", "tiny") == 2
    error = capsys.readouterr().err
    assert "Cannot write" in error
    assert error.count("\n") == 1


def test_a_full_disk_is_told_before_anything_is_fetched(
    monkeypatch: pytest.MonkeyPatch, capsys: Capture, folder: Path
) -> None:
    usage = type("Usage", (), {"free": 1000})
    monkeypatch.setattr("rtc_server.cli.download.shutil.disk_usage", lambda _: usage)
    assert run(monkeypatch, folder, model(), "fetch", "tiny") == 2
    assert "Make room" in capsys.readouterr().err


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
