"""Transports: each turns one client's connection into PCM in, and PCM and events out.

In come an SDP offer and datagrams, or the messages of a WebSocket; out go calls to a
`TransportObserver`: connected, PCM, client event, closed. The way back is its `next_frame`, asked
for at each tick, and `Transport.send_message`.

Read `transport_api` first: the interface that sessions see. `webrtc` is the peer connection: `sdp`
and `answer` negotiate, `stack` holds ICE, DTLS and SCTP (`guard` sees each datagram first),
`media_path` leads from SRTP to `media`. `websocket` carries the same over TCP, and `channel` the
events.

aiortc and aioice are imported here and nowhere else. Nothing here knows sessions, rooms or engines,
and no datagram may raise beyond the guard or cost more than its limits allow.
"""
