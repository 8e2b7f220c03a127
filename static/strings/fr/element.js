/** Words of `<speech-translate>`, in French. */
export const words = {
  element: {
    start: "Démarrer l’interprète",
    stop: "Arrêter",
    captions: "Sous-titres",
    opening: "En attente du son…",
    connecting: "Connexion…",
    waiting: "L’interprète est complet. Place dans la file : {position}",
    live: "À l’écoute",
    reconnecting: "Connexion perdue, nouvel essai…",
    finishing: "Fin de la dernière phrase…",
    closed: "Arrêté",
    limit: "Le temps de la session est écoulé. Recommencez pour continuer.",
    refused: "Le navigateur refuse le son. Autorisez-le dans la barre d’adresse, puis recommencez.",
    silent: "Cet onglet ne donne aucun son. Choisissez-le encore en partageant son audio.",
    ended: "Le son est terminé.",
    unreachable: "L’interprète est injoignable. Réessayez dans un instant.",
    busy: "L’interprète est complet. Réessayez dans un instant.",
    unauthorized: "Cette page ne peut pas utiliser l’interprète. Demandez au responsable du serveur.",
    not_understood: "Pas compris",
    failed: "Traduction impossible",
  },
};
