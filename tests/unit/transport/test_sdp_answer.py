"""The answer, read line by line and by aiortc's parser."""

from aiortc.sdp import SessionDescription

from rtc_server.transport.answer import LocalEnd, write_answer
from rtc_server.transport.sdp import Role, parse_offer
from tests.support.offers import AUDIO, DATA, FINGERPRINT, SESSION, VIDEO, offer

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


def answer(*sections: str, session: str = SESSION, role: Role = Role.CALLER) -> str:
    return write_answer(parse_offer(offer(*sections, session=session), role), LOCAL)


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


TRANSPORT_LINES = [
    "a=ice-ufrag:srvr",
    f"a=ice-pwd:{'p' * 22}",
    f"a=fingerprint:sha-256 {FINGERPRINT}",
    "a=setup:active",
]


def test_a_rejected_section_says_all_that_strict_clients_look_for_in_it() -> None:
    text = answer(AUDIO, VIDEO + "a=rtpmap:97 rtx/90000\na=fmtp:97 apt=96\n", DATA)
    rejected = sections(text)[1]
    assert rejected == [
        "m=video 0 UDP/TLS/RTP/SAVPF 96 97",
        "c=IN IP4 0.0.0.0",
        "a=inactive",
        "a=rtpmap:96 VP8/90000",
        "a=rtpmap:97 rtx/90000",
        "a=mid:1",
        *TRANSPORT_LINES,
    ]
    [_, data] = sections(answer(AUDIO, DATA, role=Role.SPEAKER))
    assert data[0] == "m=application 0 UDP/DTLS/SCTP webrtc-datachannel"
    assert data[-4:] == TRANSPORT_LINES


def test_only_formats_of_the_section_are_echoed_each_once() -> None:
    strange = VIDEO + "a=rtpmap:96 H264/90000\na=rtpmap:98 VP9/90000\na=rtpmap:97 \x07/1\n"
    rejected = sections(answer(AUDIO, strange))[1]
    assert [line for line in rejected if "rtpmap" in line] == ["a=rtpmap:96 VP8/90000"]


def test_a_section_that_a_bundle_is_built_on_is_kept_without_media() -> None:
    bundle = SESSION.replace("BUNDLE 0 1 2", "BUNDLE 1 0")
    text = answer(VIDEO, AUDIO, session=bundle)
    video, audio = sections(text)
    assert "a=group:BUNDLE 1 0" in text.splitlines()
    assert video[0] == "m=video 9 UDP/TLS/RTP/SAVPF 96 97"
    assert {"a=inactive", "a=rtcp-mux", "a=rtpmap:96 VP8/90000", *TRANSPORT_LINES} <= set(video)
    assert any(line.startswith("a=candidate") for line in video)
    assert "a=sendrecv" in audio and not any(line.startswith("a=candidate") for line in audio)
    # Neither one that the offer itself rejects, nor one of another bundle.
    [video, _] = sections(answer(VIDEO.replace("video 9", "video 0"), AUDIO, session=bundle))
    assert video[0].startswith("m=video 0 ")
    alone = SESSION.replace("BUNDLE 0 1 2", "BUNDLE 1 2\na=group:BUNDLE 0")
    text = answer(VIDEO, AUDIO, session=alone)
    assert sections(text)[0][0].startswith("m=video 0 ")
    assert "a=group:BUNDLE 0" in text.splitlines()


def test_no_bundle_is_answered_where_none_was_offered() -> None:
    session = SESSION.replace("a=group:BUNDLE 0 1 2\n", "")
    assert "BUNDLE" not in answer(AUDIO, VIDEO, session=session)


def test_a_section_without_a_tag_is_rejected_without_one() -> None:
    session = SESSION.replace("a=group:BUNDLE 0 1 2\n", "")
    text = answer(AUDIO.replace("a=mid:0\n", ""), VIDEO.replace("a=mid:1\n", ""), session=session)
    assert "a=mid" not in text
    assert SessionDescription.parse(text).media[1].port == 0


def test_a_data_channel_of_the_drafts_is_answered_alike() -> None:
    legacy = DATA.replace("UDP/DTLS/SCTP webrtc-datachannel", "DTLS/SCTP 5001").replace(
        "a=sctp-port:5000", "a=sctpmap:5001 webrtc-datachannel 256"
    )
    data = sections(answer(AUDIO, legacy))[1]
    assert data[0] == "m=application 9 DTLS/SCTP 5000"
    assert "a=sctpmap:5000 webrtc-datachannel 1024" in data
