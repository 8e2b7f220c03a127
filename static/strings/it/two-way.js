/** Words of two people's halves, in Italian. */
export const words = {
  sideLanguage: "Lingua di questo lato",
  turnAround: "Capovolgi la metà di fronte",
  turnTalk: "Tieni premuto o tocca",
  turnConnecting: "Connessione…",
  turnTalking: "Ascolto. Tocca per finire",
  turnInvite: "Tieni premuto il pulsante mentre parli, o toccalo prima e dopo.",
  turnTheirs: "Parla l’altro lato…",
};
