"""Settings for tests of what engines say, not of how soon.

A busy machine may take its time, and admit others meanwhile.
"""

from rtc_server.config import EngineSettings, HttpSettings, Settings

PATIENT = EngineSettings(ast_deadline_s=60, tts_deadline_s=60, engine_wait_s=60, engine_answer_s=0)
SETTINGS = Settings(http=HttpSettings(port=0), engines=PATIENT)
"""A server on this machine, on a free port, with the embedded engines."""
