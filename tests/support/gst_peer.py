"""A peer made of GStreamer's webrtcbin, run by the system's Python: ``gst_peer.py ROLE URL``.

As a ``speaker`` it sends a WAV file by WHIP; as a ``listener`` it receives by WHEP and prints
``heard`` while the decoded sound is loud. It prints ``connected`` when it is. Candidates are
gathered before the offer goes out.
"""

import sys
import urllib.request
from typing import Any

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstWebRTC", "1.0")
gi.require_version("GstSdp", "1.0")
gi.require_version("Nice", "0.1")
from gi.repository import GLib, Gst, GstSdp, GstWebRTC, Nice  # noqa: E402

LOUD_DB = -40.0
SPEAKS = (
    "webrtcbin name=rtc bundle-policy=max-bundle "
    "filesrc location={wav} ! wavparse ! audioconvert ! audioresample ! "
    "identity sync=true ! opusenc ! rtpopuspay pt=111 ! "
    "application/x-rtp,media=audio,encoding-name=OPUS,payload=111,clock-rate=48000 ! rtc."
)


class Peer:
    """One webrtcbin and what surrounds it."""

    def __init__(self, role: str, url: str, wav: str) -> None:
        self.role, self.url = role, url
        self.loop = GLib.MainLoop()
        if role == "speaker":
            self.pipe = Gst.parse_launch(SPEAKS.format(wav=wav))
            self.rtc = self.pipe.get_by_name("rtc")
            direction = GstWebRTC.WebRTCRTPTransceiverDirection.SENDONLY
            self.rtc.emit("get-transceiver", 0).set_property("direction", direction)
        else:
            self.pipe = Gst.Pipeline.new()
            self.rtc = Gst.ElementFactory.make("webrtcbin")
            self.rtc.set_property("bundle-policy", GstWebRTC.WebRTCBundlePolicy.MAX_BUNDLE)
            self.pipe.add(self.rtc)
            caps = Gst.Caps.from_string(
                "application/x-rtp,media=audio,encoding-name=OPUS,payload=111,clock-rate=48000,"
                "encoding-params=(string)2"
            )
            direction = GstWebRTC.WebRTCRTPTransceiverDirection.RECVONLY
            self.rtc.emit("add-transceiver", direction, caps)
            self.rtc.connect("pad-added", self.incoming)
        self.rtc.connect("on-negotiation-needed", self.negotiate)
        self.rtc.connect("notify::ice-gathering-state", self.gathered)
        self.rtc.connect("notify::connection-state", self.connection)
        # Nothing leaves this machine, not even by its own other addresses.
        self.ice = self.rtc.get_property("ice-agent")  # kept: Python would free webrtcbin's own
        loopback = Nice.Address.new()
        loopback.set_from_string("127.0.0.1")
        self.ice.get_property("agent").add_local_address(loopback)
        bus = self.pipe.get_bus()
        bus.add_signal_watch()
        bus.connect("message", self.message)
        self.sent = False

    def run(self) -> None:
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
        with urllib.request.urlopen(request) as response:
            answer = response.read()
        _, sdp = GstSdp.SDPMessage.new()
        GstSdp.sdp_message_parse_buffer(answer, sdp)
        description = GstWebRTC.WebRTCSessionDescription.new(GstWebRTC.WebRTCSDPType.ANSWER, sdp)
        self.rtc.emit("set-remote-description", description, None)
        return False

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


if __name__ == "__main__":
    Gst.init(None)
    Peer(sys.argv[1], sys.argv[2], sys.argv[3] if len(sys.argv) > 3 else "").run()
