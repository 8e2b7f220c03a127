"""Refusals of `scripts/release`."""

import subprocess
import zipfile
from email.message import Message
from pathlib import Path

import pytest

from rtc_server import __version__
from scripts import release
from scripts.release import SHIPPED, ReleaseError
from scripts.sbom import bill_of_materials

pytestmark = pytest.mark.real_time
INFO = f"rtc_server-{__version__}.dist-info/METADATA"
COMPLETE = {**dict.fromkeys(SHIPPED, "text"), INFO: "Name: rtc-server"}


def a_wheel(path: Path, members: dict[str, str]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in members.items():
            archive.writestr(name, text)
    return path


def test_a_complete_wheel_passes(tmp_path: Path) -> None:
    wheel = a_wheel(tmp_path / "one.whl", COMPLETE)
    other = a_wheel(tmp_path / "two.whl", dict(reversed(COMPLETE.items())))
    release.check_wheel(wheel, other)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"rtc_server/py.typed": "another text"}, "differ in rtc_server/py.typed"),
        ({"rtc_server/more.py": ""}, "differ in rtc_server/more.py"),
    ],
)
def test_a_wheel_from_the_sdist_that_is_another_is_refused(
    tmp_path: Path, change: dict[str, str], says: str
) -> None:
    wheel = a_wheel(tmp_path / "one.whl", COMPLETE)
    other = a_wheel(tmp_path / "two.whl", COMPLETE | change)
    for pair in ((wheel, other), (other, wheel)):
        with pytest.raises(ReleaseError, match=says):
            release.check_wheel(*pair)


def test_a_wheel_that_lacks_what_the_server_reads_is_refused(tmp_path: Path) -> None:
    lacking = {name: text for name, text in COMPLETE.items() if "weights.npz" not in name}
    wheel = a_wheel(tmp_path / "one.whl", lacking)
    with pytest.raises(
        ReleaseError, match=r"lacks rtc_server/models/silero_vad/weights\.npz; see setup"
    ):
        release.check_wheel(wheel, wheel)


def test_a_wheel_with_the_tests_in_it_is_refused(tmp_path: Path) -> None:
    wheel = a_wheel(tmp_path / "one.whl", COMPLETE | {"tests/test_one.py": ""})
    with pytest.raises(ReleaseError, match=r"has tests/test_one\.py, which is not of the package"):
        release.check_wheel(wheel, wheel)


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A commit that is ready, in a repository of its own."""
    (tmp_path / "package.json").write_text(f'{{"version": "{__version__}"}}')
    (tmp_path / "CHANGELOG.md").write_text(f"# Changelog\n\n## {__version__}\n")
    (tmp_path / "pyproject.toml").write_text('[project.urls]\nSource = "https://pypi.org/"\n')
    monkeypatch.setattr(release, "ROOT", tmp_path)
    git(tmp_path, "init", "-q")
    commit(tmp_path)
    return tmp_path


def git(folder: Path, *arguments: str) -> None:
    who = ("-c", "user.name=Somebody", "-c", "user.email=somebody@example.com")
    subprocess.run(["git", "-C", folder, *who, *arguments], check=True)


def commit(folder: Path) -> None:
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "Change")


def test_a_commit_that_is_ready(checkout: Path) -> None:
    release.check_version()
    release.check_ready()


def test_the_checkouts_own_versions_agree() -> None:
    release.check_version()


def test_two_versions_are_refused(checkout: Path) -> None:
    (checkout / "package.json").write_text('{"version": "9.9.9"}')
    with pytest.raises(ReleaseError, match=r"package\.json has version 9\.9\.9, .* make them"):
        release.check_version()


def test_changes_that_are_not_committed_are_refused(checkout: Path) -> None:
    (checkout / "new.py").touch()
    with pytest.raises(ReleaseError, match=r"not committed:\n\?\? new\.py"):
        release.check_ready()


def test_a_version_twice_is_refused(checkout: Path) -> None:
    git(checkout, "tag", f"v{__version__}")
    with pytest.raises(ReleaseError, match="tagged already"):
        release.check_ready()


def test_a_version_without_its_changes_is_refused(checkout: Path) -> None:
    (checkout / "CHANGELOG.md").write_text(f"# Changelog\n\n## {__version__}0\n")
    commit(checkout)
    with pytest.raises(ReleaseError, match=f'no section "## {__version__}"'):
        release.check_ready()


def test_addresses_that_nobody_has_are_refused(checkout: Path) -> None:
    text = '[project.urls]\nSource = "https://rtc-server.example/source/"\n'
    (checkout / "pyproject.toml").write_text(text)
    commit(checkout)
    with pytest.raises(ReleaseError, match=r"no real address .* https://rtc-server\.example/"):
        release.check_ready()


def test_what_git_ignores_or_has_lost_is_not_shipped(checkout: Path, tmp_path: Path) -> None:
    (checkout / ".gitignore").write_text("build/\n")
    for name in ("build/stale.py", "package/new.py"):
        (checkout / name).parent.mkdir()
        (checkout / name).touch()
    (checkout / "CHANGELOG.md").unlink()
    target = tmp_path / "build" / "export"
    release.export(target)
    exported = {str(path.relative_to(target)) for path in target.rglob("*") if path.is_file()}
    assert exported == {".gitignore", "package.json", "pyproject.toml", "package/new.py"}


def test_a_program_that_is_missing_or_fails_is_said() -> None:
    with pytest.raises(ReleaseError, match="no-such-program is not installed"):
        release.run("no-such-program")
    with pytest.raises(ReleaseError, match=r"false failed:"):
        release.run("false")


def test_the_bill_of_materials_says_name_version_and_licence() -> None:
    def package(name: str, *fields: tuple[str, str]) -> Message:
        made = Message()
        for key, value in (("Name", name), ("Version", "1.0"), *fields):
            made[key] = value
        return made

    bill = bill_of_materials(
        [
            package("pip"),
            package("rtc-server", ("License-Expression", "Apache-2.0")),
            package("Odd_Name", ("License", "a text\nof many lines")),
            package(
                "first",
                ("Classifier", "Programming Language :: Python"),
                ("Classifier", "License :: OSI Approved :: MIT License"),
                ("License", "MIT"),
            ),
        ]
    )
    assert bill["metadata"]["component"]["licenses"] == [{"expression": "Apache-2.0"}]
    first, odd = bill["components"]
    assert first["purl"] == "pkg:pypi/first@1.0"
    assert first["licenses"] == [{"license": {"name": "MIT License"}}]
    assert odd["purl"] == "pkg:pypi/odd-name@1.0" and "licenses" not in odd
