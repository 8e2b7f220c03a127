"""``rtc-server serve`` with a production engine that cannot be had: one sentence, exit code 2."""

from pathlib import Path

from tests.support.command import command
from tests.support.nemo.fixture import MODEL


async def refusal(*argv: str) -> str:
    """Return the one line with which such a start ends."""
    async with command("serve", "--port", "0", "--log-level", "error", *argv) as process:
        out, errors = await process.communicate()
    assert process.returncode == 2, errors.decode()
    assert out == b""
    *_, line = errors.decode().splitlines()
    assert b"Traceback" not in errors
    assert line.startswith("rtc-server: ")
    return line


async def test_each_says_what_to_do(tmp_path: Path) -> None:
    half = tmp_path / "half.nemo"
    half.write_bytes(MODEL.read_bytes()[: MODEL.stat().st_size // 2])
    expected = {
        ("--ast", "canary", "--canary-model", str(half)): "models fetch` goes on where it stopped",
        ("--ast", "canary", "--canary-model", str(MODEL), "--device", "cuda"): "--device cpu",
        ("--tts", "silero", "--models-dir", str(tmp_path)): "rtc-server models fetch",
    }
    for argv, advice in expected.items():
        assert advice in await refusal(*argv)
