"""OpenAI's own client for Node, unchanged but for base URL and key, against the phrasebook.

It validates what it is sent and emits a typed event only when each field is as the schema says.
"""

import asyncio
import json
import os
from pathlib import Path

import numpy as np

from rtc_server.app.server import running
from rtc_server.config import HttpSettings, Settings
from rtc_server.pcm import SPEECH_RATE, to_int16
from rtc_server.resample import Resampler
from tests.support.certificates import self_signed
from tests.support.npm_clients import installed
from tests.support.patient import PATIENT
from tests.support.signals import english, join, silence

KEY = "a-key-of-this-server"


async def test_the_sdk_for_node_emits_every_typed_event(tmp_path: Path) -> None:
    folder = await asyncio.to_thread(installed)
    speech = join(silence(300), english("where is the train station"), silence(800))
    up = Resampler(SPEECH_RATE, 24_000)
    pcm = to_int16(np.concatenate([up.push(speech), up.flush()])).astype("<i2").tobytes()
    cert, key = self_signed(tmp_path)  # the SDK speaks to HTTPS only
    http = HttpSettings(port=0, api_key=KEY, tls_cert=str(cert), tls_key=str(key))
    settings = Settings(http=http, engines=PATIENT)
    async with running(settings) as server:
        node = await asyncio.create_subprocess_exec(
            *("node", "translate.mjs", f"{server.url}/v1", KEY, "ru"),
            cwd=folder,
            env=os.environ | {"NODE_EXTRA_CA_CERTS": str(cert)},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        printed, complaints = await asyncio.wait_for(node.communicate(pcm), 100)
    assert node.returncode == 0, complaints.decode()
    events = [json.loads(line) for line in printed.splitlines()]
    kinds = [event["type"] for event in events]
    assert kinds[:2] == ["session.created", "session.updated"]
    assert isinstance(events[0]["expires_at"], int)
    assert kinds[-2:] == ["session.closed", "finished"]
    said = [event["delta"] for event in events if event["type"].endswith("transcript.delta")]
    assert "Где находится вокзал?" in [text.strip() for text in said]
    assert "session.output_audio.delta" in kinds
