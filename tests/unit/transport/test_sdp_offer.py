"""Acceptance of offers, and the sentences with which the others are refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtc_server.errors import BadOffer, PayloadTooLarge, RemoteError, TooManyTracks
from rtc_server.transport.sdp import Role, parse_fragment, parse_offer
from rtc_server.transport.sdp_lines import MAX_CANDIDATE_LINES, MAX_CANDIDATES
from tests.support.offers import AUDIO, CHROME, DATA, SESSION, TRANSPORT, VIDEO, damaged, offer


def test_a_browser_with_microphone_camera_and_channel() -> None:
    parsed = parse_offer(CHROME)
    assert [each.accepted for each in parsed.sections] == [True, False, True]
    assert parsed.incoming is parsed.outgoing is parsed.sections[0]
    assert parsed.incoming is not None and parsed.incoming.opus_payload_type == 111
    assert parsed.has_data
    assert (parsed.ufrag, parsed.pwd) == ("4ZcD", "2/1muCWoOi3uLifh0NuRHlLP")
    assert parsed.setup == "actpass"
    assert [each[0] for each in parsed.fingerprints] == ["sha-256"]
    assert parsed.max_message_bytes == 262144
    assert [(each.address, each.port) for each in parsed.candidates] == [("192.0.2.33", 51234)]


def test_any_order_of_sections() -> None:
    parsed = parse_offer(offer(DATA, VIDEO, AUDIO))
    assert [each.accepted for each in parsed.sections] == [True, False, True]
    assert parsed.incoming is parsed.sections[2]


def test_audio_alone_needs_no_bundle_group() -> None:
    session = SESSION.replace("a=group:BUNDLE 0 1 2\n", "")
    parsed = parse_offer(offer(AUDIO.replace("a=mid:0\n", ""), session=session))
    assert not parsed.has_data
    assert parsed.incoming is not None and parsed.incoming.mid == ""


def test_sending_and_receiving_in_two_sections() -> None:
    microphone = AUDIO.replace("a=sendrecv", "a=sendonly")
    speaker = AUDIO.replace("a=sendrecv", "a=recvonly").replace("a=mid:0", "a=mid:1")
    for sections, incoming in (((microphone, speaker), 0), ((speaker, microphone), 1)):
        parsed = parse_offer(offer(*sections))
        assert parsed.incoming is parsed.sections[incoming]
        assert parsed.outgoing is parsed.sections[1 - incoming]


def test_a_client_that_only_sends_gets_no_audio_back() -> None:
    assert parse_offer(offer(AUDIO.replace("a=sendrecv", "a=sendonly"))).outgoing is None


def test_credentials_and_fingerprint_may_stand_at_session_level() -> None:
    bare = AUDIO.replace(TRANSPORT, "")
    assert parse_offer(offer(bare, session=SESSION + TRANSPORT)).ufrag == "4ZcD"


def test_names_tcp_and_impossible_candidates_are_left_out() -> None:
    lines = [
        "1 1 udp 1 4dd41f9b-16a0-4d04-a4cb-8f1ed8f07fdd.local 50000 typ host",
        "1 1 tcp 1 192.0.2.1 9 typ host tcptype active",
        "1 2 udp 1 192.0.2.1 50000 typ host",
        "1 1 udp 1 192.0.2.1 53 typ host",
        "1 1 udp 1 192.0.2.1 70000 typ host",
        "1 1 udp 1 fe80::1%eth0 50000 typ host",
        "1 1 udp 1 192.0.2.1 50000 typ magic",
        "not a candidate",
        "1 1 UDP 1 2001:db8::1 50000 typ srflx raddr 0.0.0.0 rport 9",
    ]
    text = offer(AUDIO + "".join(f"a=candidate:{line}\n" for line in lines))
    assert [each.address for each in parse_offer(text).candidates] == ["192.0.2.33", "2001:db8::1"]


def test_candidates_without_number_are_no_reason_to_refuse() -> None:
    """Chromium with 16 bridges writes 126 lines: for UDP and TCP, audio, video and data."""

    def listed(port: int) -> str:
        return "".join(
            f"a=candidate:{bridge} 1 tcp {1518280447 - bridge} 172.16.{bridge}.1 9 typ host "
            f"tcptype active\n"
            f"a=candidate:{bridge} 1 udp {2122260223 - bridge} 172.16.{bridge}.1 {port} typ host\n"
            for bridge in range(21)
        )

    kept = parse_offer(
        offer(VIDEO + listed(52000), AUDIO + listed(51000), DATA + listed(53000))
    ).candidates
    # Those of the transport that goes on, not the same addresses with ports that are to close.
    assert {(each.address, each.port) for each in kept[1:]} == {
        (f"172.16.{bridge}.1", 51000) for bridge in range(MAX_CANDIDATES - 1)
    }


def test_work_on_candidates_is_bounded() -> None:
    tcp = "a=candidate:1 1 tcp 9 192.0.2.1 9 typ host tcptype active\n"
    udp = "".join(
        f"a=candidate:1 1 udp {i} 192.0.2.1 {10000 + i} typ host\n" for i in range(1, 500)
    )
    kept = parse_offer(offer(AUDIO + tcp * 500 + udp)).candidates
    read = MAX_CANDIDATE_LINES - 1  # one is the section's own
    assert [each.port for each in kept] == [51234, *(10000 + read - i for i in range(19))]


def test_a_bundle_that_begins_with_a_rejected_section_has_its_candidates_there() -> None:
    session = SESSION.replace("BUNDLE 0 1 2", "BUNDLE 2 0")
    bare = AUDIO.replace("a=candidate", "a=was-candidate")
    listed = DATA + "a=candidate:1 1 udp 7 192.0.2.7 50007 typ host\n"
    parsed = parse_offer(offer(listed, bare, session=session), Role.SPEAKER)
    assert [each.port for each in parsed.candidates] == [50007]


def test_candidates_of_a_transport_that_is_not_ours_are_left_out() -> None:
    session = SESSION.replace("a=group:BUNDLE 0 1 2\n", "")
    video = VIDEO.replace("4ZcD", "OthR") + "a=candidate:1 1 udp 7 192.0.2.7 50007 typ host\n"
    parsed = parse_offer(offer(video, AUDIO, session=session))
    assert [each.port for each in parsed.candidates] == [51234]
    bare = AUDIO.replace("a=candidate", "a=was-candidate")
    assert parse_offer(offer(video, bare, session=session)).candidates == ()


@pytest.mark.parametrize("end", [" ", "\t", "  \t "])
def test_white_space_at_the_end_of_lines_is_nothing(end: str) -> None:
    assert parse_offer(CHROME.replace("\r\n", f"{end}\r\n")) == parse_offer(CHROME)


def test_the_sessions_direction_goes_for_sections_without_one() -> None:
    bare = AUDIO.replace("a=sendrecv\n", "")
    sends = parse_offer(offer(bare, session=SESSION + "a=sendonly\n"))
    assert (sends.incoming, sends.outgoing) == (sends.sections[0], None)
    with pytest.raises(BadOffer, match="sends Opus"):
        parse_offer(offer(bare, session=SESSION + "a=inactive\n"))
    both = parse_offer(offer(AUDIO, session=SESSION + "a=inactive\n"))
    assert both.incoming is both.outgoing is both.sections[0]


LEGACY = DATA.replace("UDP/DTLS/SCTP webrtc-datachannel", "DTLS/SCTP 5001").replace(
    "a=sctp-port:5000", "a=sctpmap:5001 webrtc-datachannel 256"
)


def test_a_data_channel_as_drafts_had_it() -> None:
    parsed = parse_offer(offer(AUDIO, LEGACY))
    assert parsed.has_data and parsed.sctp_port == 5001
    for other in (LEGACY.replace("a=sctpmap:5001", "a=sctpmap:5002"), LEGACY.replace("5001", "x")):
        assert not parse_offer(offer(AUDIO, other)).has_data


def test_only_the_best_candidates_are_kept() -> None:
    lines = "".join(
        f"a=candidate:1 1 udp {1000 + i} 192.0.2.1 {50000 + i} typ host\n" for i in range(60)
    )
    kept = parse_offer(offer(AUDIO + lines)).candidates
    assert len(kept) == MAX_CANDIDATES
    assert kept[0].address == "192.0.2.33"
    assert [each.port for each in kept[1:3]] == [50059, 50058]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "no audio section"),
        ("hello", "not SDP"),
        ("\x00\x01\x02", "not SDP"),
        (offer(), "no audio section"),
        (offer(VIDEO), "no audio section"),
        (offer(DATA), "no audio section"),
        (offer(AUDIO.replace("a=sendrecv", "a=recvonly")), "sends Opus"),
        (offer(AUDIO.replace("a=sendrecv", "a=inactive")), "sends Opus"),
        (offer(AUDIO.replace("opus/48000/2", "speex/16000")), "sends Opus"),
        (offer(AUDIO.replace("m=audio 9", "m=audio 0")), "sends Opus"),
        (offer(AUDIO.replace("UDP/TLS/RTP/SAVPF", "RTP/AVP")), "sends Opus"),
        (offer(AUDIO.replace("m=audio 9 ", "m=audio nine ")), "malformed"),
        (offer(AUDIO, VIDEO.replace("SAVPF 96 97", "SAVPF \ud800")), "malformed"),
        (offer(AUDIO.replace("a=rtcp-mux\n", "")), "rtcp-mux"),
        (offer(AUDIO.replace("a=ice-ufrag:4ZcD\n", "")), "ice-ufrag"),
        (offer(AUDIO.replace("a=ice-ufrag:4ZcD", "a=ice-ufrag:a b c d")), "ice-ufrag"),
        (offer(AUDIO.replace("2/1muCWoOi3uLifh0NuRHlLP", "short")), "ice-pwd"),
        (offer(AUDIO.replace("sha-256 AB", "sha-256 XY")), "fingerprint"),
        (offer(AUDIO.replace("sha-256", "md5")), "fingerprint"),
        (offer(AUDIO.replace("actpass", "holdconn")), "setup"),
        (offer(AUDIO.replace("a=setup:actpass\n", "")), "setup"),
        (offer(AUDIO.replace("a=mid:0", "a=mid:0 1")), "mid"),
        (offer(AUDIO, DATA.replace("a=mid:2", "a=mid:0")), "BUNDLE"),
        (offer(AUDIO, DATA, session=SESSION.replace("BUNDLE 0 1 2", "BUNDLE 0")), "BUNDLE"),
        (offer(AUDIO, DATA.replace("sctp-port:5000", "sctp-port:x")), "sctp-port"),
        (offer(AUDIO, DATA.replace("262144", "-1")), "max-message-size"),
        (offer(AUDIO, *["m=video 0 RTP/AVP 0\n"] * 200), "media sections"),
    ],
)
def test_what_is_refused(text: str, sentence: str) -> None:
    with pytest.raises(BadOffer, match=sentence) as caught:
        parse_offer(text)
    assert str(caught.value).endswith((".", ")"))


@pytest.mark.parametrize("text", ["x" * 1_000_000, CHROME + "a=x\r\n" * 20_000, "я" * 40_000])
def test_what_is_too_large(text: str) -> None:
    with pytest.raises(PayloadTooLarge):
        parse_offer(text)


@given(st.text(max_size=2000))
def test_no_text_raises_anything_else(text: str) -> None:
    for parse in (parse_offer, parse_fragment):
        try:
            parse(text)
        except RemoteError as error:
            assert str(error)


@given(st.integers(0, 1 << 32), st.integers(1, 12))
def test_no_damaged_offer_raises_anything_else(seed: int, damage: int) -> None:
    try:
        parse_offer(damaged(CHROME, seed, damage))
    except RemoteError as error:
        assert str(error)


def test_a_trickle_fragment() -> None:
    fragment = parse_fragment(
        "a=ice-ufrag:4ZcD\r\na=ice-pwd:2/1muCWoOi3uLifh0NuRHlLP\r\n"
        "m=audio 9 RTP/AVP 0\r\na=mid:0\r\n"
        "a=candidate:1 1 udp 5 192.0.2.9 50001 typ host\r\n"
        "a=candidate:1 1 udp 5 x.local 50001 typ host\r\na=end-of-candidates\r\n"
    )
    assert fragment.ufrag == "4ZcD"
    assert [each.address for each in fragment.candidates] == ["192.0.2.9"]


def test_an_end_of_candidates_alone_is_a_fragment() -> None:
    assert parse_fragment("a=end-of-candidates\r\n").candidates == ()


@pytest.mark.parametrize("text", ["", "hello", "v=0\r\n", "a=ice-ufrag:!\r\n"])
def test_what_is_no_fragment(text: str) -> None:
    with pytest.raises(BadOffer):
        parse_fragment(text)


RECVONLY = AUDIO.replace("a=sendrecv", "a=recvonly")
SENDONLY = AUDIO.replace("a=sendrecv", "a=sendonly")


@pytest.mark.parametrize("audio", [AUDIO, SENDONLY])
def test_a_speaker_is_only_heard(audio: str) -> None:
    parsed = parse_offer(offer(audio, VIDEO, DATA), Role.SPEAKER)
    assert parsed.incoming is parsed.sections[0]
    assert parsed.outgoing is None
    assert [each.accepted for each in parsed.sections] == [True, False, False]


@pytest.mark.parametrize("audio", [AUDIO, RECVONLY])
def test_a_listener_only_hears(audio: str) -> None:
    parsed = parse_offer(offer(audio, VIDEO, DATA), Role.LISTENER)
    assert parsed.incoming is None
    assert parsed.outgoing is parsed.sections[0]
    assert [each.accepted for each in parsed.sections] == [True, False, True]


@pytest.mark.parametrize(("audio", "role"), [(RECVONLY, Role.SPEAKER), (SENDONLY, Role.LISTENER)])
def test_an_offer_of_the_wrong_direction_is_refused(audio: str, role: Role) -> None:
    with pytest.raises(BadOffer, match="no audio section that"):
        parse_offer(offer(audio), role)


@pytest.mark.parametrize("role", [Role.SPEAKER, Role.LISTENER])
def test_a_second_track_of_one_role_is_refused(role: Role) -> None:
    with pytest.raises(TooManyTracks) as refused:
        parse_offer(offer(AUDIO, AUDIO.replace("a=mid:0", "a=mid:1")), role)
    assert refused.value.status == 422
