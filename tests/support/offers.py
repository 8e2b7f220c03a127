"""SDP offers as browsers write them, shortened."""

import random

FINGERPRINT = ":".join(["AB"] * 32)

SESSION = """v=0
o=- 4611731400430051336 2 IN IP4 127.0.0.1
s=-
t=0 0
a=group:BUNDLE 0 1 2
a=extmap-allow-mixed
a=msid-semantic: WMS stream
"""

TRANSPORT = f"""a=ice-ufrag:4ZcD
a=ice-pwd:2/1muCWoOi3uLifh0NuRHlLP
a=ice-options:trickle
a=fingerprint:sha-256 {FINGERPRINT}
a=setup:actpass
"""

AUDIO = f"""m=audio 9 UDP/TLS/RTP/SAVPF 111 63 9 0 8 13 110 126
c=IN IP4 0.0.0.0
a=rtcp:9 IN IP4 0.0.0.0
a=candidate:1 1 udp 2122260223 192.0.2.33 51234 typ host generation 0 network-id 1
{TRANSPORT}a=mid:0
a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level
a=sendrecv
a=msid:stream track
a=rtcp-mux
a=rtpmap:111 opus/48000/2
a=rtcp-fb:111 transport-cc
a=fmtp:111 minptime=10;useinbandfec=1
a=rtpmap:63 red/48000/2
a=rtpmap:9 G722/8000
a=rtpmap:0 PCMU/8000
a=ssrc:1001 cname:abc
"""

VIDEO = f"""m=video 9 UDP/TLS/RTP/SAVPF 96 97
c=IN IP4 0.0.0.0
{TRANSPORT}a=mid:1
a=sendrecv
a=rtcp-mux
a=rtpmap:96 VP8/90000
"""

DATA = f"""m=application 9 UDP/DTLS/SCTP webrtc-datachannel
c=IN IP4 0.0.0.0
{TRANSPORT}a=mid:2
a=sctp-port:5000
a=max-message-size:262144
"""


def offer(*sections: str, session: str = SESSION) -> str:
    """Return an offer of these media sections, with the line ends of SDP."""
    return (session + "".join(sections)).replace("\n", "\r\n")


CHROME = offer(AUDIO, VIDEO, DATA)
"""Microphone, camera and a data channel."""
SENDONLY = AUDIO.replace("a=sendrecv", "a=sendonly")
RECVONLY = AUDIO.replace("a=sendrecv", "a=recvonly")
INACTIVE = AUDIO.replace("a=sendrecv", "a=inactive")
CANDIDATE = "a=candidate:2 1 udp 2122260223 192.0.2.44 51300 typ host\r\n"
TRICKLE = f"a=ice-ufrag:4ZcD\r\na=ice-pwd:2/1muCWoOi3uLifh0NuRHlLP\r\na=mid:0\r\n{CANDIDATE}"
RESTART = TRICKLE.replace("4ZcD", "NEWu").replace("2/1muCWoOi3uLifh0NuRHlLP", "n" * 24)


def sections(sdp: str) -> list[list[str]]:
    """Lines of each media section."""
    return [each.splitlines() for each in sdp.split("\r\nm=")[1:]]


def damaged(text: str, seed: int, times: int) -> str:
    """`text` with characters changed and lines dropped, repeated or swapped."""
    rng = random.Random(seed)
    lines = text.split("\r\n")
    for _ in range(times):
        i = rng.randrange(len(lines))
        match rng.randrange(5):
            case 0:
                del lines[i]
            case 1:
                lines.insert(rng.randrange(len(lines)), lines[i])
            case 2 if lines[i]:
                cut = rng.randrange(len(lines[i]))
                junk = rng.choice(["", "\x00", "-1", "99999999999999999999", "ÿ", ":", " ", "\n"])
                lines[i] = lines[i][:cut] + junk + lines[i][cut + 1 :]
            case 3:
                lines[i] = lines[i][: rng.randrange(len(lines[i]) + 1)]
            case _:
                j = rng.randrange(len(lines))
                lines[i], lines[j] = lines[j], lines[i]
        if not lines:
            return ""
    return "\r\n".join(lines)
