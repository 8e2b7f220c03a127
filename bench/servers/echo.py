"""Our transport with an echo behind it: what the wire costs without an interpreter.

    python -m bench.servers.echo [--half] [--loop batched|asyncio|uvloop|uvloop-batched]

POST an SDP offer to ``/offer``; ``GET /ticks`` tells how late the 20 ms tick was.
"""

import argparse
import asyncio
import time
from collections.abc import Callable

import numpy as np
import uvloop
from aiohttp import web

from rtc_server.cli.exact_timers import new_loop
from rtc_server.config import TransportSettings
from rtc_server.pcm import PLAYOUT_FRAME_SAMPLES, PLAYOUT_RATE, SPEECH_RATE, Pcm, Samples
from rtc_server.transport.media_scheduler import MediaScheduler
from rtc_server.transport.transport_api import CloseReason
from rtc_server.transport.webrtc import WebRtcTransport

TURN_FRAMES = 50
LOOPS: dict[str, tuple[Callable[[], asyncio.AbstractEventLoop], bool]] = {
    "batched": (new_loop, True),
    "asyncio": (asyncio.SelectorEventLoop, False),
    "uvloop": (uvloop.new_event_loop, False),
    "uvloop-batched": (uvloop.new_event_loop, True),
}
"""Event loops to compare, and whether many datagrams are read at the tick; the first is what
`rtc-server serve` takes."""


class Echo:
    """Session that sends back the audio that it gets; with `half`, one second out of two."""

    def __init__(self, *, half: bool) -> None:
        self._half = half
        self._waiting: Samples = np.zeros(0, np.float32)
        self._least = 0
        self._frames = 0

    def on_connected(self) -> None:
        """Do nothing: there is nothing to prepare."""

    def on_pcm(self, pcm: Pcm) -> None:
        # Linear steps are good enough for an echo, and cost next to nothing.
        samples = np.repeat(pcm.samples, PLAYOUT_RATE // SPEECH_RATE)
        self._waiting = np.concatenate([self._waiting, samples]) if len(self._waiting) else samples

    def next_frame(self) -> Samples | None:
        self._frames += 1
        if self._frames % TURN_FRAMES == 0:
            # What waited for a whole turn was never needed: one late moment delays no more.
            self._waiting, self._least = self._waiting[self._least :], len(self._waiting)
        if len(self._waiting) < PLAYOUT_FRAME_SAMPLES:
            self._least = 0
            return None
        frame = self._waiting[:PLAYOUT_FRAME_SAMPLES]
        self._waiting = self._waiting[PLAYOUT_FRAME_SAMPLES:]
        self._least = min(self._least, len(self._waiting))
        silent = self._half and self._frames // TURN_FRAMES % 2
        return None if silent else frame

    def on_message(self, text: str) -> None:
        """Do nothing: there are no events."""

    def on_bad_message(self, reason: str, event_id: str | None = None) -> None:
        """Do nothing: there are no events."""

    def on_audio_ahead(self) -> None:
        """Do nothing: there are no events."""

    def on_slow_reader(self) -> None:
        """Do nothing: there are no events."""

    def on_channel_open(self) -> None:
        """Do nothing: there are no events."""

    def on_closed(self, reason: CloseReason) -> None:
        """Do nothing: there is nothing to free."""


async def main(*, half: bool, batched: bool) -> None:
    """Serve until killed."""
    transports: list[WebRtcTransport] = []
    late_s: list[float] = []
    scheduler = MediaScheduler(batched_reading=batched)
    scheduler.observe_lateness_s = late_s.append

    async def offer(request: web.Request) -> web.Response:
        transport = await WebRtcTransport.accept(
            await request.text(),
            Echo(half=half),
            TransportSettings(),
            host="127.0.0.1",
            clock=time.monotonic,
            scheduler=scheduler,
        )
        transports.append(transport)
        return web.Response(text=transport.answer_sdp, content_type="application/sdp")

    async def ticks(_request: web.Request) -> web.Response:
        told = [round(1000 * s, 3) for s in late_s]
        late_s.clear()
        return web.json_response(told)

    app = web.Application()
    app.add_routes([web.post("/offer", offer), web.get("/ticks", ticks)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--half", action="store_true", help="silent every other second")
    parser.add_argument("--loop", choices=LOOPS, default="batched")
    arguments = parser.parse_args()
    loop_factory, batched = LOOPS[arguments.loop]
    with asyncio.Runner(loop_factory=loop_factory) as runner:
        runner.run(main(half=arguments.half, batched=batched))
