"""Session: one speaker's stream, from admission to close.

In come a request of signaling (`session_api.Calls`: open, resume, close) and the callbacks of a
transport; out go PCM to the interpreter, its events and speech to the client, and a transcript.

Read `session` first: it owns every task of its stream and frees all when `Session.run` returns.
`manager` admits (`admission`, `quota`), keeps the registry and implements `session_api.Calls`.
`transport_binding` joins a session to its current transport, which may be replaced; `event_log`
replays what a client missed. `vad_batcher` runs voice activity detection for all sessions in one
call after the tick.

Nothing here knows HTTP, SDP or a model. A task, timer or subscription that a session starts ends
with it.
"""
