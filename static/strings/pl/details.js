/** Words of the details panel, in Polish. */
export const words = {
  path: {
    udp: "WebRTC, UDP",
    tcp: "WebRTC, TCP",
    relay: "WebRTC, przez przekaźnik",
    websocket: "WebSocket",
  },

  detail: {
    connection: "Połączenie",
    delay: "Od mowy do mowy",
    earVoice: "Opóźnienie za mówiącym",
    delayEnd: "· wykryto koniec zdania",
    delayTranslation: "· przetłumaczono",
    delayVoice: "· zaczyna się głos",
    waiting: "Czeka na głos",
    dropped: "Odrzucone",
    roundTrip: "Tam i z powrotem",
    lossUp: "Straty w drodze tam",
    lossDown: "Straty w drodze powrotnej",
    jitter: "Wahania opóźnień",
  },
};
