/** Every word of the interface, in English and Russian. */

const en = {
  title: "Live interpreter",
  interfaceLanguage: "Interface language",
  iSpeak: "I speak",
  translateInto: "Translate into",
  swap: "Swap languages",
  start: "Start",
  stop: "Stop",
  stopNow: "Stop now",
  inputLevel: "Sound level",
  outputLevel: "Level of the translation",
  hush: "Stop speaking",
  replay: "Say it again",
  holdToTalk: "Hold to talk",
  settings: "Settings",
  listenTo: "Listen to",
  defaultMicrophone: "Default microphone",
  tabSound: "Sound of a tab or of the system…",
  fileSound: "Audio or video file…",
  chooseFile: "Choose a file",
  noFile: "No file chosen",
  playFile: "Play",
  pauseFile: "Pause",
  filePosition: "Position in the file",
  playOn: "Play on",
  defaultSpeaker: "Default device",
  playOnDefault: "This browser always plays on its default device.",
  volume: "Volume",
  sound: "Sound",
  mix: "Original and translation",
  mixSlider: "Balance between the original and the translation",
  original: "Original",
  translation: "Translation",
  muted: ", muted",
  originalElsewhere: "This sound plays by itself: the page can neither lower nor mute it.",
  monitor: "Play what the microphone hears, too",
  loudspeakers: "Through loudspeakers the microphone hears the translation, too. Headphones work better.",
  understood: "Got it",
  talking: "Talking",
  handsFree: "Hands-free: a pause ends the phrase",
  pushToTalk: "Push to talk: hold the button or the space bar",
  pause: "Pause that ends a phrase",
  milliseconds: "{value} ms",
  details: "Details",
  export: "Keep the captions",
  whichText: "Text",
  whichBoth: "Both languages",
  whichSource: "What was said",
  whichTarget: "The translation",
  copy: "Copy",
  copied: "Copied",
  forget: "Clear all captions",
  nothingHeard: "We hear nothing. Is it muted?",
  captions: "Captions",
  layout: "Layout",
  layoutSides: "Side by side",
  layoutStacked: "Stacked",
  times: "Time of each phrase",
  large: "Large type",
  contrast: "High contrast",
  overlay: "Show over other windows",
  twoPeople: "Two people, one device",
  sideLanguage: "Language of this side",
  turnAround: "Turn the far half around",
  turnTalk: "Hold or tap to talk",
  turnConnecting: "Connecting…",
  turnTalking: "Listening. Tap to finish",
  turnInvite: "Hold the button while you speak, or tap it before and after.",
  turnTheirs: "Listening to the other side…",
  newest: "Newest",
  phrases: "Phrases to try",
  phrasesNote: "This server's engine knows these phrases. Say one as it is written.",
  anyPhrase: "This server's engine translates free speech. Say anything.",
  findPhrase: "Find a phrase",
  noPhrase: "No phrase with these words.",
  close: "Close",
  dismiss: "Dismiss",
  otherTopic: "More",
  inviteTitle: "Press Start and speak",
  inviteSpeak: "Speak now",
  inviteText: "What you say appears here, the translation beside it, and you hear it spoken.",
  inviteTry: "For example:",
  notUnderstood: "Not in the phrasebook.",
  didYouMean: "Did you mean:",
  failed: "This phrase could not be translated.",
  notSpoken: "Not spoken: the voice was too far behind.",
  engines: "{ast} · {tts}",
  enginesTitle: "Translation: {ast}. Voice: {tts}.",

  state: {
    loading: "Contacting the server…",
    warming: "The server is warming up…",
    offline: "Not connected",
    idle: "Ready",
    opening: "Waiting for the sound…",
    connecting: "Connecting…",
    listening: "Listening",
    hearing: "Hearing you",
    translating: "Translating…",
    speaking: "Speaking",
    interrupted: "Connection interrupted, waiting for it to recover…",
    finishing: "Finishing the last phrase…",
    closed: "Stopped",
  },

  problem: {
    insecure: [
      "The browser keeps the microphone from this page",
      "Microphones work only on pages opened over https:// or on localhost. Open this page at such an address.",
    ],
    webrtc_missing: [
      "This browser has no WebRTC",
      "Open this page in a current Chrome, Edge, Firefox or Safari, and check that no extension switches WebRTC off.",
    ],
    worklet_missing: [
      "This browser cannot process sound",
      "It has no AudioWorklet. Open this page in a current Chrome, Edge, Firefox or Safari.",
    ],
    microphone_refused: [
      "The microphone is not allowed",
      "Allow it for this page in the browser's address bar, then try again.",
    ],
    microphone_missing: [
      "No microphone found",
      "Plug one in or switch it on, then try again.",
    ],
    microphone_busy: [
      "The microphone cannot be opened",
      "Another program may be using it. Close that program, then try again.",
    ],
    tab_refused: [
      "No tab was chosen",
      "Try again, choose a tab or the screen, and switch on the sharing of its sound.",
    ],
    tab_silent: [
      "The browser gave a picture but no sound",
      "Switch on the sharing of sound in the dialog. Some browsers give sound only for tabs, some for none: try Chrome or Edge.",
    ],
    file_missing: ["No file chosen", "Choose an audio or video file below, then start again."],
    file_unreadable: [
      "The browser cannot play this file",
      "Choose another one, or convert it: MP3, M4A, WAV, MP4 and WebM play nearly everywhere.",
    ],
    source_ended: [
      "The sound went away",
      "The microphone was unplugged or the sharing was ended. Start again when it is back.",
    ],
    microphone_gone: [
      "The microphone went away",
      "The default microphone listens instead. Choose another one in the list below.",
    ],
    speaker_gone: [
      "The chosen loudspeaker went away",
      "The default device plays instead, until it is back.",
    ],
    server_unreachable: [
      "The server does not answer",
      "Check that it is running and that you are connected to its network, then try again.",
    ],
    server_busy: [
      "The server cannot take you now",
      "It is full or still starting. Try again in a moment.",
    ],
    unauthorized: [
      "This server asks for a key",
      "Ask whoever runs it for access.",
    ],
    language_unavailable: [
      "This server cannot translate between these languages",
      "Choose another pair.",
    ],
    server_refused: [
      "The server refused the call",
      "Reload the page. If it happens again, tell whoever runs the server.",
    ],
    connect_failed: [
      "No sound connection to the server",
      "The page reaches the server, but audio does not: a firewall or VPN may block UDP. Try another network.",
    ],
    connection_lost: [
      "The connection was lost",
      "The network between you and the server broke. Your captions are kept. Start again when it is back.",
    ],
    server_gone: [
      "The server has gone away",
      "It was stopped or is restarting. Your captions are kept. Start again in a moment.",
    ],
    session_ended: [
      "The server ended the session",
      "It may be restarting. Your captions are kept. Start again in a moment.",
    ],
    popup_blocked: [
      "The browser blocked the caption window",
      "Allow pop-up windows for this page in the browser's address bar, then try again.",
    ],
    playback_blocked: [
      "The browser blocked the sound",
      "Press the button to hear the translation.",
    ],
    notice: ["A message from the server", ""],
    expiring: [
      "The conversation will end soon",
      "Its time on this server is nearly up. Finish your sentence, then start again.",
    ],
  },
  action: { retry: "Try again", play: "Play sound" },

  detail: {
    delay: "Speech to speech",
    delayEnd: "· end of phrase noticed",
    delayTranslation: "· translated",
    delayVoice: "· voice begins",
    waiting: "Waiting to be spoken",
    dropped: "Dropped",
    roundTrip: "Round trip",
    lossUp: "Lost on the way there",
    lossDown: "Lost on the way back",
    jitter: "Jitter",
  },
};

