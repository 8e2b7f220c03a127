/**
 * Stands in for the room of a conference library: the same events and the same objects that
 * `livekit-client` hands to an application, with this machine's microphone as its one participant.
 */
export class Room extends EventTarget {
  #participant = { identity: "anna", name: "Anna", metadata: JSON.stringify({ language: "ru" }) };
  /** @type {MediaStreamTrack|null} */ #track = null;

  /** As `livekit-client`'s: room.on("trackSubscribed", (track, publication, participant) => …). */
  on(type, listener) {
    this.addEventListener(type, ({ detail }) => listener(...detail));
    return this;
  }

  async connect() {
    const stream = await navigator.mediaDevices.getUserMedia({ audio: true });
    [this.#track] = stream.getAudioTracks();
    this.#tell("trackSubscribed");
  }

  disconnect() {
    this.#tell("trackUnsubscribed");
    this.#track.stop();
  }

  #tell(type) {
    const track = { kind: "audio", sid: "TR_anna", mediaStreamTrack: this.#track };
    this.dispatchEvent(new CustomEvent(type, { detail: [track, {}, this.#participant] }));
  }
}
