"""Rehearsal: a whole server is started aside, on loopback, and given speech; its answers and its
cost.
"""

import asyncio
import os
import re
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import fields
from pathlib import Path

import aiohttp
import numpy as np

from rtc_server.app.doctor.calling import ServerAccess, negotiation
from rtc_server.app.doctor.findings import Finding, fault, note, ok
from rtc_server.config import EngineSettings, Settings
from rtc_server.engines.base import EngineOptions, TtsRequest
from rtc_server.engines.service import TtsService
from rtc_server.errors import EngineError, RtcServerError
from rtc_server.metrics import Metrics
from rtc_server.options import ENV_PREFIX, variable
from rtc_server.pcm import PLAYOUT_RATE, Samples
from rtc_server.resample import resampled
from rtc_server.transport.probe import Report, probe

SESSIONS = 4
"""Calls at once while the cost is measured."""
TURN_S = 6.0
"""Seconds of one turn: each caller says a sentence and is then silent."""
TURNS = 2
HEADROOM = 0.7
"""Share of a core that can be used before delays grow."""
PATIENCE_S = 30.0


@asynccontextmanager
async def rehearsal(settings: Settings) -> AsyncIterator[tuple[str, int]]:
    """Yield a server with the same engines, segmenter and interpreter; its URL and process id.

    Raises:
        RtcServerError: it did not start; the text is its own sentence.
    """
    environment = {k: v for k, v in os.environ.items() if not k.startswith(ENV_PREFIX)}
    for section in (settings.segmenter, settings.engines, settings.interpreter):
        for each in fields(section):
            value = getattr(section, each.name)
            if value != each.default:
                environment[variable(each.name)] = _text(value)
    for name, value in settings.plugins.items():
        environment[variable(name)] = _text(value)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "rtc_server", "serve", "--port", "0", "--log-level", "error"),
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdout and process.stderr
    try:
        said = []
        async for line in process.stdout:
            said.append(line.decode())
            if found := re.search(r"http://127\.0\.0\.1:\d+", said[-1]):
                break
        else:
            reason = (await process.stderr.read()).decode().strip().splitlines()
            raise RtcServerError(reason[-1].removeprefix("rtc-server: ") if reason else "no reason")
        yield found[0], process.pid
    finally:
        if process.returncode is None:
            process.terminate()
        await process.communicate()


def _text(value: object) -> str:
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)


async def rehearse(settings: Settings) -> AsyncIterator[Finding]:
    """Start a server, let some callers speak at once, and yield findings about answers and cost."""
    began_s = time.monotonic()
    try:
        async with rehearsal(settings) as (url, pid), aiohttp.ClientSession() as http:
            yield ok(f"The engines were ready {time.monotonic() - began_s:.1f} s after the start.")
            access = ServerAccess(http, url)
            source, target, sentence = await _something_to_say(access, settings)
            turn = await _spoken(sentence, source)
            spent = await _engine_seconds(access)
            before = _cpu_s(pid)
            then_s = time.monotonic()
            reports = await asyncio.gather(
                *(
                    probe(
                        negotiation(access, source, target),
                        np.tile(turn, TURNS),
                        patience_s=TURNS * TURN_S + PATIENCE_S,
                        segments=TURNS,
                        addresses=("127.0.0.1",),
                    )
                    for _ in range(SESSIONS)
                )
            )
            passed_s = time.monotonic() - then_s
            after = _cpu_s(pid)
            engine_s = {
                k: s - spent.get(k, 0.0) for k, s in (await _engine_seconds(access)).items()
            }
    except RtcServerError as error:
        yield fault(f"The rehearsal failed: {error}", "Do what the sentence says.")
        return
    for finding in _heard(reports, source, target, sentence):
        yield finding
    for finding in real_time_factor(engine_s, reports):
        yield finding
    if before and after:
        server_s, all_s = (b - a for a, b in zip(before, after, strict=True))
        for finding in headroom(server_s, all_s, SESSIONS * passed_s, os.cpu_count() or 1):
            yield finding
    else:
        yield note(
            "The number of sessions that this machine can serve is not measured: it has no /proc.",
            "Measure on Linux.",
        )


def headroom(server_s: float, all_s: float, session_s: float, cores: int) -> Iterator[Finding]:
    """Estimate how many sessions fit, from CPU seconds that `session_s` seconds of
    sessions took.
    """
    server_ms, all_ms = 1000 * server_s / session_s, 1000 * all_s / session_s
    by_loop = HEADROOM * 1000 / max(server_ms, 0.1)  # one thread serves all sessions
    by_machine = HEADROOM * 1000 * cores / max(all_ms, 0.1)
    sessions = int(min(by_loop, by_machine))
    cost = f"{all_ms:.0f} ms of CPU a second, {server_ms:.0f} of it for media"
    if sessions < 1:
        yield fault(
            f"This machine is too slow for one session: it takes {cost}.",
            "Use a faster one, or other engines.",
        )
    else:
        yield ok(
            f"This machine can serve about {sessions} sessions that speak a quarter of the time "
            f"({cost}, measured with {SESSIONS}; a GPU is not counted)."
        )


