/** Every word of the room's pages, in English and Russian. */
import { recall, remember } from "./prefs.js";

const words = {
  en: {
    listen: "Listen", stop: "Stop", speak: "Speak", room: "Room", language: "Language",
    interfaceLanguage: "Interface language", readOnly: "Only read", captions: "Captions",
    iSpeak: "I speak", key: "Key", enter: "Enter", invite: "Others listen here",
    qr: "QR code of the link to listen", listeners: "Listeners", original: "{name} (original)",
    waiting: "Nobody speaks here yet. This page waits for the speaker.",
    ready: "Choose a language and press Listen.", connecting: "Connecting…",
    listening: "You hear the room.", reading: "You read the room.", lost: "The connection was lost. Trying again…",
    refused: "The link is wrong or no longer valid. Ask the speaker for a new one.",
    full: "There is no place left in this room. Trying again…",
    speaking: "You are heard.", silent: "Press Speak, or send your sound here by WHIP.",
    noMicrophone: "The microphone cannot be used. Allow it in the browser.",
    keyNeeded: "This server asks for a key.",
    notLetIn: "The server does not let you speak now.", microphoneGone: "The microphone is gone. Press Speak again.",
    gaveUp: "The connection was lost. Press Speak to try again.",
    expiring: "The room closes within a minute.",
  },
  ru: {
    listen: "Слушать", stop: "Остановить", speak: "Говорить", room: "Комната", language: "Язык",
    interfaceLanguage: "Язык интерфейса", readOnly: "Только читать", captions: "Субтитры",
    iSpeak: "Я говорю", key: "Ключ", enter: "Войти", invite: "Остальные слушают здесь",
    qr: "QR-код ссылки для слушателей", listeners: "Слушатели", original: "{name} (оригинал)",
    waiting: "Здесь пока никто не говорит. Страница ждёт выступающего.",
    ready: "Выберите язык и нажмите «Слушать».", connecting: "Соединяемся…",
    listening: "Вы слышите комнату.", reading: "Вы читаете комнату.", lost: "Связь прервалась. Пробуем снова…",
    refused: "Ссылка неверна или больше не действует. Попросите у выступающего новую.",
    full: "В этой комнате нет свободных мест. Пробуем снова…",
    speaking: "Вас слышно.", silent: "Нажмите «Говорить» или пришлите звук по WHIP.",
    noMicrophone: "Микрофон недоступен. Разрешите его в браузере.",
    keyNeeded: "Этот сервер просит ключ.",
    notLetIn: "Сервер сейчас не даёт говорить.", microphoneGone: "Микрофон пропал. Нажмите «Говорить» ещё раз.",
    gaveUp: "Связь прервалась. Нажмите «Говорить», чтобы попробовать снова.",
    expiring: "Комната закроется в течение минуты.",
  },
};

let chosen = recall("interface", navigator.language.startsWith("ru") ? "ru" : "en");

/** @param {string} key  @param {Record<string, string>} [values]  for {name} in the text */
export function text(key, values = {}) {
  const known = words[chosen] ?? words.en;
  return known[key].replace(/\{(\w+)\}/g, (_, name) => values[name]);
}

/** A language by its own name in the interface's. @param {string} code */
export function languageName(code) {
  const name = new Intl.DisplayNames([chosen], { type: "language" }).of(code) ?? code;
  return name[0].toUpperCase() + name.slice(1);
}

/** Keep the page in the chosen language. @param {() => void} render  what has words of its own */
export function speakInterface(render) {
  const select = document.querySelector("#interface");
  const show = () => {
    document.documentElement.lang = chosen;
    for (const each of document.querySelectorAll("[data-text]")) each.textContent = text(each.dataset.text);
    for (const each of document.querySelectorAll("[data-label]")) each.ariaLabel = text(each.dataset.label);
    for (const each of document.querySelectorAll("[data-alt]")) each.alt = text(each.dataset.alt);
    render();
  };
  select.value = words[chosen] ? chosen : "en";
  select.addEventListener("change", () => {
    chosen = select.value;
    remember("interface", chosen);
    show();
  });
  show();
}
