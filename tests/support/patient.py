"""Settings for tests of what engines and peers do, not of their speed: on a busy machine engines
may take long, other sessions are admitted meanwhile, and a client may stand still longer than one
that is gone.
"""

from dataclasses import replace

from rtc_server.config import EngineSettings, HttpSettings, Settings, TransportSettings

PATIENT = EngineSettings(ast_deadline_s=60, tts_deadline_s=60, engine_wait_s=60, engine_answer_s=0)
TRANSPORT = TransportSettings(connect_timeout_s=60, dead_peer_timeout_s=120)
SETTINGS = Settings(http=HttpSettings(port=0), engines=PATIENT)
"""A server on this machine, on a free port, with the embedded engines."""
QUICK = replace(PATIENT, ast="tests.support.server_engines:quick")
"""An engine that answers with the length of its audio, and eSpeak."""
TONES = replace(QUICK, tts="tests.support.server_engines:tones")
"""Engines that understand whatever is said, and answer with a tone of the language."""
