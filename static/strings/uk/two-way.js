/** Words of two people's halves, in Ukrainian. */
export const words = {
  sideLanguage: "Мова цієї сторони",
  turnAround: "Перевернути дальню половину",
  turnTalk: "Утримуйте або торкніться",
  turnConnecting: "З’єднуюся…",
  turnTalking: "Слухаю. Торкніться, щоб закінчити",
  turnInvite: "Говоріть, утримуючи кнопку, або торкніться її до і після фрази.",
  turnTheirs: "Слухаю співрозмовника…",
};
