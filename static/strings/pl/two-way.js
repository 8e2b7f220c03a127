/** Words of two people's halves, in Polish. */
export const words = {
  sideLanguage: "Język tej strony",
  turnAround: "Obróć dalszą połowę",
  turnTalk: "Przytrzymaj lub dotknij",
  turnConnecting: "Łączenie…",
  turnTalking: "Słucham. Dotknij, aby zakończyć",
  turnInvite: "Mów, trzymając przycisk, albo dotknij go przed zdaniem i po nim.",
  turnTheirs: "Mówi druga strona…",
};
