/** Words of two people's halves, in English. */
export const words = {
  sideLanguage: "Language of this side",
  turnAround: "Turn the far half around",
  turnTalk: "Hold or tap to talk",
  turnConnecting: "Connecting…",
  turnTalking: "Listening. Tap to finish",
  turnInvite: "Hold the button while you speak, or tap it before and after.",
  turnTheirs: "Listening to the other side…",
};
