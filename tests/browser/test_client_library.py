"""The client library as a package: its types, its tarball, what it imports."""

import json
import re
import shutil
import tomllib
from pathlib import Path

from rtc_server import __version__
from tests.support.node import in_node, output

ROOT = Path(__file__).resolve().parents[2]
STATIC = ROOT / "static"
ELEMENT_PARTS = [
    *STATIC.glob("element-*.js"),
    *(
        STATIC / f"{name}.js"
        for name in (
            "early-speech", "backlog", "clipping", "cues", "export", "graph", "save-file",
            "transcript",
        )
    ),
    *(STATIC / f"{name}.worklet.js" for name in ("meter", "tape")),
]  # fmt: skip
TYPES = Path(__file__).parent / "types"
NODE_MODULES = "node_modules/rtc-server-client"
COMPILER = [
    "--strict",
    "--target",
    "es2022",
    "--module",
    "node16",
    "--moduleResolution",
    "node16",
    "--skipDefaultLibCheck",
]


def install(folder: Path) -> None:
    """Put into the folder what `npm install` would."""
    package = folder / NODE_MODULES
    shutil.copytree(ROOT / "static", package / "static")
    shutil.copy(ROOT / "package.json", package)
    (folder / "package.json").write_text('{"type": "module"}')


async def test_the_tarball_holds_the_library_and_nothing_else() -> None:
    [packed] = json.loads(await output("npm", "pack", "--dry-run", "--json", cwd=ROOT))
    files = {file["path"] for file in packed["files"]}
    library = {
        str(path.relative_to(ROOT))
        for folder in ("client", "worklets")
        for path in (STATIC / folder).rglob("*")
        if path.is_file()
    }
    library |= {str(part.relative_to(ROOT)) for part in ELEMENT_PARTS}
    tables = (STATIC / "strings").glob("*/element.js")
    library |= {str(path.relative_to(ROOT)) for path in tables}
    entries = ("static/client", "static/speech-translate")
    expected = {f"{entry}{suffix}" for entry in entries for suffix in (".js", ".d.ts")}
    assert files == library | expected | {"package.json", "README.md", "LICENSE"}


def test_the_package_has_the_servers_version_and_needs_no_other() -> None:
    package = json.loads((ROOT / "package.json").read_text())
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert package["version"] == __version__
    assert package["license"] == project["license"]
    assert "dependencies" not in package


def test_the_library_imports_nothing_from_outside_the_package() -> None:
    for path in [STATIC / "client.js", *(STATIC / "client").glob("*.js")]:
        for name in re.findall(r"""(?:from|import)\s*\(?\s*["']([^"']+)["']""", path.read_text()):
            target = (path.parent / name).resolve()
            assert target.parent == STATIC / "client", f"{path}: {name}"
            assert target.is_file() or target.suffix == ".js", f"{path}: {name}"


def test_the_element_imports_nothing_from_outside_the_package() -> None:
    parts = set(ELEMENT_PARTS)
    packed = {STATIC / "client.js", *parts}
    packed.update((STATIC / "client").glob("*.js"), STATIC.glob("strings/*/element.js"))
    for path in (STATIC / "speech-translate.js", *parts):
        code = path.read_text("utf-8")
        names = re.findall(r"""(?:from\s*["']|import\s*\(?\s*["'`])([^"'`]+)["'`]""", code)
        for worklets in re.findall(r"const WORKLETS = (\[.*\]);", code):
            names += [f"{name}.worklet.js" for name in json.loads(worklets)]
        assert {(STATIC / name).resolve() for name in names} <= packed, path


def test_no_page_has_a_client_of_its_own() -> None:
    """The only exception is the page for tests, which must work where the others do not."""
    makes = re.compile(r"new (?:RTCPeerConnection|WebSocket)\(")
    found = {
        path.relative_to(STATIC).as_posix()
        for path in STATIC.rglob("*.js")
        if makes.search(path.read_text("utf-8"))
    }
    library = {"client/room-call.js", "client/webrtc.js", "client/websocket.js"}
    assert found == library | {"doctor.js"}


async def test_it_can_be_imported_where_there_is_no_browser(tmp_path: Path) -> None:
    install(tmp_path)
    script = """
      import * as library from "rtc-server-client";
      const client = new library.TranslationClient({ url: "https://interpreter.example/" });
      const refused = await client.start({}, { source: "ru", target: "en" }).catch((e) => e.code);
      console.log(JSON.stringify([Object.keys(library), client.state, typeof refused]));
    """
    names, state, refused = await in_node(tmp_path, script)
    assert names == [
        "ClientError", "RoomCall", "RoomClient", "TranslationClient", "attachTranslation"
    ]  # fmt: skip
    assert (state, refused) == ("closed", "string")


async def test_the_types_say_what_an_application_may_do(tmp_path: Path) -> None:
    install(tmp_path)
    shutil.copy(TYPES / "usage.ts", tmp_path)
    await output("tsc", *COMPILER, "--noEmit", "usage.ts", cwd=tmp_path)


async def test_the_types_are_those_of_the_code(tmp_path: Path) -> None:
    install(tmp_path)
    code = tmp_path / "code"
    documented = shutil.ignore_patterns("*.d.ts")  # which would be read instead of the code
    shutil.copytree(ROOT / "static", code, ignore=documented)
    sources = [code / "client.js", code / "speech-translate.js"]
    made = ("--allowJs", "--declaration", "--emitDeclarationOnly", "--outDir", tmp_path / "made")
    await output("tsc", *COMPILER, *made, *sources, cwd=tmp_path)
    shutil.copy(TYPES / "agreement.ts", tmp_path)
    await output("tsc", *COMPILER, "--noEmit", "agreement.ts", cwd=tmp_path)
