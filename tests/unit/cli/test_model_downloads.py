"""``rtc-server models fetch`` from a server that cuts files short, sends wrong ones and fails."""

from pathlib import Path

import pytest

from rtc_server import model_files
from tests.support.model_site import CONTENT, Site, serving
from tests.support.models_command import Capture, model, put, run

pytestmark = pytest.mark.usefixtures("quick")


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
        assert "Run the same command again to continue" in capsys.readouterr().err
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
        url = site.url  # nothing listens there any more
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
