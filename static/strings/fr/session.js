/** Words of a session and its details panel, loaded with the first one, in French. */
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

  problem: {
    webrtc_missing: [
      "Ce navigateur n’a pas WebRTC",
      "Ouvrez la page dans un Chrome, Edge, Firefox ou Safari récent et vérifiez qu’aucune extension ne désactive WebRTC.",
    ],
    microphone_refused: [
      "Le micro n’est pas autorisé",
      "Autorisez-le pour cette page dans la barre d’adresse, puis réessayez.",
    ],
    microphone_missing: ["Aucun micro trouvé", "Branchez-en un ou allumez-le, puis réessayez."],
    microphone_busy: [
      "Impossible d’ouvrir le micro",
      "Un autre programme l’utilise peut-être. Fermez-le, puis réessayez.",
    ],
    tab_refused: [
      "Aucun onglet choisi",
      "Réessayez : choisissez un onglet ou l’écran et activez le partage du son.",
    ],
    tab_silent: [
      "Le navigateur a donné une image sans son",
      "Activez le partage du son dans la fenêtre. Certains navigateurs ne donnent que le son des onglets, d’autres aucun : essayez Chrome ou Edge.",
    ],
    file_missing: ["Aucun fichier choisi", "Choisissez un fichier audio ou vidéo en bas, puis recommencez."],
    source_ended: [
      "Le son a disparu",
      "Le micro a été débranché ou le partage arrêté. Recommencez quand il sera revenu.",
    ],
    microphone_gone: [
      "Le micro a disparu",
      "Le micro par défaut le remplace. Vous pouvez en choisir un autre dans la liste en bas.",
    ],
    speaker_gone: [
      "Le haut-parleur choisi a disparu",
      "L’appareil par défaut le remplace jusqu’à son retour.",
    ],
    connect_failed: [
      "Le son n’atteint pas le serveur",
      "La page l’atteint, mais pas le son : un pare-feu ou un VPN bloque peut-être UDP. Essayez un autre réseau.",
    ],
    connection_lost: [
      "La connexion est perdue",
      "Le réseau entre vous et le serveur a lâché. Vos sous-titres sont gardés. Recommencez quand il sera rétabli.",
    ],
    server_gone: [
      "Le serveur a disparu",
      "Il a été arrêté ou redémarre. Vos sous-titres sont gardés. Recommencez dans un instant.",
    ],
    session_ended: [
      "Le serveur a mis fin à la session",
      "Il redémarre peut-être. Vos sous-titres sont gardés. Recommencez dans un instant.",
    ],
    session_limit: [
      "Le temps de la session est écoulé",
      "Le serveur limite le temps par session et par jour. Vos sous-titres sont gardés. Recommencez pour continuer.",
    ],
    session_idle: [
      "La session est finie : personne ne parlait",
      "Vos sous-titres sont gardés. Recommencez quand vous voudrez continuer.",
    ],
    playback_blocked: ["Le navigateur a bloqué le son", "Appuyez sur le bouton pour entendre la traduction."],
    own_voice: [
      "Le micro entend la traduction",
      "Ce qu’il en entend n’est pas retraduit. Prenez un casque ou baissez le son.",
    ],
    engine_slow: [
      "La traduction tarde",
      "Le serveur y travaille. Continuez à parler : elle vient dès qu’elle est prête.",
    ],
    no_pause: [
      "On n’entend aucune pause",
      "Peut-être à cause de voix autour. Tenez un bouton en parlant : il marque où finit la phrase.",
    ],
    slow_network: [
      "Le réseau est lent",
      "Une partie de vos paroles n’a pas pu partir. Rapprochez-vous du routeur ou changez de réseau.",
    ],
    replay_incomplete: [
      "Il manque des sous-titres ici",
      "Votre absence a été si longue que le serveur ne les a pas renvoyés.",
    ],
    notice: ["Le serveur signale un problème", "La conversation continue."],
    expiring: [
      "La conversation va bientôt finir",
      "Son temps sur ce serveur est presque écoulé. Finissez votre phrase, puis recommencez.",
    ],
    expiring_idle: [
      "Personne n’a parlé depuis longtemps",
      "La session finit dans une minute. Dites quelque chose pour la garder.",
    ],
  },
};
