"""Settings for tests of the answers of engines, not of their speed: on a busy machine engines may
take long, and other sessions are admitted meanwhile.
"""

from dataclasses import replace

from rtc_server.config import EngineSettings, HttpSettings, Settings

PATIENT = EngineSettings(ast_deadline_s=60, tts_deadline_s=60, engine_wait_s=60, engine_answer_s=0)
SETTINGS = Settings(http=HttpSettings(port=0), engines=PATIENT)
"""A server on this machine, on a free port, with the embedded engines."""
TONES = replace(
    PATIENT, ast="tests.support.server_engines:quick", tts="tests.support.server_engines:tones"
)
"""Engines that understand whatever is said, and answer with a tone of the language."""