const ru = {
  title: "Живой переводчик",
  interfaceLanguage: "Язык интерфейса",
  iSpeak: "Я говорю",
  translateInto: "Переводить на",
  swap: "Поменять языки местами",
  start: "Начать",
  stop: "Остановить",
  stopNow: "Прервать",
  inputLevel: "Уровень звука",
  outputLevel: "Уровень перевода",
  hush: "Прервать речь",
  replay: "Повторить перевод",
  holdToTalk: "Удерживайте и говорите",
  settings: "Настройки",
  listenTo: "Слушать",
  defaultMicrophone: "Микрофон по умолчанию",
  tabSound: "Звук вкладки или системы…",
  fileSound: "Аудио- или видеофайл…",
  chooseFile: "Выбрать файл",
  noFile: "Файл не выбран",
  playFile: "Включить",
  pauseFile: "Пауза",
  filePosition: "Место в файле",
  playOn: "Воспроизводить на",
  defaultSpeaker: "Устройство по умолчанию",
  playOnDefault: "Этот браузер всегда использует устройство по умолчанию.",
  volume: "Громкость",
  sound: "Звук",
  mix: "Оригинал и перевод",
  mixSlider: "Соотношение оригинала и перевода",
  original: "Оригинал",
  translation: "Перевод",
  muted: ", без звука",
  originalElsewhere: "Этот звук идёт сам по себе: страница не может убавить или выключить его.",
  monitor: "Воспроизводить и сам микрофон",
  loudspeakers: "Через колонки перевод попадает и в микрофон. С наушниками лучше.",
  understood: "Понятно",
  talking: "Как говорить",
  handsFree: "Без рук: фразу завершает пауза",
  pushToTalk: "Рация: удерживайте кнопку или пробел",
  pause: "Пауза, завершающая фразу",
  milliseconds: "{value} мс",
  details: "Подробности",
  export: "Сохранить субтитры",
  whichText: "Текст",
  whichBoth: "Оба языка",
  whichSource: "Сказанное",
  whichTarget: "Перевод",
  copy: "Скопировать",
  copied: "Скопировано",
  forget: "Стереть все субтитры",
  nothingHeard: "Ничего не слышно. Звук не выключен?",
  captions: "Субтитры",
  layout: "Расположение",
  layoutSides: "Рядом",
  layoutStacked: "Друг под другом",
  times: "Время каждой фразы",
  large: "Крупный шрифт",
  contrast: "Высокий контраст",
  overlay: "Показать поверх других окон",
  twoPeople: "Вдвоём на одном устройстве",
  sideLanguage: "Язык этой стороны",
  turnAround: "Перевернуть дальнюю половину",
  turnTalk: "Удерживайте или нажмите",
  turnConnecting: "Соединяюсь…",
  turnTalking: "Слушаю. Нажмите, чтобы закончить",
  turnInvite: "Говорите, удерживая кнопку, или нажмите её до и после фразы.",
  turnTheirs: "Слушаю собеседника…",
  newest: "К последним",
  phrases: "Что сказать",
  phrasesNote: "Переводчик этого сервера знает эти фразы. Произнесите любую как написано.",
  anyPhrase: "Переводчик этого сервера понимает свободную речь. Говорите что угодно.",
  findPhrase: "Найти фразу",
  noPhrase: "Нет фразы с такими словами.",
  close: "Закрыть",
  dismiss: "Скрыть",
  otherTopic: "Другое",
  inviteTitle: "Нажмите «Начать» и говорите",
  inviteSpeak: "Говорите",
  inviteText: "Сказанное появится здесь, рядом — перевод, и вы услышите его голосом.",
  inviteTry: "Например:",
  notUnderstood: "Такой фразы нет в разговорнике.",
  didYouMean: "Может быть:",
  failed: "Эту фразу не удалось перевести.",
  notSpoken: "Не озвучено: голос слишком отстал.",
  engines: "{ast} · {tts}",
  enginesTitle: "Перевод: {ast}. Голос: {tts}.",

  state: {
    loading: "Обращаюсь к серверу…",
    warming: "Сервер готовится…",
    offline: "Нет связи",
    idle: "Готов",
    opening: "Жду звук…",
    connecting: "Соединяюсь…",
    listening: "Слушаю",
    hearing: "Слышу вас",
    translating: "Перевожу…",
    speaking: "Говорю",
    interrupted: "Связь прервалась, жду восстановления…",
    finishing: "Заканчиваю последнюю фразу…",
    closed: "Остановлено",
  },

  problem: {
    insecure: [
      "Браузер не даёт этой странице микрофон",
      "Микрофон работает только на страницах https:// или localhost. Откройте страницу по такому адресу.",
    ],
    webrtc_missing: [
      "В этом браузере нет WebRTC",
      "Откройте страницу в современном Chrome, Edge, Firefox или Safari и проверьте, не отключает ли WebRTC расширение.",
    ],
    worklet_missing: [
      "Этот браузер не умеет обрабатывать звук",
      "В нём нет AudioWorklet. Откройте страницу в современном Chrome, Edge, Firefox или Safari.",
    ],
    microphone_refused: [
      "Микрофон не разрешён",
      "Разрешите его для этой страницы в адресной строке браузера и попробуйте снова.",
    ],
    microphone_missing: ["Микрофон не найден", "Подключите или включите его и попробуйте снова."],
    microphone_busy: [
      "Микрофон не открывается",
      "Возможно, он занят другой программой. Закройте её и попробуйте снова.",
    ],
    tab_refused: [
      "Вкладка не выбрана",
      "Попробуйте снова: выберите вкладку или экран и включите передачу звука.",
    ],
    tab_silent: [
      "Браузер дал картинку без звука",
      "Включите в диалоге передачу звука. Некоторые браузеры передают только звук вкладок, некоторые — никакой: попробуйте Chrome или Edge.",
    ],
    file_missing: ["Файл не выбран", "Выберите внизу аудио- или видеофайл и начните снова."],
    file_unreadable: [
      "Браузер не может воспроизвести этот файл",
      "Выберите другой или преобразуйте его: MP3, M4A, WAV, MP4 и WebM подходят почти везде.",
    ],
    microphone_gone: [
      "Микрофон пропал",
      "Вместо него слушает микрофон по умолчанию. Другой можно выбрать в списке внизу.",
    ],
    speaker_gone: [
      "Выбранные колонки или наушники пропали",
      "Пока их нет, звук идёт на устройство по умолчанию.",
    ],
    source_ended: [
      "Звук пропал",
      "Микрофон отключили или передачу звука остановили. Начните снова, когда он вернётся.",
    ],
    server_unreachable: [
      "Сервер не отвечает",
      "Проверьте, что он запущен и что вы в его сети, затем попробуйте снова.",
    ],
    server_busy: [
      "Сервер сейчас не может вас принять",
      "Он занят или ещё запускается. Попробуйте через минуту.",
    ],
    unauthorized: ["Серверу нужен ключ", "Попросите доступ у того, кто его содержит."],
    language_unavailable: [
      "Сервер не переводит между этими языками",
      "Выберите другую пару.",
    ],
    server_refused: [
      "Сервер отклонил вызов",
      "Обновите страницу. Если не поможет, сообщите тому, кто содержит сервер.",
    ],
    connect_failed: [
      "Звук не доходит до сервера",
      "Страница видит сервер, а звук не проходит: UDP может закрывать сетевой экран или VPN. Попробуйте другую сеть.",
    ],
    connection_lost: [
      "Связь потеряна",
      "Прервалась сеть между вами и сервером. Субтитры сохранены. Начните снова, когда сеть вернётся.",
    ],
    server_gone: [
      "Сервер исчез",
      "Его остановили, или он перезапускается. Субтитры сохранены. Начните снова чуть позже.",
    ],
    session_ended: [
      "Сервер завершил сеанс",
      "Возможно, он перезапускается. Субтитры сохранены. Начните снова чуть позже.",
    ],
    popup_blocked: [
      "Браузер не открыл окно субтитров",
      "Разрешите всплывающие окна для этой страницы в адресной строке браузера и попробуйте снова.",
    ],
    playback_blocked: ["Браузер не включил звук", "Нажмите кнопку, чтобы услышать перевод."],
    notice: ["Сообщение сервера", ""],
    expiring: [
      "Разговор скоро закончится",
      "Его время на этом сервере почти вышло. Закончите фразу и начните снова.",
    ],
  },
  action: { retry: "Попробовать снова", play: "Включить звук" },

  detail: {
    delay: "От речи до речи",
    delayEnd: "· замечен конец фразы",
    delayTranslation: "· переведено",
    delayVoice: "· начат голос",
    waiting: "Ждёт озвучивания",
    dropped: "Отброшено",
    roundTrip: "Путь туда и обратно",
    lossUp: "Потери туда",
    lossDown: "Потери обратно",
    jitter: "Дрожание",
  },
};

