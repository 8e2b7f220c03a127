/** Words of `<speech-translate>`, in Italian. */
export const words = {
  element: {
    start: "Avvia l’interprete",
    stop: "Ferma",
    captions: "Sottotitoli",
    opening: "In attesa del suono…",
    connecting: "Connessione…",
    waiting: "L’interprete è al completo. Posto in coda: {position}",
    live: "In ascolto",
    reconnecting: "Connessione persa, riprovo…",
    finishing: "Finisco l’ultima frase…",
    closed: "Fermato",
    limit: "Il tempo della sessione è scaduto. Avvia di nuovo per continuare.",
    refused: "Il browser non dà il suono. Consentilo nella barra degli indirizzi e avvia di nuovo.",
    silent: "Quella scheda non dà suono. Sceglila di nuovo condividendone l’audio.",
    ended: "Il suono è finito.",
    unreachable: "L’interprete non è raggiungibile. Riprova tra un momento.",
    busy: "L’interprete è al completo. Riprova tra un momento.",
    unauthorized: "Questa pagina non può usare l’interprete. Chiedi a chi lo gestisce.",
    not_understood: "Non capito",
    failed: "Traduzione non riuscita",
  },
};
