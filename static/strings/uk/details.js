/** Words of the details panel, in Ukrainian. */
export const words = {
  path: {
    udp: "WebRTC, UDP",
    tcp: "WebRTC, TCP",
    relay: "WebRTC, через ретранслятор",
    websocket: "WebSocket",
  },

  detail: {
    connection: "З’єднання",
    delay: "Від мовлення до мовлення",
    earVoice: "Відставання від мовця",
    delayEnd: "· помічено кінець фрази",
    delayTranslation: "· перекладено",
    delayVoice: "· почався голос",
    waiting: "Чекає на озвучення",
    dropped: "Відкинуто",
    roundTrip: "Шлях туди й назад",
    lossUp: "Втрати туди",
    lossDown: "Втрати назад",
    jitter: "Джитер",
  },
};
