"""Sessions over a WebSocket: audio and events in one ordered stream over TCP.

For networks without UDP, for scripts, and for clients of OpenAI's Realtime Translations API. In
come messages of a `Socket`; out go PCM and events to the session, and audio and events as messages.

Read `transport` first: four tasks, each the owner of one thing; it pings, too. `forms` says what a
message is; `plain` (raw PCM) and `translations` (base64 in JSON) are the two forms. `inbox` holds
what was read ahead and paces it, `pcm_check` recognises audio of a wrong form.

Knows no HTTP library: `socket_port` is the interface that `signaling` implements.
"""
