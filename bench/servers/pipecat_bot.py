"""Pipecat's smallest servers, for `bench.peers`. Runs in an environment with Pipecat.

    pipecat_bot.py echo | turn

*echo* gives back each frame as it came; *turn* says a tone that is ready when Silero's detector,
with Pipecat's own settings, tells that the user has stopped speaking.
"""

import asyncio
import sys

import aioice.ice
import numpy as np
from aiohttp import web
from loguru import logger

logger.remove()

from pipecat.audio.vad.silero import SileroVADAnalyzer  # noqa: E402
from pipecat.frames.frames import (  # noqa: E402
    Frame,
    InputAudioRawFrame,
    OutputAudioRawFrame,
    TTSAudioRawFrame,
    VADUserStoppedSpeakingFrame,
)
from pipecat.pipeline.pipeline import Pipeline  # noqa: E402
from pipecat.pipeline.runner import PipelineRunner  # noqa: E402
from pipecat.pipeline.task import PipelineTask  # noqa: E402
from pipecat.processors.audio.vad_processor import VADProcessor  # noqa: E402
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor  # noqa: E402
from pipecat.transports.base_transport import TransportParams  # noqa: E402
from pipecat.transports.smallwebrtc.connection import SmallWebRTCConnection  # noqa: E402
from pipecat.transports.smallwebrtc.transport import SmallWebRTCTransport  # noqa: E402

aioice.ice.get_host_addresses = lambda use_ipv4, use_ipv6: ["127.0.0.1"]

OUT_RATE = 24_000
TONE = 0.3 * np.sin(2 * np.pi * 440 * np.arange(round(1.5 * OUT_RATE)) / OUT_RATE)
ANSWER = (32767 * TONE).astype(np.int16).tobytes()


class PipecatEcho(FrameProcessor):
    """Input frames become output frames."""

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await super().process_frame(frame, direction)
        if isinstance(frame, InputAudioRawFrame):
            frame = OutputAudioRawFrame(frame.audio, frame.sample_rate, frame.num_channels)
        await self.push_frame(frame, direction)


class Answer(FrameProcessor):
    """An engine that takes no time."""

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await super().process_frame(frame, direction)
        if isinstance(frame, InputAudioRawFrame):
            return
        if isinstance(frame, VADUserStoppedSpeakingFrame):
            await self.push_frame(TTSAudioRawFrame(ANSWER, OUT_RATE, 1), direction)
        await self.push_frame(frame, direction)


async def serve_one(connection: SmallWebRTCConnection, mode: str) -> None:
    """Run one pipeline, as long as its client stays."""
    transport = SmallWebRTCTransport(
        connection,
        TransportParams(
            audio_in_enabled=True, audio_out_enabled=True, audio_out_sample_rate=OUT_RATE
        ),
    )
    between: list[FrameProcessor] = [PipecatEcho()]
    if mode == "turn":
        between = [VADProcessor(vad_analyzer=SileroVADAnalyzer()), Answer()]
    task = PipelineTask(Pipeline([transport.input(), *between, transport.output()]))

    @transport.event_handler("on_client_disconnected")
    async def _(_transport: object, _client: object) -> None:
        await task.cancel()

    await PipelineRunner(handle_sigint=False).run(task)


running: set[asyncio.Task[None]] = set()


async def offer(request: web.Request) -> web.Response:
    """Answer an offer, begin its pipeline."""
    body = await request.json()
    connection = SmallWebRTCConnection(ice_servers=[])
    await connection.initialize(sdp=body["sdp"], type="offer")
    life = asyncio.create_task(serve_one(connection, sys.argv[1]))
    running.add(life)
    life.add_done_callback(running.discard)
    return web.json_response({"sdp": connection.get_answer()["sdp"]})


async def main() -> None:
    """Serve until killed."""
    app = web.Application()
    app.router.add_post("/offer", offer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.Event().wait()


asyncio.run(main())
