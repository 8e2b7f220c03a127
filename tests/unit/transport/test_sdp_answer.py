"""The answer, read line by line and by aiortc's parser."""

from aiortc.sdp import SessionDescription

from rtc_server.transport.answer import LocalEnd, write_answer
from rtc_server.transport.sdp import parse_offer
from tests.support.offers import AUDIO, DATA, FINGERPRINT, VIDEO, offer

LOCAL = LocalEnd(
    session_id=7,
    ufrag="srvr",
    pwd="p" * 22,
    fingerprint=FINGERPRINT,
    setup="active",
    candidates=[
        "f1 1 udp 2130706431 192.0.2.1 40000 typ host",
        "f2 1 udp 2130706430 2001:db8::7 40001 typ host",
    ],
    ssrc=4242,
    cname="canonical",
    stream_id="stream",
    track_id="track",
)


def answer(*sections: str) -> str:
    return write_answer(parse_offer(offer(*sections)), LOCAL)


def sections(text: str) -> list[list[str]]:
    """The lines of each media section."""
    return [("m=" + part).splitlines() for part in text.split("m=")[1:]]


def test_every_section_is_answered_in_order_and_video_is_rejected() -> None:
    text = answer(VIDEO, AUDIO, DATA)
    parsed = SessionDescription.parse(text)
    assert [(each.kind, each.port) for each in parsed.media] == [
        ("video", 0),
        ("audio", 9),
        ("application", 9),
    ]
    assert "a=group:BUNDLE 0 2" in text.splitlines()
    assert text.endswith("\r\n")


def test_opus_with_its_parameters_and_one_multiplexed_port() -> None:
    audio = sections(answer(AUDIO))[0]
    assert audio[0] == "m=audio 9 UDP/TLS/RTP/SAVPF 111"
    for line in (
        "a=rtpmap:111 opus/48000/2",
        "a=rtcp-mux",
        "a=rtcp-mux-only",
        "a=sendrecv",
        "a=msid:stream track",
        "a=setup:active",
        f"a=fingerprint:sha-256 {FINGERPRINT}",
    ):
        assert line in audio
    parameters = next(line for line in audio if line.startswith("a=fmtp:111 "))
    for parameter in ("useinbandfec=1", "stereo=0", "maxaveragebitrate="):
        assert parameter in parameters


def test_the_whole_candidate_list_stands_in_the_first_accepted_section() -> None:
    video, data, audio = sections(answer(VIDEO, DATA, AUDIO))
    candidates = [f"a=candidate:{each}" for each in LOCAL.candidates]
    assert [line for line in data if line.startswith("a=candidate")] == candidates
    assert "a=end-of-candidates" in data
    assert not any("candidate" in line for line in [*video, *audio])


def test_directions_are_the_offers_reversed() -> None:
    microphone = AUDIO.replace("a=sendrecv", "a=sendonly")
    speaker = AUDIO.replace("a=sendrecv", "a=recvonly").replace("a=mid:0", "a=mid:1")
    first, second = sections(answer(microphone, speaker))
    assert "a=recvonly" in first
    assert not any("msid" in line for line in first)
    assert "a=sendonly" in second
    assert "a=msid:stream track" in second
