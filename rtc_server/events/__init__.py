"""Typed client and server events, and their JSON. The wire is described in docs/protocol.md."""
