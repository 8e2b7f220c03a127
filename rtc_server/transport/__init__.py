"""Transports: each turns one client's connection into PCM in, and PCM and events out.

Input: an SDP offer and datagrams, or the messages of a WebSocket. Output: calls to a
`TransportObserver`: connected, PCM, client event, closed. In the other direction, each tick takes a
frame from its `next_frame`, and sessions call `Transport.send_message`.

Read `transport_api` first: the interface that sessions see. `webrtc` is the peer connection: `sdp`
and `answer` negotiate, `stack` holds ICE, DTLS and SCTP (`guard` sees each datagram first),
`media_path` leads from SRTP to `media`. `websocket` carries the same over TCP, and `channel` the
events. `transport_settings` has addresses, ports, STUN and TURN servers and the deadlines of a
connection.

aiortc and aioice are imported here and nowhere else. Nothing here knows sessions, rooms or engines,
and no datagram may raise beyond the guard or cost more than its limits allow.
"""
