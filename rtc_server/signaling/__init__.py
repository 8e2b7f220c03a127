"""HTTP: calls, WHIP and WHEP, WebSockets, catalogue, health and the pages. See docs/protocol.md.

Input: requests. Output: answers, and calls to the interfaces `Calls` and `Rooms` of the layers
below. Errors become problem JSON in `problems`, with the `status` of their class in
`rtc_server.errors`.

Read `route_table` first: each route with its access and its handler; `http_app` builds the handlers
and the middlewares. `auth` decides who may do what (keys in `key_ring`, tokens in `secret_signer`,
pages in `origins`). `calls`, `peers` (with `whip` and `whep`), `rooms`, `websocket`,
`client_secrets`, `info` and `page` each hold the handlers of their paths; `bodies` reads requests,
`negotiation` answers offers. The fields of all JSON are in `request_bodies` (with their limits,
such as the life of a client secret) and `response_bodies`, of which `api_schemas` makes the
components of docs/openapi.yaml.

aiohttp is imported here and in `app` only. No media and no engine here; no token, SDP or session id
in the log.
"""
