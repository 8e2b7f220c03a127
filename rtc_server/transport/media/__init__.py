"""RTP and Opus without aiortc's media stack: pure objects fed packets and time."""