def real_time_factor(engine_s: dict[str, float], reports: list[Report]) -> Iterator[Finding]:
    """Compute the seconds that engines worked for each second of speech, partial captions included.

    Args:
        engine_s: seconds of engine calls by kind.
        reports: the calls in which that happened.
    """
    segments = [s for each in reports for s in each.segments]
    said_s = sum(s["source"]["end_ms"] - s["source"]["start_ms"] for s in segments) / 1000
    if not said_s:
        return
    ast, tts = (engine_s.get(kind, 0.0) / said_s for kind in ("ast", "tts"))
    what = (
        f"A second of speech takes {ast:.2f} s to translate and {tts:.2f} s to speak (real-time "
        f"factors, partial captions included, over {said_s:.0f} s in {len(reports)} calls at once)"
    )
    if ast > 1:
        yield note(
            f"{what}: translation falls behind when so many speak at once.",
            "Allow fewer sessions (--max-sessions), or use a faster machine or other engines.",
        )
    else:
        yield ok(f"{what}.")


async def _engine_seconds(access: ServerAccess) -> dict[str, float]:
    """Return seconds of engine calls so far, by kind, from the server's metrics."""
    async with access.http.get(f"{access.url}/metrics", headers=access.headers) as response:
        text = await response.text()
    rows = re.findall(r'^rtc_engine_seconds_sum\{kind="(\w+)"\} (\S+)$', text, re.MULTILINE)
    return {kind: float(seconds) for kind, seconds in rows}


def _heard(reports: list[Report], source: str, target: str, sentence: str) -> Iterator[Finding]:
    connected = [each for each in reports if each.connected_ms is not None]
    if len(connected) < len(reports):
        yield fault(
            f"{len(reports) - len(connected)} of {len(reports)} calls on loopback did not connect.",
            "A firewall on this machine stops UDP on 127.0.0.1; let it through.",
        )
        return
    answers = [s for each in reports for s in each.segments if s["status"] == "final"]
    wanted = TURNS * len(reports)
    texts = sorted({s["target"]["text"] for s in answers})
    if not answers:
        yield fault(
            f"«{sentence}» ({source}) was not translated to {target} in any of {wanted} tries.",
            "Try the page; if it is the same there, read the server's log.",
        )
    elif len(answers) < wanted:
        yield note(
            f"«{sentence}» ({source}) was translated {len(answers)} of {wanted} times.",
            "The synthesizer's voice may be hard to understand; try the page.",
        )
    else:
        yield ok(f"«{sentence}» ({source}) comes back as «{'», «'.join(texts)}» ({target}).")
    if all(each.speech_ms is None for each in reports):
        yield fault("No translated speech was heard.", "Read the server's log.")


async def _something_to_say(access: ServerAccess, settings: Settings) -> tuple[str, str, str]:
    """Return source language, target language and a sentence that the engine should translate."""
    source, target = settings.interpreter.source, settings.interpreter.target
    phrases = (await access.get("/v1/phrases", language=source)).get("phrases", [])
    usual = {"en": "Where is the train station?", "ru": "Где находится вокзал?"}
    known = [each["text"] for each in phrases]
    sentence = usual.get(source, "")
    if not sentence or (known and sentence not in known):
        sentence = known[0] if known else "one two three"
    return source, target, sentence


async def _spoken(sentence: str, language: str) -> Samples:
    """Return the sentence spoken by eSpeak NG, then silence: `TURN_S` seconds at 48 kHz, mono."""
    service = TtsService("espeak", EngineOptions(), EngineSettings(), Metrics())
    await service.start()
    try:
        if language not in service.capabilities.voices:
            raise EngineError(f"eSpeak NG has no voice for {language}.")
        speech = service.synthesize(TtsRequest(sentence, language), session_id="doctor")
        chunks = [chunk async for chunk in speech]
        rate = service.capabilities.sample_rate
    finally:
        await service.close()
    samples = np.concatenate(list(resampled(chunks, rate, PLAYOUT_RATE)))
    turn = np.zeros(round(TURN_S * PLAYOUT_RATE), np.float32)
    lead = PLAYOUT_RATE // 2
    said = samples[: len(turn) - 2 * lead]
    turn[lead : lead + len(said)] = said
    return turn


def _cpu_s(pid: int) -> tuple[float, float] | None:
    """Return the CPU seconds of the process, and of it and its children together; None without
    /proc.
    """
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        own = _stat_s(str(pid))
        return own, own + sum(map(_stat_s, children))
    except OSError:
        return None


def _stat_s(pid: str) -> float:
    words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")
