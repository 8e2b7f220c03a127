/** Words of two people's halves, in German. */
export const words = {
  sideLanguage: "Sprache dieser Seite",
  turnAround: "Hintere Hälfte umdrehen",
  turnTalk: "Halten oder tippen",
  turnConnecting: "Verbinde …",
  turnTalking: "Ich höre zu. Zum Beenden tippen",
  turnInvite: "Halten Sie die Taste beim Sprechen, oder tippen Sie davor und danach.",
  turnTheirs: "Die andere Seite spricht …",
};
