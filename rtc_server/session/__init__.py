"""Session: one speaker's stream, from admission to close.

Input: a request of signaling (`session_api.Calls`: open, resume, close) and the callbacks of a
transport. Output: PCM to the interpreter, its events and speech to the client, and a transcript.

Read `session` first: it owns every task of its stream and frees all when `Session.run` returns.
`manager` admits (`admission`, `place_limits`, `quota`, `waiting_line`), keeps the `registry` and
implements `session_api.Calls`; `place_limits.Turnover` estimates when a place will be free.
`client_connection` knows the present transport and waits for a client that was lost;
`transport_binding` joins the session to one transport. `event_stream` sends events, `event_log`
keeps those that a client may have missed; `client_requests` carries out the client's requests, and
`session_settings` holds its settings.
`expiry` is the rule by which a session ends at its limit, or after a time without speech, and
`time_limit` applies it. `vad_batcher` runs voice activity detection for all sessions in one call
after the tick.

Nothing here knows HTTP, SDP or a model. A task, timer or subscription that a session starts ends
with it.
"""