export const interfaceLanguages = { en, ru };

let words = en;

/** Choose the interface language. @param {string} code  a key of `interfaceLanguages` */
export function speakInterface(code) {
  words = interfaceLanguages[code];
}

/**
 * A text of the interface.
 *
 * @param {string} path  as in "state.idle"
 * @param {Record<string, string>} [values]  what stands for {name}
 */
export function text(path, values = {}) {
  const found = lookUp(words, path);
  if (typeof found !== "string") return found;
  return found.replace(/\{(\w+)\}/g, (_, name) => values[name]);
}

/** As `text`, in a language of its own where the interface has it. */
export function textIn(code, path) {
  return lookUp(interfaceLanguages[code] ?? words, path);
}

function lookUp(strings, path) {
  return path.split(".").reduce((node, key) => node[key], strings);
}

/** A time of day as the interface's language writes it. @param {Date} at */
export function clock(at) {
  return at.toLocaleTimeString(words === ru ? "ru" : "en-GB");
}

/** A language's name in the interface's language. @param {string} code  ISO 639-1 */
export function languageName(code) {
  const locale = words === ru ? "ru" : "en";
  const name = new Intl.DisplayNames(locale, { type: "language" }).of(code);
  return name.charAt(0).toLocaleUpperCase(locale) + name.slice(1);
}
