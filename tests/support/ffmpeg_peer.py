"""A WHIP speaker made of FFmpeg's muxer, which PyAV brings; run as a process of its own.

``ffmpeg_peer.py URL WAV [OPTION=VALUE …]`` sends the file in real time, over and over. The options
go to the muxer. It prints ``connected`` when it is.
"""

import itertools
import sys
import time
from fractions import Fraction

import av

RATE = 48_000


def main(url: str, wav: str, *options: str) -> None:
    """Speak until killed."""
    settings = dict(option.split("=", 1) for option in options)
    with av.open(url, "w", format="whip", options=settings) as whip:
        opus = whip.add_stream("libopus", rate=RATE, layout="stereo")
        whip.start_encoding()  # writes the header: this muxer connects then
        print("connected", flush=True)
        resampler = av.AudioResampler("s16", "stereo", RATE, frame_size=960)
        began, samples = time.monotonic(), 0
        for _ in itertools.count():
            with av.open(wav) as recording:
                for decoded in recording.decode(audio=0):
                    for frame in resampler.resample(decoded):
                        frame.pts, frame.time_base = samples, Fraction(1, RATE)
                        samples += frame.samples
                        whip.mux(opus.encode(frame))
                        time.sleep(max(0.0, began + samples / RATE - time.monotonic()))


if __name__ == "__main__":
    main(*sys.argv[1:])
