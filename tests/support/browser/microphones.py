"""Two microphones that a test gives a page, and takes away."""

USUAL_HZ, OTHER_HZ = 700, 1500
MICROPHONES = """(() => {
  const devices = navigator.mediaDevices;
  if (!devices) return; // a blank page has none
  window.tracks = [];
  window.allowed = Promise.resolve();
  const other = { kind: "audioinput", deviceId: "other", label: "Other" };
  devices.enumerateDevices = async () => [other];
  devices.getUserMedia = async ({ audio }) => {
    const context = new AudioContext();
    const speech = context.createMediaStreamDestination();
    const frequency = audio.deviceId ? OTHER_HZ : USUAL_HZ;
    const tone = new OscillatorNode(context, { frequency });
    tone.connect(speech);
    tone.start();
    const [track] = speech.stream.getAudioTracks();
    track.getSettings = () => ({ deviceId: audio.deviceId?.exact ?? "usual" });
    tracks.push(track);
    if (!audio.deviceId) await allowed;
    return speech.stream;
  };
})();""".replace("OTHER_HZ", str(OTHER_HZ)).replace("USUAL_HZ", str(USUAL_HZ))
"""Two microphones, each with a tone of its own; the usual one opens when `allowed` resolves."""
HOLD_USUAL = "allowed = new Promise((allow) => (window.allow = allow));"
REFUSE_USUAL = "allowed = new Promise((_, refuse) => (window.refuse = refuse));"
REFUSED = "refuse(new DOMException('', 'NotAllowedError'))"
"""Script that refuses the usual one, which `REFUSE_USUAL` has kept waiting."""
UNPLUG = """() => {
  tracks[0].stop();
  tracks[0].dispatchEvent(new Event("ended"));
}"""
LIVE_TRACKS = "tracks.filter(({ readyState }) => readyState === 'live').length"
