/** Words of the details panel, in French. */
export const words = {
  path: {
    udp: "WebRTC, UDP",
    tcp: "WebRTC, TCP",
    relay: "WebRTC, par un relais",
    websocket: "WebSocket",
  },

  detail: {
    connection: "Connexion",
    delay: "De la parole à la voix",
    earVoice: "Retard sur l’orateur",
    delayEnd: "· fin de phrase détectée",
    delayTranslation: "· traduit",
    delayVoice: "· début de la voix",
    waiting: "En attente de la voix",
    dropped: "Abandonnés",
    roundTrip: "Aller-retour",
    lossUp: "Pertes à l’aller",
    lossDown: "Pertes au retour",
    jitter: "Gigue",
  },
};
