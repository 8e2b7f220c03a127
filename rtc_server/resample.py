"""Streaming conversion between sample rates."""

from collections.abc import Iterable, Iterator

import av
import numpy as np
from av.filter import Graph

from rtc_server.pcm import Samples


class Resampler:
    """Converter of mono float32 from one rate to another, piece by piece, without clicks at the
    joins.

    FFmpeg's swresample (through PyAV) keeps its filter between pieces and holds back about 1 ms
    until the next piece or `flush`. Equal rates pass through untouched.
    """

    def __init__(self, source_rate: int, target_rate: int) -> None:
        self._source_rate = source_rate
        self._target_rate = target_rate
        self._graph: Graph | None = None
        """Filter of the present stream; None until samples come."""

    def push(self, samples: Samples) -> Samples:
        """Return what can be given out so far, shape (n,); n is 0 when all of it is still held
        back.
        """
        if self._source_rate == self._target_rate or samples.size == 0:
            return samples
        frame = av.AudioFrame.from_ndarray(
            np.ascontiguousarray(samples, dtype=np.float32)[None, :], format="flt", layout="mono"
        )
        frame.sample_rate = self._source_rate
        if self._graph is None:
            self._graph = _make_graph(self._source_rate, self._target_rate)
        return _run(self._graph, frame)

    def flush(self) -> Samples:
        """Return what was held back. The next `push` begins a new, unrelated stream."""
        graph, self._graph = self._graph, None
        return np.empty(0, np.float32) if graph is None else _run(graph, None)

    def close(self) -> None:
        """Free the filter, and drop what was held back. Idempotent."""
        self._graph = None


def resampled(chunks: Iterable[Samples], source_rate: int, target_rate: int) -> Iterator[Samples]:
    """Yield one stream of chunks at another rate, to its very end; each shape (n,), n >= 1."""
    resampler = Resampler(source_rate, target_rate)
    for chunk in chunks:
        if (given := resampler.push(chunk)).size:
            yield given
    if (rest := resampler.flush()).size:
        yield rest


def _make_graph(source_rate: int, target_rate: int) -> Graph:
    """Return the filter graph of `av.AudioResampler`, without its threads.

    FFmpeg starts a pool for each graph, of as many threads as there are cores, and frees it with
    the graph: a thousand sessions on 32 cores would have 30,000 threads that never do anything.
    """
    graph = Graph()
    graph.threads = 1
    source = graph.add(
        "abuffer", sample_rate=str(source_rate), sample_fmt="flt", channel_layout="mono"
    )
    target = graph.add(
        "aformat", sample_rates=str(target_rate), sample_fmts="flt", channel_layouts="mono"
    )
    graph.link_nodes(source, target, graph.add("abuffersink")).configure()
    return graph


def _run(graph: Graph, frame: av.AudioFrame | None) -> Samples:
    """Put a frame in, or the end of the stream, and return what comes out, shape (n,)."""
    graph.push(frame)
    given: list[Samples] = []
    while True:
        try:
            given.append(graph.pull().to_ndarray()[0])
        except (BlockingIOError, EOFError):  # no more until the next frame, or for good
            return np.concatenate(given) if given else np.empty(0, np.float32)
