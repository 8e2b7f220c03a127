"""Sessions over a WebSocket: audio and events in one ordered stream over TCP.

For networks without UDP, for scripts, and for clients of OpenAI's Realtime Translations API. Input:
messages of a `Socket`. Output: PCM and events to the session, and audio and events as messages.

Read `transport` first: four tasks, each with one job; it also sends pings. `forms` defines a
message; `plain` (raw PCM) and `translations` (base64 in JSON) are the two forms. `inbox` holds
messages that were read ahead and paces them, `pcm_check` recognises audio of a wrong form.

No HTTP library here: `signaling` implements the interface `socket_port`.
"""
