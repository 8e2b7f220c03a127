"""Stream a recording to a running server and write the translation.

    python examples/ws_client.py question.wav translation.wav --source ru --target en

The recording is a 16 kHz mono 16-bit WAV (make one with
``ffmpeg -i any.mp3 -ar 16000 -ac 1 -sample_fmt s16 question.wav``); so is what is written. It is
sent at the pace of a speaker, and captions are printed as they come. Needs only aiohttp. Where the
server asks for a key, put it into the environment variable RTC_API_KEY.
"""

import argparse
import asyncio
import json
import os
import sys
import time
import wave
from typing import Any

import aiohttp

RATE = 16_000
FRAME_S = 0.02
FRAME_SAMPLES = round(RATE * FRAME_S)


async def translate(url: str, speech: bytes, *, key: str = "") -> bytes:
    """Send 16 kHz mono Int16LE, print captions, and return the translation in the same form."""
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    translation = bytearray()
    async with (
        aiohttp.ClientSession(headers=headers) as http,
        http.ws_connect(url, heartbeat=20) as socket,
        asyncio.TaskGroup() as tasks,
    ):
        speaking = tasks.create_task(speak(socket, speech))
        async for message in socket:  # ends when the server has said everything and closes
            if message.type is aiohttp.WSMsgType.BINARY:
                translation += message.data
            elif message.type is aiohttp.WSMsgType.TEXT:
                show(json.loads(message.data))
        speaking.cancel()
    return bytes(translation)


async def speak(socket: aiohttp.ClientWebSocketResponse, speech: bytes) -> None:
    """Frame by frame, none before it would have been spoken."""
    began = time.monotonic()
    for number, at in enumerate(range(0, len(speech), 2 * FRAME_SAMPLES)):
        await socket.send_bytes(speech[at : at + 2 * FRAME_SAMPLES])
        await asyncio.sleep(began + (number + 1) * FRAME_S - time.monotonic())
    await socket.send_json({"type": "stop"})


def show(event: dict[str, Any]) -> None:
    """Captions to stdout, trouble to stderr."""
    if event["type"] == "session.output_transcript.delta":
        print(event["delta"].strip(), flush=True)
    elif event["type"] == "error":
        print(event["error"]["message"], file=sys.stderr)


def read(path: str) -> bytes:
    """The samples of a WAV."""
    with wave.open(path, "rb") as file:
        if (file.getframerate(), file.getnchannels(), file.getsampwidth()) != (RATE, 1, 2):
            sys.exit(f"{path} is not a 16 kHz mono 16-bit WAV. See --help for how to make one.")
        return file.readframes(file.getnframes())


def write(path: str, pcm: bytes) -> None:
    """The samples as a WAV."""
    with wave.open(path, "wb") as file:
        file.setframerate(RATE)
        file.setnchannels(1)
        file.setsampwidth(2)
        file.writeframes(pcm)


async def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("recording")
    parser.add_argument("translation")
    parser.add_argument("--url", default="ws://127.0.0.1:8000", help="the server")
    parser.add_argument("--source", default="ru", help="language spoken")
    parser.add_argument("--target", default="en", help="language to translate into")
    options = parser.parse_args()
    url = f"{options.url}/ws/audio?source={options.source}&target={options.target}"
    speech = read(options.recording)
    try:
        translation = await translate(url, speech, key=os.environ.get("RTC_API_KEY", ""))
    except* aiohttp.ClientError as errors:
        sys.exit(f"The server does not answer or refuses: {errors.exceptions[0]}")
    write(options.translation, translation)


if __name__ == "__main__":
    asyncio.run(main())
