"""Requests of one session's client, carried out."""

from rtc_server.errors import BadEvent, UnsupportedPair
from rtc_server.events.client import (
    ClientEvent,
    InputCommit,
    InputStart,
    OutputClear,
    Ping,
    Say,
    SessionPatch,
    SessionUpdate,
)
from rtc_server.events.server import PongEvent
from rtc_server.events.session_events import SessionUpdated
from rtc_server.interpreter.interpreter import Interpreter
from rtc_server.session.event_stream import EventStream
from rtc_server.session.push_to_talk import PushToTalk
from rtc_server.session.services import Services
from rtc_server.session.session_settings import SessionSettings


class ClientRequests:
    """Handler of one client's events, which carries out and answers all but ``session.close``."""

    def __init__(
        self,
        interpreter: Interpreter,
        events: EventStream,
        settings: SessionSettings,
        services: Services,
    ) -> None:
        self._interpreter, self._events = interpreter, events
        self._settings, self._services = settings, services
        self._push_to_talk = PushToTalk(interpreter.audio)

    def carry_out(self, event: ClientEvent, *, in_order: bool) -> None:
        """Carry out one event. `in_order`: True if all audio sent before it has arrived."""
        match event:
            case SessionUpdate(patch, event_id):
                self._update(patch, event_id)
            case InputStart():
                self._push_to_talk.press()
            case InputCommit(tail_ms):
                self._push_to_talk.release(
                    None if tail_ms is None else round(tail_ms), in_order=in_order
                )
            case OutputClear():
                self._interpreter.clear()
            case Say(text, event_id):
                self._say(text, event_id)
            case Ping(event_id):
                self._events.emit(PongEvent(event_id))

    def close(self) -> None:
        """Stop the timer of a release."""
        self._push_to_talk.close()

    def _update(self, patch: SessionPatch, event_id: str | None) -> None:
        try:
            self._settings.change(patch)
        except UnsupportedPair as error:
            self._events.refuse(error, event_id)
        else:
            self._events.emit(SessionUpdated(self._settings.info()))

    def _say(self, text: str, event_id: str | None) -> None:
        try:
            phrase = self._services.phrase(text, self._interpreter.direction)
        except BadEvent as error:
            self._events.refuse(error, event_id)
        else:
            self._interpreter.say(phrase.text, phrase.translation)
