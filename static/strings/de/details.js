/** Words of the details panel, in German. */
export const words = {
  path: {
    udp: "WebRTC, UDP",
    tcp: "WebRTC, TCP",
    relay: "WebRTC, über ein Relay",
    websocket: "WebSocket",
  },

  detail: {
    connection: "Verbindung",
    delay: "Von Sprache zu Sprache",
    earVoice: "Rückstand zum Sprecher",
    delayEnd: "· Satzende bemerkt",
    delayTranslation: "· übersetzt",
    delayVoice: "· Stimme beginnt",
    waiting: "Wartet auf die Stimme",
    dropped: "Verworfen",
    roundTrip: "Hin und zurück",
    lossUp: "Verluste hin",
    lossDown: "Verluste zurück",
    jitter: "Jitter",
  },
};
