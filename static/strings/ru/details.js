/** Words of the details panel, in Russian. */
export const words = {
  path: {
    udp: "WebRTC, UDP",
    tcp: "WebRTC, TCP",
    relay: "WebRTC, через ретранслятор",
    websocket: "WebSocket",
  },

  detail: {
    connection: "Соединение",
    delay: "От речи до речи",
    earVoice: "Отставание от речи",
    delayEnd: "· замечен конец фразы",
    delayTranslation: "· переведено",
    delayVoice: "· начат голос",
    waiting: "Ждёт озвучивания",
    dropped: "Отброшено",
    roundTrip: "Путь туда и обратно",
    lossUp: "Потери туда",
    lossDown: "Потери обратно",
    jitter: "Джиттер",
  },
};
