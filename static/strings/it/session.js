/** Words of a session and its details panel, loaded with the first one, in Italian. */
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

  problem: {
    webrtc_missing: [
      "Questo browser non ha WebRTC",
      "Apri la pagina in un Chrome, Edge, Firefox o Safari aggiornato e verifica che nessuna estensione disattivi WebRTC.",
    ],
    microphone_refused: [
      "Il microfono non è consentito",
      "Consentilo per questa pagina nella barra degli indirizzi, poi riprova.",
    ],
    microphone_missing: ["Nessun microfono trovato", "Collegane o accendine uno, poi riprova."],
    microphone_busy: [
      "Il microfono non si apre",
      "Forse lo usa un altro programma. Chiudilo e riprova.",
    ],
    tab_refused: [
      "Nessuna scheda scelta",
      "Riprova: scegli una scheda o lo schermo e attiva la condivisione dell’audio.",
    ],
    tab_silent: [
      "Il browser ha dato l’immagine ma non il suono",
      "Attiva la condivisione dell’audio nella finestra. Alcuni browser danno solo quello delle schede, altri nessuno: prova Chrome o Edge.",
    ],
    file_missing: ["Nessun file scelto", "Scegli qui sotto un file audio o video e avvia di nuovo."],
    source_ended: [
      "Il suono è sparito",
      "Il microfono è stato scollegato o la condivisione fermata. Avvia di nuovo quando torna.",
    ],
    microphone_gone: [
      "Il microfono è sparito",
      "Al suo posto ascolta quello predefinito. Puoi sceglierne un altro nell’elenco qui sotto.",
    ],
    speaker_gone: [
      "L’altoparlante scelto è sparito",
      "Finché non torna suona il dispositivo predefinito.",
    ],
    connect_failed: [
      "Il suono non arriva al server",
      "La pagina lo raggiunge, il suono no: forse un firewall o una VPN blocca UDP. Prova un’altra rete.",
    ],
    connection_lost: [
      "La connessione è persa",
      "La rete tra te e il server è caduta. I sottotitoli restano. Avvia di nuovo quando torna.",
    ],
    server_gone: [
      "Il server non c’è più",
      "È stato fermato o si sta riavviando. I sottotitoli restano. Avvia di nuovo tra un momento.",
    ],
    session_ended: [
      "Il server ha chiuso la sessione",
      "Forse si sta riavviando. I sottotitoli restano. Avvia di nuovo tra un momento.",
    ],
    session_limit: [
      "Il tempo della sessione è scaduto",
      "Il server limita il tempo per sessione e per giorno. I sottotitoli restano. Avvia di nuovo per continuare.",
    ],
    session_idle: [
      "La sessione è finita: nessuno parlava",
      "I sottotitoli restano. Avvia di nuovo quando vuoi continuare.",
    ],
    playback_blocked: ["Il browser ha bloccato il suono", "Premi il pulsante per sentire la traduzione."],
    own_voice: [
      "Il microfono sente la traduzione",
      "Ciò che ne sente non viene tradotto di nuovo. Usa le cuffie o abbassa il volume.",
    ],
    engine_slow: [
      "La traduzione è in ritardo",
      "Il server ci sta lavorando. Continua a parlare: arriva appena è pronta.",
    ],
    no_pause: [
      "Non si sentono pause",
      "Forse per le voci intorno. Tieni premuto un tasto mentre parli: segna dove finisce la frase.",
    ],
    slow_network: [
      "La rete è lenta",
      "Parte di ciò che hai detto non è partita. Avvicinati al router o prova un’altra rete.",
    ],
    replay_incomplete: [
      "Qui mancano dei sottotitoli",
      "L’assenza è stata così lunga che il server non li ha inviati di nuovo.",
    ],
    notice: ["Il server segnala un problema", "La conversazione continua."],
    expiring: [
      "La conversazione sta per finire",
      "Il suo tempo su questo server è quasi scaduto. Finisci la frase e avvia di nuovo.",
    ],
    expiring_idle: [
      "Nessuno parla da molto",
      "La sessione finisce tra un minuto. Di’ qualcosa per mantenerla.",
    ],
  },
};
