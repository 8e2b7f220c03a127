"""Engines of other processes and hosts: the engine server, and the pool that uses several.

A server (`server`) puts `AstService` or `TtsService` behind a connection: queue, fairness,
deadlines and restarts are theirs, shared by all media processes that connect. On the other side
`EnginePool` keeps a connection to each server, and `RemoteAst` and `RemoteTts` implement `AstPort`
and `TtsPort` over it: a session uses them like engines of its own process.

Read `messages` first: the fields of all messages; `frames` encodes and decodes them. `channel`
carries a frame; the WebSocket behind it belongs to `app`, so nothing here imports aiohttp. Nothing
here may be imported by a server that runs its engines itself.
"""
