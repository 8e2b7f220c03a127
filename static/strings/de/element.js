/** Words of `<speech-translate>`, in German. */
export const words = {
  element: {
    start: "Dolmetschen starten",
    stop: "Stopp",
    captions: "Untertitel",
    opening: "Warte auf den Ton …",
    connecting: "Verbinde …",
    waiting: "Der Dolmetscher ist voll. Platz in der Warteschlange: {position}",
    live: "Höre zu",
    reconnecting: "Verbindung verloren, neuer Versuch …",
    finishing: "Der letzte Satz wird beendet …",
    closed: "Beendet",
    limit: "Die Zeit der Sitzung ist um. Starten Sie erneut, wenn es weitergehen soll.",
    refused: "Der Browser gibt den Ton nicht frei. Erlauben Sie ihn in der Adresszeile und starten Sie erneut.",
    silent: "Dieser Tab gibt keinen Ton. Wählen Sie ihn noch einmal und geben Sie seinen Ton mit frei.",
    ended: "Der Ton ist zu Ende.",
    unreachable: "Der Dolmetscher ist nicht erreichbar. Versuchen Sie es gleich noch einmal.",
    busy: "Der Dolmetscher ist voll. Versuchen Sie es gleich noch einmal.",
    unauthorized: "Diese Seite darf den Dolmetscher nicht benutzen. Fragen Sie den Betreiber.",
    not_understood: "Nicht verstanden",
    failed: "Nicht übersetzbar",
  },
};
