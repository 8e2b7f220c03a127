/**
 * The switch between one speaker and two people with one device, and what their turns mean to the
 * session: one connection all the time, a turn only sets its languages and opens the microphone.
 */
import { showEarlier } from "./captions.js";
import { mutual } from "./languages.js";
import { loadSheet, withLoaded } from "./loading.js";
import { recall, remember } from "./prefs.js";
import { interfaceLanguages, loadWords, useWords } from "./i18n.js";

/** @typedef {{source: string, target: string}} Pair */

/** Each side is addressed in its own language. */
const load = () =>
  Promise.all([
    import("./two-way.js"),
    loadSheet("styles/two-way.css"),
    useWords("two-way").then(() => Promise.all(interfaceLanguages.map(loadWords))),
  ]);

export class People {
  #button;
  #place;
  #app;
  /** @type {import("./two-way.js").TwoWay|null} */ #view = null;
  #active = false;
  /** @type {import("./conversation.js").Conversation|null} */ #session = null;
  /** @type {{pairs: Pair[], pair: Pair}} */ #offered;

  /**
   * @param {HTMLButtonElement} button
   * @param {HTMLElement} place  where the two halves go
   * @param {object} app
   * @param {() => void} app.start  begins a session
   * @param {Set<import("./captions.js").CaptionView>} app.views  what shows captions
   * @param {() => import("./transcript.js").Segment[]} app.segments  what was said so far
   * @param {() => void} app.changed  has the session take `settings`, or one speaker's
   */
  constructor(button, place, app) {
    this.#button = button;
    this.#place = place;
    this.#app = app;
    button.addEventListener("click", () => (this.#view ? this.#switch(true) : this.#load(true)));
  }

  /** Whether two people talk. */
  get active() {
    return this.#active;
  }

  /** Of a session that two people have; no pause ends a turn. @returns {import("./client.js").SessionSettings} */
  get settings() {
    return { ...this.#view.direction, vad: { mode: "off" } };
  }

  /** @param {{source: string, target: string}[]} pairs  @param {{source: string, target: string}} pair */
  offer(pairs, pair) {
    this.#offered = { pairs, pair };
    this.#button.hidden = mutual(pairs).length === 0;
    if (recall("people", false) && !this.#button.hidden) this.#load(false); // as it was here last
  }

  /** Take the session's state. @param {import("./conversation.js").Conversation|null} session */
  follow(session) {
    const began = session !== null && session !== this.#session;
    if (this.#session && !session) this.#view?.stopTurn();
    this.#session = session;
    if (!this.#view) return;
    this.#view.connecting = session !== null && !session.live;
    if (!began || !this.#active) return;
    session.muted = true;
    if (this.#view.talking) this.#begin();
  }

  #load(starts) {
    return withLoaded(load, ([{ TwoWay }]) => {
      if (this.#view) return; // pressed twice while it loaded
      this.#view = this.#make(new TwoWay());
      this.#switch(starts);
    });
  }

  #switch(starts) {
    this.#view.stopTurn();
    remember("people", (this.#active = !this.#active));
    document.body.toggleAttribute("data-two-way", this.#active);
    this.#button.setAttribute("aria-pressed", String(this.#active));
    if (this.#session) this.#session.muted = this.#active;
    this.#app.changed();
    if (starts && this.#active && !this.#session) this.#app.start(); // so that the first turn finds it up
  }

  /** @param {import("./two-way.js").TwoWay} view */
  #make(view) {
    this.#place.append(view);
    view.offer(this.#offered.pairs, this.#offered.pair);
    view.addEventListener("turn", () => {
      if (this.#session) this.#begin();
      else this.#app.start();
    });
    view.addEventListener("turn-end", () => {
      if (!this.#session) return;
      this.#session.talk(false);
      this.#session.muted = true;
    });
    showEarlier(view, this.#app.segments());
    this.#app.views.add(view);
    return view;
  }

  #begin() {
    this.#session.muted = false;
    this.#app.changed();
    this.#session.talk(true);
  }
}
