/** Words of two people's halves, in Russian. */
export const words = {
  sideLanguage: "Язык этой стороны",
  turnAround: "Перевернуть дальнюю половину",
  turnTalk: "Удерживайте или нажмите",
  turnConnecting: "Соединяюсь…",
  turnTalking: "Слушаю. Нажмите, чтобы закончить",
  turnInvite: "Говорите, удерживая кнопку, или нажмите её до и после фразы.",
  turnTheirs: "Слушаю собеседника…",
};
