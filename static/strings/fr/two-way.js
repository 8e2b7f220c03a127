/** Words of two people's halves, in French. */
export const words = {
  sideLanguage: "Langue de ce côté",
  turnAround: "Retourner la moitié d’en face",
  turnTalk: "Maintenir ou toucher",
  turnConnecting: "Connexion…",
  turnTalking: "J’écoute. Touchez pour finir",
  turnInvite: "Maintenez le bouton en parlant, ou touchez-le avant et après.",
  turnTheirs: "L’autre côté parle…",
};
