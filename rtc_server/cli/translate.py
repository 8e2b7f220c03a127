"""``rtc-server translate``: a recording through the whole pipeline."""

import argparse
import asyncio
from collections.abc import Mapping

from rtc_server.app.offline import translate
from rtc_server.cli.audio_files import read_recording, write_speech
from rtc_server.cli.missing_models import provide_models
from rtc_server.config import (
    EngineSettings,
    InterpreterSettings,
    SegmenterSettings,
    Settings,
    load_with_plugins,
)
from rtc_server.errors import ConfigError
from rtc_server.events.client import SessionPatch, language_code
from rtc_server.events.segment_events import SegmentEvent, SegmentStatus


def run(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Print the captions and write the speech; return 1 if anything was not translated."""
    (interpreter, segmenter, engines), plugins = load_with_plugins(
        arguments, environ, InterpreterSettings, SegmenterSettings, EngineSettings
    )
    settings = Settings(
        interpreter=interpreter, segmenter=segmenter, engines=engines, plugins=plugins
    )
    patch = SessionPatch(
        source_language=language_code(interpreter.source),
        target_language=language_code(interpreter.target),
    )
    output = arguments.output
    if output and not output.parent.is_dir():  # said now, not after minutes of work
        raise ConfigError(f"There is no folder {output.parent} to write {output.name} into.")
    provide_models(engines, environ)
    translation = asyncio.run(translate(read_recording(arguments.recording), settings, patch))
    for segment in translation.segments:
        print(caption(segment))
    if output:
        write_speech(output, translation.speech)
    if not translation.segments:
        print("No speech was heard.")
        return 1
    understood = all(segment.status is SegmentStatus.FINAL for segment in translation.segments)
    return 0 if understood else 1


def caption(segment: SegmentEvent) -> str:
    """Return ``[0.3–1.9 s] ru: Где вокзал? → en: Where is the station?``, or what went wrong."""
    source, target = segment.source, segment.target
    at = f"[{source.start_ms / 1000:.1f}–{source.end_ms / 1000:.1f} s] {source.language}: "
    if segment.status is SegmentStatus.FINAL:
        return f"{at}{source.text} → {target.language}: {target.text}"
    if segment.status is SegmentStatus.FAILED:
        return f"{at}failed: {segment.message}"
    lines = [f"{at}not understood"]
    lines += [f"    perhaps: {hint.source} → {hint.target}" for hint in segment.hints]
    return "\n".join(lines)
