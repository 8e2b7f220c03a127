/**
 * `<speech-translate source="ru" target="en">`: live interpretation as one element.
 *
 *     <script type="module" src="https://interpreter.example/static/speech-translate.js"></script>
 *     <speech-translate source="ru" target="en" input="microphone"></speech-translate>
 *
 * Attributes, each with a property of the same name: `url` (the server; by default the one this
 * module came from), `source`, `target` (may change while it runs), `input` ("microphone" or "tab"),
 * `transport`, `subtitles` ("vtt", "srt", "txt" or "json": offers what was said as such a file). The property
 * `token` takes what `attachTranslation` takes; it is no attribute, for a secret does not belong into markup.
 *
 * Where the server is full the element waits in line, shows its position, and comes in by itself.
 *
 * Fires "statechange" {state, error}, "waiting" {position}, "clipping" {clipping} (the microphone is too loud)
 * and "segment" (a caption), which bubble out of shadow trees.
 * The parts `button`, `status`, `hint`, `captions` and `subtitles` can be styled; the words are in one of eight
 * languages, by the element's `lang` or the document's. A screen reader hears each finished translation once.
 */
import { attachTranslation } from "./client.js";
import { followEnd, reachByKeyboard } from "./client/scrolling.js";
import { Reflecting } from "./element-attributes.js";
import { openInput } from "./element-input.js";
import { sheet } from "./element-sheet.js";
import { elementWords, wordFor } from "./element-words.js";
import { Transcript } from "./transcript.js";

const MOST_CAPTIONS = 200;
const SPOKEN_LINES = 8;

export class SpeechTranslate extends Reflecting {
  static observedAttributes = ["source", "target", "lang", "subtitles"];

  /** @type {import("./client/token.js").Token|(() => Promise<import("./client/token.js").Token>)} */
  token = /** @type {any} */ (this).token ?? ""; // set before the element was defined
  #button = document.createElement("button");
  #status = document.createElement("span");
  #captions = document.createElement("div");
  #spoken = document.createElement("div");
  #hint = document.createElement("p");
  #save = document.createElement("button");
  #transcript = new Transcript();
  #audio = document.createElement("audio");
  /** @type {Map<string, HTMLElement>} */ #rows = new Map();
  /** What runs, or is being opened. @type {AbortController|null} */ #running = null;
  /** @type {import("./client.js").Translation|null} */ #translation = null;
  /** @type {"opening"|import("./client.js").State} */ #state = "idle";
  /** What the status says instead of the state. */ #note = "";
  /** The module of the subtitles did not come. */ #saveFailed = false;
  /** Position in line while it connects; 0 for none. */ #position = 0;
  /** Whether the microphone is too loud. */ #clipping = false;

