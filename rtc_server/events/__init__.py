"""Typed client and server events, and their JSON. docs/protocol.md describes the protocol.

In comes the text of a client's event; `client.parse_client_event` checks it and returns a frozen
data class, or raises `BadEvent` with a sentence for the client. Out goes `server.encode` of a
server event.

Read `server` first: its data classes are the protocol's fields, by name. A field of a class is a
field of the JSON; docs/events.schema.json is kept beside them and a test compares the two.

Nothing here knows where events come from or go to, and nothing may change a name that a client
sees.
"""
