"""Sessions over a WebSocket: audio and events in one ordered stream over TCP.

For networks without UDP, for scripts, and for clients of OpenAI's Realtime Translations API. Knows
no HTTP library: `Socket` is what it asks of one.
"""
