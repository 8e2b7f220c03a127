/** Words of `<speech-translate>`, in Polish. */
export const words = {
  element: {
    start: "Włącz tłumacza",
    stop: "Zatrzymaj",
    captions: "Napisy",
    opening: "Czekam na dźwięk…",
    connecting: "Łączenie…",
    waiting: "Tłumacz jest zajęty. Miejsce w kolejce: {position}",
    live: "Słucham",
    reconnecting: "Utracono połączenie, ponawiam…",
    finishing: "Kończę ostatnie zdanie…",
    closed: "Zatrzymano",
    limit: "Czas sesji się skończył. Zacznij ponownie, aby kontynuować.",
    refused: "Przeglądarka nie daje dźwięku. Zezwól na niego na pasku adresu i zacznij ponownie.",
    silent: "Ta karta nie daje dźwięku. Wybierz ją ponownie i udostępnij jej dźwięk.",
    ended: "Dźwięk się skończył.",
    unreachable: "Tłumacz jest niedostępny. Spróbuj za chwilę.",
    busy: "Tłumacz jest zajęty. Spróbuj za chwilę.",
    unauthorized: "Ta strona nie może używać tłumacza. Zapytaj administratora serwera.",
    not_understood: "Nie zrozumiano",
    failed: "Nie udało się przetłumaczyć",
  },
};
