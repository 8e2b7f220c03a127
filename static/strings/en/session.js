/** Words of a session and its details panel, loaded with the first one, in English. */
export const words = {
  path: {
    udp: "WebRTC, UDP",
    tcp: "WebRTC, TCP",
    relay: "WebRTC, through a relay",
    websocket: "WebSocket",
  },

  detail: {
    connection: "Connection",
    delay: "Speech to speech",
    earVoice: "Behind the speaker",
    delayEnd: "· end of phrase noticed",
    delayTranslation: "· translated",
    delayVoice: "· voice begins",
    waiting: "Waiting to be spoken",
    dropped: "Dropped",
    roundTrip: "Round trip",
    lossUp: "Lost on the way there",
    lossDown: "Lost on the way back",
    jitter: "Jitter",
  },

  problem: {
    webrtc_missing: [
      "This browser has no WebRTC",
      "Open this page in a current Chrome, Edge, Firefox or Safari, and check that no extension switches WebRTC off.",
    ],
    microphone_refused: [
      "The microphone is not allowed",
      "Allow it for this page in the browser’s address bar, then try again.",
    ],
    microphone_missing: [
      "No microphone found",
      "Plug one in or switch it on, then try again.",
    ],
    microphone_busy: [
      "The microphone cannot be opened",
      "Another program may be using it. Close that program, then try again.",
    ],
    tab_refused: [
      "No tab was chosen",
      "Try again, choose a tab or the screen, and switch on the sharing of its sound.",
    ],
    tab_silent: [
      "The browser gave a picture but no sound",
      "Switch on the sharing of sound in the dialog. Some browsers give sound only for tabs, some for none: try Chrome or Edge.",
    ],
    file_missing: ["No file chosen", "Choose an audio or video file below, then start again."],
    source_ended: [
      "The sound went away",
      "The microphone was unplugged or the sharing was ended. Start again when it is back.",
    ],
    microphone_gone: [
      "The microphone went away",
      "The default microphone is used instead. Choose another one in the list below.",
    ],
    speaker_gone: [
      "The chosen loudspeaker went away",
      "The default device plays until it is back.",
    ],
    connect_failed: [
      "No sound connection to the server",
      "The page reaches the server, but audio does not: a firewall or VPN may block UDP. Try another network.",
    ],
    connection_lost: [
      "The connection was lost",
      "The network between you and the server failed. Your captions are kept. Start again when it is back.",
    ],
    server_gone: [
      "The server has gone away",
      "It was stopped or is restarting. Your captions are kept. Start again in a moment.",
    ],
    session_ended: [
      "The server ended the session",
      "It may be restarting. Your captions are kept. Start again in a moment.",
    ],
    session_limit: [
      "The session’s time is up",
      "The server limits the time per session and per day. Your captions are kept. Start again to go on.",
    ],
    session_idle: [
      "The session ended, as nobody spoke",
      "Your captions are kept. Start again when you want to go on.",
    ],
    playback_blocked: [
      "The browser blocked the sound",
      "Press the button to hear the translation.",
    ],
    own_voice: [
      "The microphone hears the translation",
      "What it hears of it is not translated again. Use headphones, or turn the sound down.",
    ],
    engine_slow: [
      "The translation is late",
      "The server is busy with it. Go on speaking: it comes as soon as it is ready.",
    ],
    no_pause: [
      "No pause is heard",
      "Perhaps because of other voices nearby. Hold a button while you speak: it marks where a sentence ends.",
    ],
    slow_network: [
      "The network is slow",
      "Part of what was said could not be sent. Move closer to the router, or try another network.",
    ],
    replay_incomplete: [
      "Some captions are missing here",
      "You were away for so long that the server did not send them again.",
    ],
    notice: ["A message from the server", ""],
    expiring: [
      "The conversation will end soon",
      "Its time on this server is nearly up. Finish your sentence, then start again.",
    ],
    expiring_idle: [
      "Nobody has spoken for a long time",
      "The session ends within a minute. Say something to keep it.",
    ],
  },
};
