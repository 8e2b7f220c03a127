"""FFmpeg as a WHIP speaker."""

import asyncio
import sys
from pathlib import Path

import numpy as np

from rtc_server.pcm import PLAYOUT_RATE
from tests.support.access import bearer
from tests.support.certificates import self_signed
from tests.support.rooms import server, told
from tests.support.rtc_client import RtcClient
from tests.support.server import said
from tests.support.wav import write_wav

PEER = Path(__file__).parents[1] / "support" / "ffmpeg_peer.py"
KEY = "the-key"


async def test_ffmpeg_speaks_by_whip(tmp_path: Path) -> None:
    """The certificate is on P-256: with FFmpeg's own, on secp224r1, no handshake succeeds."""
    speech = np.asarray(said("where is the train station"))
    wav = write_wav(tmp_path / "speech.wav", speech, PLAYOUT_RATE)
    cert, key = self_signed(tmp_path)
    async with server(api_key=KEY) as running_server:
        ffmpeg = await asyncio.create_subprocess_exec(
            *(sys.executable, PEER, f"{running_server.url}/whip/hall?source=en", wav),
            *(f"authorization={KEY}", f"cert_file={cert}", f"key_file={key}"),
            stdout=asyncio.subprocess.PIPE,
        )
        try:
            assert ffmpeg.stdout and await ffmpeg.stdout.readline() == b"connected\n"
            whep = f"{running_server.url}/whep/hall?language=de"
            async with RtcClient(whep, listens_only=True, headers=bearer(KEY)) as audience:
                [caption, *_] = await told(audience)
                assert caption["status"] == "final"
        finally:
            ffmpeg.kill()
            await ffmpeg.communicate()
