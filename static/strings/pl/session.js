/** Words of a session and its details panel, loaded with the first one, in Polish. */
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

  problem: {
    webrtc_missing: [
      "Ta przeglądarka nie ma WebRTC",
      "Otwórz stronę w aktualnym Chrome, Edge, Firefox lub Safari i sprawdź, czy żadne rozszerzenie nie wyłącza WebRTC.",
    ],
    microphone_refused: [
      "Mikrofon nie jest dozwolony",
      "Zezwól na niego dla tej strony na pasku adresu przeglądarki i spróbuj ponownie.",
    ],
    microphone_missing: ["Nie znaleziono mikrofonu", "Podłącz go lub włącz i spróbuj ponownie."],
    microphone_busy: [
      "Nie można otworzyć mikrofonu",
      "Być może używa go inny program. Zamknij go i spróbuj ponownie.",
    ],
    tab_refused: [
      "Nie wybrano karty",
      "Spróbuj ponownie: wybierz kartę lub ekran i włącz udostępnianie dźwięku.",
    ],
    tab_silent: [
      "Przeglądarka dała obraz bez dźwięku",
      "Włącz w oknie udostępnianie dźwięku. Niektóre przeglądarki dają tylko dźwięk kart, inne żadnego: spróbuj Chrome lub Edge.",
    ],
    file_missing: ["Nie wybrano pliku", "Wybierz poniżej plik audio lub wideo i zacznij ponownie."],
    source_ended: [
      "Dźwięk zniknął",
      "Mikrofon odłączono lub zakończono udostępnianie. Zacznij ponownie, gdy wróci.",
    ],
    microphone_gone: [
      "Mikrofon zniknął",
      "Zamiast niego słucha mikrofon domyślny. Inny można wybrać na liście poniżej.",
    ],
    speaker_gone: [
      "Wybrany głośnik zniknął",
      "Dopóki nie wróci, gra urządzenie domyślne.",
    ],
    connect_failed: [
      "Dźwięk nie dociera do serwera",
      "Strona widzi serwer, ale dźwięk nie przechodzi: UDP może blokować zapora lub VPN. Spróbuj innej sieci.",
    ],
    connection_lost: [
      "Utracono połączenie",
      "Zerwała się sieć między Tobą a serwerem. Napisy są zachowane. Zacznij ponownie, gdy wróci.",
    ],
    server_gone: [
      "Serwer zniknął",
      "Zatrzymano go lub uruchamia się ponownie. Napisy są zachowane. Zacznij ponownie za chwilę.",
    ],
    session_ended: [
      "Serwer zakończył sesję",
      "Być może uruchamia się ponownie. Napisy są zachowane. Zacznij ponownie za chwilę.",
    ],
    session_limit: [
      "Czas sesji się skończył",
      "Serwer ogranicza czas jednej sesji i całego dnia. Napisy są zachowane. Zacznij ponownie, aby kontynuować.",
    ],
    session_idle: [
      "Sesja się skończyła: nikt nie mówił",
      "Napisy są zachowane. Zacznij ponownie, gdy zechcesz kontynuować.",
    ],
    playback_blocked: ["Przeglądarka zablokowała dźwięk", "Naciśnij przycisk, aby usłyszeć tłumaczenie."],
    own_voice: [
      "Mikrofon słyszy tłumaczenie",
      "To, co z niego słyszy, nie jest tłumaczone drugi raz. Użyj słuchawek lub ścisz dźwięk.",
    ],
    engine_slow: [
      "Tłumaczenie się spóźnia",
      "Serwer nad nim pracuje. Mów dalej: nadejdzie, gdy tylko będzie gotowe.",
    ],
    no_pause: [
      "Nie słychać przerw",
      "Może przez głosy wokół. Trzymaj przycisk, gdy mówisz: wskaże, gdzie kończy się zdanie.",
    ],
    slow_network: [
      "Sieć jest wolna",
      "Części wypowiedzi nie udało się wysłać. Podejdź bliżej routera lub zmień sieć.",
    ],
    replay_incomplete: [
      "Brakuje tu części napisów",
      "Przerwa była tak długa, że serwer nie wysłał ich ponownie.",
    ],
    notice: ["Serwer zgłasza problem", "Rozmowa trwa dalej."],
    expiring: [
      "Rozmowa wkrótce się skończy",
      "Jej czas na tym serwerze prawie minął. Dokończ zdanie i zacznij ponownie.",
    ],
    expiring_idle: [
      "Od dawna nikt nie mówi",
      "Sesja skończy się w ciągu minuty. Powiedz coś, aby ją przedłużyć.",
    ],
  },
};
