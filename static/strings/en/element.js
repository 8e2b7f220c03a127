/** Words of `<speech-translate>`, in English. */
export const words = {
  element: {
    start: "Start interpreting",
    stop: "Stop",
    captions: "Captions",
    opening: "Waiting for the sound…",
    connecting: "Connecting…",
    waiting: "The interpreter is full. Your place in line: {position}",
    live: "Listening",
    reconnecting: "Connection lost, trying again…",
    finishing: "Finishing the last phrase…",
    closed: "Stopped",
    limit: "The session’s time is up. Start again to go on.",
    refused: "The browser does not give the sound. Allow it in the address bar, then start again.",
    silent: "That tab gives no sound. Choose it again with “share tab audio” ticked.",
    ended: "The sound ended.",
    unreachable: "The interpreter cannot be reached. Try again in a moment.",
    busy: "The interpreter is full. Try again in a moment.",
    unauthorized: "This page may not use the interpreter. Ask its administrator.",
    not_understood: "Not understood",
    failed: "Could not be translated",
  },
};
