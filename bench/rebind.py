"""A NAT gives the client another port in mid-call: how long until audio flows again?

    python -m bench.rebind [--times 10]

The client sends and hears a tone through a proxy that changes its port, as a NAT does that forgot
the old one. Neither side is told. *There* is until the server has its audio again, *back* until the
client has the server's.
"""

import argparse
import asyncio
import time

import numpy as np

from bench.harness import percentile
from tests.support.netem import UdpProxy
from tests.support.peers import Server, tone
from tests.support.rtc_client import RtcClient

BETWEEN_S = 2.0


async def main(times: int) -> None:
    """Rebind again and again and print the table."""
    there_ms, back_ms = [], []
    seconds = times * (BETWEEN_S + 3.0) + 10.0
    audio = tone(440, seconds)
    async with UdpProxy(seed=1) as proxy, Server(playout=audio) as server:

        async def negotiate(offer: str) -> str:
            return proxy.rewrite_answer(await server.negotiate(proxy.rewrite_offer(offer)))

        async with RtcClient(negotiate, audio=audio) as client:
            session = server.session
            await session.until(lambda: session.samples > 16_000)
            for _ in range(times):
                await asyncio.sleep(BETWEEN_S)
                received, heard = server.transport.stats.packets_received, len(client.packets)
                await proxy.rebind()
                begun_s = time.monotonic()

                def is_there(received: int = received) -> bool:
                    loud = np.abs(session.pcm[-1].samples).max() > 0.1
                    return bool(loud) and server.transport.stats.packets_received > received + 1

                await session.until(is_there)
                there_ms.append((time.monotonic() - begun_s) * 1000)
                await client.until(lambda heard=heard: len(client.packets) > heard + 1)  # type: ignore[misc]
                back_ms.append((client.packets[heard + 1].arrival_s - begun_s) * 1000)
    print("| way | p50 ms | max ms |\n|---|---|---|")
    for name, values in (("there", there_ms), ("back", back_ms)):
        print(f"| {name} | {percentile(values, 50):.0f} | {max(values):.0f} |")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--times", type=int, default=10)
    asyncio.run(main(parser.parse_args().times))
