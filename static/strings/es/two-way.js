/** Words of two people's halves, in Spanish. */
export const words = {
  sideLanguage: "Idioma de este lado",
  turnAround: "Girar la mitad de enfrente",
  turnTalk: "Mantener o tocar",
  turnConnecting: "Conectando…",
  turnTalking: "Escucho. Toque para terminar",
  turnInvite: "Mantenga el botón al hablar, o tóquelo antes y después.",
  turnTheirs: "Habla el otro lado…",
};
