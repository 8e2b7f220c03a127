"""Sessions over a WebSocket: audio and events in one ordered stream over TCP.

For networks without UDP, for scripts, and for clients of OpenAI's Realtime Translations API. Input:
messages of a `Socket`. Output: PCM and events to the session; messages with audio and events to the
client.

Read `transport` first: four tasks, each with one job; it also sends pings. `forms` defines how a
message is read and written; `plain` (raw PCM) and `translations` (base64 in JSON) are the two
forms. `inbox` queues the messages that were read, `feed` passes them to the session no faster than
real time, and `pcm_check` recognises audio in a wrong format.

No HTTP library is used here: `signaling` implements the interface `socket_port`.
"""
