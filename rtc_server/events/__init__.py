"""Typed client and server events, and their JSON. docs/protocol.md describes the protocol.

Input: the text of a client's event, which `client.parse_client_event` checks and returns as a
frozen struct; it raises `BadEvent` with a sentence for the client (`faults`). Output: the JSON of a
server event, by `server.encode`.

Read `server` first: its structs are the protocol's fields, by name; `client` and `session_patch`
hold the client's. msgspec decodes, checks and encodes by them, and `schema` makes
docs/events.schema.json of them; a test says when the two differ.

Nothing here knows where events come from or go to, and nothing may change a name that a client
sees.
"""
