/** Words of a session and its details panel, loaded with the first one, in German. */
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

  problem: {
    webrtc_missing: [
      "Diesem Browser fehlt WebRTC",
      "Öffnen Sie die Seite in einem aktuellen Chrome, Edge, Firefox oder Safari, und prüfen Sie, ob eine Erweiterung WebRTC abschaltet.",
    ],
    microphone_refused: [
      "Das Mikrofon ist nicht erlaubt",
      "Erlauben Sie es für diese Seite in der Adresszeile des Browsers und versuchen Sie es noch einmal.",
    ],
    microphone_missing: ["Kein Mikrofon gefunden", "Schließen Sie eines an und versuchen Sie es noch einmal."],
    microphone_busy: [
      "Das Mikrofon lässt sich nicht öffnen",
      "Vielleicht benutzt es ein anderes Programm. Schließen Sie dieses und versuchen Sie es noch einmal.",
    ],
    tab_refused: [
      "Kein Tab gewählt",
      "Versuchen Sie es noch einmal: Wählen Sie einen Tab oder den Bildschirm und geben Sie den Ton mit frei.",
    ],
    tab_silent: [
      "Der Browser gab ein Bild, aber keinen Ton",
      "Geben Sie im Dialog auch den Ton frei. Manche Browser geben nur den Ton von Tabs, manche gar keinen: Versuchen Sie Chrome oder Edge.",
    ],
    file_missing: ["Keine Datei gewählt", "Wählen Sie unten eine Audio- oder Videodatei und starten Sie noch einmal."],
    source_ended: [
      "Der Ton ist weg",
      "Das Mikrofon wurde abgezogen oder die Freigabe beendet. Starten Sie erneut, wenn er wieder da ist.",
    ],
    microphone_gone: [
      "Das Mikrofon ist weg",
      "Stattdessen hört das Standardmikrofon zu. Ein anderes können Sie unten in der Liste wählen.",
    ],
    speaker_gone: [
      "Der gewählte Lautsprecher ist weg",
      "Bis er wieder da ist, spielt das Standardgerät.",
    ],
    connect_failed: [
      "Keine Tonverbindung zum Server",
      "Die Seite erreicht den Server, der Ton nicht: Eine Firewall oder ein VPN sperrt vielleicht UDP. Versuchen Sie ein anderes Netz.",
    ],
    connection_lost: [
      "Die Verbindung ist verloren",
      "Das Netz zwischen Ihnen und dem Server brach ab. Ihre Untertitel sind noch da. Starten Sie erneut, wenn es wieder geht.",
    ],
    server_gone: [
      "Der Server ist weg",
      "Er wurde angehalten oder startet neu. Ihre Untertitel sind noch da. Starten Sie gleich noch einmal.",
    ],
    session_ended: [
      "Der Server hat die Sitzung beendet",
      "Vielleicht startet er neu. Ihre Untertitel sind noch da. Starten Sie gleich noch einmal.",
    ],
    session_limit: [
      "Die Zeit der Sitzung ist um",
      "Der Server begrenzt die Zeit je Sitzung und je Tag. Ihre Untertitel sind noch da. Starten Sie erneut, wenn es weitergehen soll.",
    ],
    session_idle: [
      "Die Sitzung ist beendet: Niemand sprach",
      "Ihre Untertitel sind noch da. Starten Sie erneut, wenn es weitergehen soll.",
    ],
    playback_blocked: ["Der Browser hat den Ton blockiert", "Drücken Sie die Taste, um die Übersetzung zu hören."],
    own_voice: [
      "Das Mikrofon hört die Übersetzung",
      "Das wird nicht noch einmal übersetzt. Nehmen Sie Kopfhörer oder stellen Sie leiser.",
    ],
    engine_slow: [
      "Die Übersetzung verspätet sich",
      "Der Server arbeitet daran. Sprechen Sie weiter: Sie kommt, sobald sie fertig ist.",
    ],
    no_pause: [
      "Keine Pause zu hören",
      "Vielleicht wegen Stimmen ringsum. Halten Sie beim Sprechen eine Taste: Sie zeigt, wo ein Satz endet.",
    ],
    slow_network: [
      "Das Netz ist langsam",
      "Ein Teil des Gesagten konnte nicht gesendet werden. Gehen Sie näher an den Router oder nehmen Sie ein anderes Netz.",
    ],
    replay_incomplete: [
      "Hier fehlen Untertitel",
      "Sie waren so lange weg, dass der Server sie nicht noch einmal geschickt hat.",
    ],
    notice: ["Der Server meldet ein Problem", "Das Gespräch geht weiter."],
    expiring: [
      "Das Gespräch endet bald",
      "Seine Zeit auf diesem Server ist fast um. Beenden Sie Ihren Satz und starten Sie erneut.",
    ],
    expiring_idle: [
      "Lange hat niemand gesprochen",
      "Die Sitzung endet in einer Minute. Sagen Sie etwas, damit sie bleibt.",
    ],
  },
};
