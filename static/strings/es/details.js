/** Words of the details panel, in Spanish. */
export const words = {
  path: {
    udp: "WebRTC, UDP",
    tcp: "WebRTC, TCP",
    relay: "WebRTC, por un retransmisor",
    websocket: "WebSocket",
  },

  detail: {
    connection: "Conexión",
    delay: "De voz a voz",
    earVoice: "Retraso tras quien habla",
    delayEnd: "· fin de frase detectado",
    delayTranslation: "· traducido",
    delayVoice: "· empieza la voz",
    waiting: "Esperando la voz",
    dropped: "Descartados",
    roundTrip: "Ida y vuelta",
    lossUp: "Pérdidas de ida",
    lossDown: "Pérdidas de vuelta",
    jitter: "Fluctuación",
  },
};
