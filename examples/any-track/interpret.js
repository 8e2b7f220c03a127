/**
 * The seam between a conference library and the interpreter: whoever is subscribed to is
 * interpreted, whoever leaves is not. With another library only the names of the events and the way
 * to the `MediaStreamTrack` differ: in lib-jitsi-meet it is
 * `conference.on(JitsiConferenceEvents.TRACK_ADDED, (track) => track.getTrack())`.
 *
 * @param {object} room  livekit-client's Room, or one like it
 * @param {object} interpreter
 * @param {typeof import("rtc-server-client").attachTranslation} interpreter.attach
 * @param {string} interpreter.url
 * @param {string} interpreter.language  what this person wants to hear
 * @param {(participant: object, translation: object) => void} interpreter.opened
 * @param {(participant: object) => void} interpreter.closed
 */
export function interpretRoom(room, { attach, url, language, opened, closed }) {
  const running = new Map();

  room.on("trackSubscribed", async (track, _publication, participant) => {
    const spoken = JSON.parse(participant.metadata).language;
    if (track.kind !== "audio" || spoken === language) return;
    const leaving = new AbortController();
    const options = { url, source: spoken, target: language, signal: leaving.signal };
    const translation = attach(track.mediaStreamTrack, options);
    running.set(track.sid, { translation, leaving });
    try {
      opened(participant, await translation);
    } catch (error) {
      running.delete(track.sid);
      if (error.name !== "AbortError") throw error;
    }
  });

  room.on("trackUnsubscribed", async (track, _publication, participant) => {
    const { translation, leaving } = running.get(track.sid) ?? {};
    if (!running.delete(track.sid)) return;
    leaving.abort();
    await translation.then((open) => open.stop({ drain: false })).catch(() => {});
    closed(participant);
  });
}