  constructor() {
    super();
    const root = this.attachShadow({ mode: "open" });
    root.adoptedStyleSheets = [sheet];
    this.#button.type = this.#save.type = "button";
    this.#button.part = "button";
    this.#save.part = "subtitles";
    this.#save.addEventListener("click", () => this.#saveSubtitles());
    this.#button.addEventListener("click", () => (this.#running ? this.stop() : this.#tryStart()));
    this.#status.setAttribute("role", "status");
    this.#status.part = "status";
    this.#hint.part = "hint";
    this.#hint.setAttribute("aria-live", "polite");
    this.#captions.part = "captions";
    this.#captions.setAttribute("role", "log");
    this.#captions.setAttribute("aria-live", "off"); // it holds every revision
    this.#spoken.className = "spoken";
    this.#spoken.setAttribute("aria-live", "polite");
    root.append(this.#button, this.#status, this.#hint, this.#captions, this.#save, this.#spoken, this.#audio);
    reachByKeyboard(this.#captions);
    followEnd(this.#captions);
  }

  connectedCallback() {
    this.#render();
  }

  disconnectedCallback() {
    this.#running?.abort();
    this.#translation?.stop({ drain: false });
  }

  attributeChangedCallback(name) {
    if (name === "lang" || name === "subtitles") this.#render();
    else this.#translation?.setLanguages({ [name]: this[name] });
  }

  /** @returns {"idle"|"opening"|import("./client.js").State} */
  get state() {
    return this.#state;
  }

  /** The translated speech, while it runs. @returns {MediaStream|null} */
  get stream() {
    return this.#translation?.stream ?? null;
  }

  /** Everything said so far. @returns {import("./client.js").Segment[]} */
  transcript() {
    return this.#translation?.transcript() ?? [];
  }

  /**
   * What was understood in all sessions of this element, as a `<track>` or a file needs it.
   *
   * @param {string} [format]  "vtt", "srt", "txt" or "json"
   * @param {import("./export.js").Which} [which]  of the two texts
   */
  async toSubtitles(format = "vtt", which = "both") {
    const { subtitles } = await import("./element-subtitles.js");
    return subtitles(this.#transcript.understood, format, which);
  }

  /**
   * Ask for the sound and begin. A browser may want a click before.
   *
   * @throws {ClientError|DOMException}
   */
  async start() {
    if (this.#running) return;
    const running = new AbortController();
    this.#running = running;
    this.#translation = null;
    let input = null;
    try {
      this.#setState("opening");
      input = await openInput(this.input);
      running.signal.throwIfAborted();
      this.#setState("connecting");
      const translation = await attachTranslation(input.sent, this.#options(running.signal, input.early));
      this.#follow(translation, input);
    } catch (error) {
      input?.close();
      this.#running = null;
      this.#setState("closed", error.name === "AbortError" ? null : error);
      throw error;
    }
  }

  /** Speak what is pending, then end; called again, end at once. */
  async stop() {
    if (this.#translation) await this.#translation.stop({ drain: this.#state === "live" });
    else this.#running?.abort();
  }

  /** @returns {import("./client.js").AttachOptions} */
  #options(signal, early) {
    return /** @type {any} */ ({
      url: this.url || new URL("..", import.meta.url),
      token: this.token,
      source: this.source,
      target: this.target,
      transport: this.transport || "auto",
      queue: true,
      onWaiting: (position) => {
        early?.forget(); // its turn comes later
        this.#wait(position);
      },
      signal,
    });
  }

  async #tryStart() {
    await this.start().catch(() => {}); // the status says it
  }

  #follow(translation, input) {
    this.#translation = translation;
    this.#audio.srcObject = translation.stream;
    this.#audio.play().catch(() => {}); // without a click: the application plays `stream` itself
    translation.captions.addEventListener("segment", ({ detail }) => this.#show(detail));
    const watching = input.early ? this.#watchClipping(input.track) : null;
    translation.addEventListener("state", ({ detail: { state, error } }) => {
      if (state === "closed") {
        watching?.then((stop) => stop());
        input.close();
        this.#audio.srcObject = null;
        this.#running = null;
      }
      this.#setState(state, error);
    });
    input.track.addEventListener("ended", () => {
      this.#note = "ended";
      translation.stop();
    });
    input.early?.catchUp(() => translation.replaceTrack(input.track));
    this.#setState("live");
  }

  /** @param {MediaStreamTrack} track  of a microphone  @returns {Promise<() => unknown>} stops it */
  async #watchClipping(track) {
    const tell = (clipping) => {
      this.#clipping = clipping;
      this.#render();
      this.#fire("clipping", { clipping });
    };
    const { watchClipping } = await import("./element-clipping.js").catch(() => ({ watchClipping: null }));
    const stop = await watchClipping?.(track, tell); // it goes without
    return () => {
      stop?.();
      if (this.#clipping) tell(false);
    };
  }

  async #saveSubtitles() {
    const loaded = await import("./element-subtitles.js").catch(() => null);
    this.#saveFailed = !loaded;
    this.#render();
    loaded?.save(this.#transcript.understood, this.subtitles);
  }

  #wait(position) {
    this.#position = position;
    this.#render();
    this.#fire("waiting", { position });
  }

  #setState(state, error = null) {
    this.#state = state;
    this.#position = 0;
    if (state === "opening") this.#note = "";
    if (error) this.#note = wordFor(error);
    this.#render();
    this.#fire("statechange", { state, error });
  }

  #show(segment) {
    const row = this.#rows.get(segment.key) ?? this.#addRow(segment.key);
    row.dataset.status = segment.status;
    const [source, target] = row.children;
    write(source, segment.source);
    write(target, segment.target);
    if (segment.status === "not_understood" || segment.status === "failed") {
      write(target, { language: this.#language, text: this.#say(segment.status) });
    }
    if (segment.final) this.#announce(target);
    this.#transcript.apply(segment, new Date());
    if (segment.final) this.#render();
    this.#fire("segment", segment);
  }

  #announce(target) {
    this.#spoken.append(target.cloneNode(true));
    if (this.#spoken.childElementCount > SPOKEN_LINES) this.#spoken.firstChild.remove();
  }

  #addRow(key) {
    const row = document.createElement("div");
    const [source, target] = [document.createElement("p"), document.createElement("p")];
    source.className = "source";
    row.append(source, target);
    this.#rows.set(key, row);
    this.#captions.append(row);
    if (this.#rows.size > MOST_CAPTIONS) {
      const [oldest] = this.#rows.keys();
      this.#rows.get(oldest).remove();
      this.#rows.delete(oldest);
    }
    return row;
  }

  #render() {
    this.#button.textContent = this.#say(this.#running ? "stop" : "start");
    const said = this.#state === "closed" || this.#state === "finishing" ? this.#note : "";
    const waiting = this.#position ? this.#say("waiting").replace("{position}", `${this.#position}`) : null;
    const now = this.#say(said) ?? waiting ?? this.#say(this.#state) ?? "";
    const hint = this.#clipping ? this.#say("tooLoud") : this.#saveFailed ? this.#say("unreachable") : "";
    if (this.#hint.textContent !== hint) this.#hint.textContent = hint;
    this.#save.hidden = !this.hasAttribute("subtitles") || !this.#transcript.understood.length;
    this.#save.textContent = this.#say("save");
    if (this.#status.textContent !== now) this.#status.textContent = now; // else it is announced again
    this.#status.lang = this.#hint.lang = this.#button.lang = this.#save.lang = this.#language;
    this.#captions.setAttribute("aria-label", this.#say("captions"));
  }

  get #language() {
    const tag = this.lang || this.closest("[lang]")?.getAttribute("lang") || navigator.language;
    const code = tag.slice(0, 2);
    return code in elementWords ? code : "en";
  }

  /** @param {string} word  of the element's table  @returns {string|undefined} */
  #say(word) {
    return elementWords[this.#language].element[word];
  }

  #fire(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail, bubbles: true, composed: true }));
  }
}

function write(element, { language, text }) {
  element.lang = language;
  element.dir = "auto";
  element.textContent = text;
}

customElements.define("speech-translate", SpeechTranslate);
