/** Words of the details panel, in Italian. */
export const words = {
  path: {
    udp: "WebRTC, UDP",
    tcp: "WebRTC, TCP",
    relay: "WebRTC, tramite un relay",
    websocket: "WebSocket",
  },

  detail: {
    connection: "Connessione",
    delay: "Da voce a voce",
    earVoice: "Ritardo su chi parla",
    delayEnd: "· fine frase rilevata",
    delayTranslation: "· tradotto",
    delayVoice: "· inizia la voce",
    waiting: "In attesa della voce",
    dropped: "Scartati",
    roundTrip: "Andata e ritorno",
    lossUp: "Perdite all’andata",
    lossDown: "Perdite al ritorno",
    jitter: "Jitter",
  },
};
