"""A peer made of GStreamer's webrtcbin, run by the system's Python.

``gst_peer.py ROLE URL [--wav FILE] [--bundle POLICY] [--media LIST]`` offers the sections of the
list, in that order: ``audio``, ``video`` (VP8) and ``data``. A ``speaker`` sends (audio: the file),
a ``listener`` receives, a ``caller`` does both. It prints ``connected`` when it is, ``event`` for
each message on its data channel and ``heard`` while the sound it decodes is loud. Candidates are
gathered before the offer goes out.
"""

import argparse
import urllib.error
import urllib.request
from typing import Any

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstWebRTC", "1.0")
gi.require_version("GstSdp", "1.0")
gi.require_version("Nice", "0.1")
from gi.repository import GLib, Gst, GstSdp, GstWebRTC, Nice  # noqa: E402

LOUD_DB = -40.0
SOURCES = {
    "audio": "filesrc location={wav} ! wavparse ! audioconvert ! audioresample ! "
    "identity sync=true ! opusenc ! rtpopuspay pt=111",
    "video": "videotestsrc is-live=true ! video/x-raw,width=64,height=64,framerate=5/1 ! "
    "vp8enc deadline=1 ! rtpvp8pay pt=96",
}
CAPS = {
    "audio": "application/x-rtp,media=audio,encoding-name=OPUS,payload=111,clock-rate=48000",
    "video": "application/x-rtp,media=video,encoding-name=VP8,payload=96,clock-rate=90000",
}
DIRECTIONS = {
    "speaker": GstWebRTC.WebRTCRTPTransceiverDirection.SENDONLY,
    "listener": GstWebRTC.WebRTCRTPTransceiverDirection.RECVONLY,
    "caller": GstWebRTC.WebRTCRTPTransceiverDirection.SENDRECV,
}


class GstPeerProcess:
    """One webrtcbin with the elements around it."""

    def __init__(self, role: str, url: str, wav: str, bundle: str, media: list[str]) -> None:
        self.url = url
        self.loop = GLib.MainLoop()
        tracks = [kind for kind in media if kind != "data"]
        branches = [f"webrtcbin name=rtc bundle-policy={bundle}"]
        if role != "listener":
            branches += [
                f"{SOURCES[kind].format(wav=wav)} ! {CAPS[kind]} ! rtc." for kind in tracks
            ]
        self.pipe = Gst.parse_launch(" ".join(branches))
        if not isinstance(self.pipe, Gst.Pipeline):  # one element alone comes without
            element, self.pipe = self.pipe, Gst.Pipeline.new()
            self.pipe.add(element)
        self.rtc = self.pipe.get_by_name("rtc")
        for index, kind in enumerate(tracks):
            if role == "listener":
                stereo = ",encoding-params=(string)2" if kind == "audio" else ""
                caps = Gst.Caps.from_string(CAPS[kind] + stereo)
                self.rtc.emit("add-transceiver", DIRECTIONS[role], caps)
            else:
                transceiver = self.rtc.emit("get-transceiver", index)
                transceiver.set_property("direction", DIRECTIONS[role])
        self.rtc.connect("on-negotiation-needed", self.negotiate)
        self.rtc.connect("notify::ice-gathering-state", self.gathered)
        self.rtc.connect("notify::connection-state", self.connection)
        self.rtc.connect("pad-added", self.incoming)
        # Nothing leaves this machine, not even by its own other addresses.
        self.ice = self.rtc.get_property("ice-agent")  # kept: Python would free webrtcbin's own
        loopback = Nice.Address.new()
        loopback.set_from_string("127.0.0.1")
        self.ice.get_property("agent").add_local_address(loopback)
        self.has_data = "data" in media
        self.channel: Any = None
        bus = self.pipe.get_bus()
        bus.add_signal_watch()
        bus.connect("message", self.message)
        self.sent = False

    def run(self) -> None:
        self.pipe.set_state(Gst.State.READY)
        if self.has_data:  # before the offer: webrtcbin wants a state for it
            self.channel = self.rtc.emit("create-data-channel", "oai-events", None)
            self.channel.connect("on-message-string", lambda *_: print("event", flush=True))
        self.pipe.set_state(Gst.State.PLAYING)
        self.loop.run()
        self.pipe.set_state(Gst.State.NULL)

    def negotiate(self, _rtc: Any) -> None:
        self.rtc.emit("create-offer", None, Gst.Promise.new_with_change_func(self.offered))

    def offered(self, promise: Any) -> None:
        promise.wait()
        reply = promise.get_reply()  # kept: the offer lives in it
        self.rtc.emit("set-local-description", reply.get_value("offer"), None)

    def gathered(self, _rtc: Any, _state: Any) -> None:
        complete = GstWebRTC.WebRTCICEGatheringState.COMPLETE
        if self.rtc.get_property("ice-gathering-state") == complete and not self.sent:
            self.sent = True
            GLib.idle_add(self.exchange)

    def exchange(self) -> bool:
        text = self.rtc.get_property("local-description").sdp.as_text()
        headers = {"Content-Type": "application/sdp"}
        request = urllib.request.Request(self.url, text.encode(), headers, method="POST")
        try:
            with urllib.request.urlopen(request) as response:
                answer = response.read()
        except urllib.error.HTTPError as error:
            print("error", error.code, error.read().decode(), flush=True)
            return False
        _, sdp = GstSdp.SDPMessage.new()
        GstSdp.sdp_message_parse_buffer(answer, sdp)
        description = GstWebRTC.WebRTCSessionDescription.new(GstWebRTC.WebRTCSDPType.ANSWER, sdp)
        promise = Gst.Promise.new_with_change_func(self.answered)
        self.rtc.emit("set-remote-description", description, promise)
        return False

    def answered(self, promise: Any) -> None:
        reply = promise.get_reply()
        if reply is not None and reply.has_field("error"):
            print("error", reply.get_value("error"), flush=True)

    def connection(self, _rtc: Any, _state: Any) -> None:
        state = self.rtc.get_property("connection-state")
        if state == GstWebRTC.WebRTCPeerConnectionState.CONNECTED:
            print("connected", flush=True)

    def incoming(self, _rtc: Any, pad: Any) -> None:
        if pad.get_direction() != Gst.PadDirection.SRC:
            return
        ear = Gst.parse_bin_from_description(
            "rtpopusdepay ! opusdec ! audioconvert ! level interval=100000000 ! fakesink", True
        )
        self.pipe.add(ear)
        ear.sync_state_with_parent()
        pad.link(ear.get_static_pad("sink"))

    def message(self, _bus: Any, message: Any) -> None:
        if message.type == Gst.MessageType.ERROR:
            print("error", message.parse_error(), flush=True)
            self.loop.quit()
        structure = message.get_structure()
        is_level = structure is not None and structure.get_name() == "level"
        if is_level and max(structure.get_value("peak")) > LOUD_DB:
            print("heard", flush=True)


def main() -> None:
    """Run the peer that the command line asks for until it is killed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("role", choices=DIRECTIONS)
    parser.add_argument("url")
    parser.add_argument("--wav", default="")
    parser.add_argument("--bundle", default="max-bundle")
    parser.add_argument("--media", default="audio")
    given = parser.parse_args()
    Gst.init(None)
    GstPeerProcess(given.role, given.url, given.wav, given.bundle, given.media.split(",")).run()


if __name__ == "__main__":
    main()
