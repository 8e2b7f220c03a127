"""Cost of one 20 ms packet in the media core, without sockets, SRTP or the event loop.

    python -m bench.media_core

Microseconds of CPU a packet, best of several runs over 20 s of a voice-like signal. Times 0.05
that is milliseconds of CPU per session-second in one direction.
"""

import time
import timeit
from collections.abc import Callable

from rtc_server.transport.media.jitter_buffer import JitterBuffer
from rtc_server.transport.media.opus import OpusDecoder
from rtc_server.transport.media.opus_library import libopus
from rtc_server.transport.media.receiver import Receiver
from rtc_server.transport.media.rtp import parse_rtp
from rtc_server.transport.media.sender import Sender
from tests.support.netem import Link, Path
from tests.support.packet_scripts import (
    PAYLOAD_TYPE,
    Arrival,
    encoded,
    run_buffer,
    run_receiver,
    steady,
    through,
    voiced,
)

SECONDS = 20.0
COUNT = round(SECONDS * 50)
RUNS = 7


def main() -> None:
    payloads = encoded(SECONDS, fec=True)
    clean = steady(payloads)
    lossy = through(Link(Path(loss=0.1), 1), clean)
    frames = voiced(SECONDS).reshape(-1, 960)
    decoder, idle = OpusDecoder(), Receiver(PAYLOAD_TYPE)
    quiet, faulty = Sender(PAYLOAD_TYPE, 1), Sender(PAYLOAD_TYPE, 1)
    faulty.report_loss(0.1)

    def parse() -> None:
        for arrival in clean:
            parse_rtp(arrival.data)

    def buffer() -> None:
        for _ in run_buffer(JitterBuffer(), clean):
            pass

    def decode() -> None:
        for payload in payloads:
            decoder.decode(payload)

    def receive(arrivals: list[Arrival]) -> None:
        receiver = Receiver(PAYLOAD_TYPE)
        for _ in run_receiver(receiver, arrivals):
            pass
        receiver.close()

    def pull() -> None:
        for number in range(COUNT):
            idle.pull(number * 0.02)

    def send(sender: Sender) -> None:
        for number, frame in enumerate(frames):
            sender.send(frame, number)

    def send_silence() -> None:
        for number in range(COUNT):
            quiet.send(None, number)

    rows: dict[str, Callable[[], None]] = {
        "parse RTP": parse,
        "parse, jitter buffer, tick": buffer,
        "decode SILK/hybrid to 16 kHz": decode,
        "receive, clean path": lambda: receive(clean),
        "receive, 10 % loss": lambda: receive(lossy),
        "tick with nothing to do": pull,
        "encode and packetise, no loss reported (CELT)": lambda: send(quiet),
        "encode and packetise, FEC for 10 % loss": lambda: send(faulty),
        "silence": send_silence,
    }
    print(f"{libopus().opus_get_version_string().decode()}\n")
    print("| per packet | µs |\n|---|---|")
    for name, run in rows.items():
        best_s = min(timeit.repeat(run, timer=time.process_time, number=1, repeat=RUNS))
        print(f"| {name} | {best_s / COUNT * 1e6:.1f} |", flush=True)


if __name__ == "__main__":
    main()
