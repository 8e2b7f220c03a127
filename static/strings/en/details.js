/** Words of the details panel, in English. */
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
};
