/**
 * The settings panel, the sound panel and the list of sources. Remembered on this device.
 *
 * Fires "input" {}, "vad" {} and "mode" {} when a running session must follow, "underlay" {} when the
 * original is to be played or not, "devices" {} when others can be used or are, and "speaker-gone" {} when
 * the chosen loudspeaker went away. It sets its `output` by itself.
 */
import { SourceError, canCaptureTab, canChooseOutput, listDevices } from "./devices.js";
import { find } from "./dom.js";
import { recall, remember } from "./prefs.js";
import { text } from "./i18n.js";

/** @typedef {HTMLInputElement} Control  or a list: what is read of it is the same */

const TAB = "tab";
const FILE = "file";
const DEFAULT = "default";
const DEFAULTS = {
  input: "",
  speaker: "",
  volume: 1,
  mix: 0.5,
  originalMuted: false,
  translationMuted: false,
  monitor: false,
  talk: "free",
  hangover: 300,
  mode: "",
};
const EVENTS = { input: ["input", "vad"], talk: ["vad"], hangover: ["vad"], mode: ["mode"], monitor: ["underlay"] };

export class Settings extends EventTarget {
  #form;
  /** @type {import("./output.js").Output|null} there is none before the first session */ #output = null;
  #player;
  /** @type {typeof DEFAULTS} */ #values = { ...DEFAULTS, ...recall("settings", {}) };
  /** @type {{id: string, label: string}[]} */ #speakers = [];
  /** Where it plays now. */ #playsOn = "";
  /** @type {import("./audio.js").Source|null} */ #source = null;

  /**
   * @param {HTMLFormElement} form  its controls stand all over the page
   * @param {import("./player.js").FilePlayer} player
   */
  constructor(form, player) {
    super();
    this.#form = form;
    this.#player = player;
    for (const control of controls(form)) {
      if (control.type === "checkbox") control.checked = this.#values[control.name];
      else if (control.name in DEFAULTS && control.type !== "radio") control.value = this.#values[control.name];
    }
    this.#control("talk").value = this.#values.talk;
    this.#control("speaker").hidden = !canChooseOutput();
    document.getElementById("speaker-note").hidden = canChooseOutput();
    document.addEventListener("input", (event) => {
      const control = /** @type {Control} */ (event.target);
      if (control.form === form && control.name in DEFAULTS) this.#take(control);
    });
    form.addEventListener("submit", (event) => event.preventDefault());
    player.addEventListener("chosen", () => this.#choose(FILE));
    navigator.mediaDevices?.addEventListener("devicechange", () => this.listDevices());
    this.#apply();
  }

  /** Opens what the person wants to be listened to. @returns {Promise<import("./audio.js").Source>} */
  openSource = async () => {
    const { input } = this.#values;
    const { openMicrophone, openTab } = await import("./audio.js");
    if (input === TAB) return openTab();
    if (input === FILE) {
      if (!this.#player.source) throw new SourceError("file_missing");
      return this.#player.source.open();
    }
    const source = await openMicrophone(input);
    this.listDevices(); // only now does the browser tell their names
    return source;
  };

  /** What plays as the settings say. @param {import("./output.js").Output} output */
  set output(output) {
    this.#output = output;
    this.#apply();
  }

  /** What is listened to now. @returns {import("./audio.js").Source|null} */
  get source() {
    return this.#source;
  }

  set source(source) {
    this.#source = source;
    this.#apply();
  }

  /** Whether what is listened to now is to be played, too. */
  get underlay() {
    const { kind, playable } = this.#source ?? {};
    return kind === "microphone" ? this.#values.monitor : Boolean(playable);
  }

  /** Whether a button is held to talk; only into a microphone. */
  get hold() {
    return this.#values.talk === "hold" && this.mayHold;
  }

  /** Whether a button could be held to talk. */
  get mayHold() {
    return ![TAB, FILE].includes(this.#values.input);
  }

  /** Have a button held to talk from now on, as if it had been chosen in the panel. */
  holdToTalk() {
    controls(this.#form).find(({ name, value }) => name === "talk" && value === "hold").click();
  }

  /** The `vad` of x.session. @returns {import("./client.js").SessionSettings["vad"]} */
  get vad() {
    return { mode: this.hold ? "off" : "auto", hangover_ms: this.#values.hangover };
  }

  /** Offer what the engine in use can do. @param {string[]} modes  as in /v1/languages */
  offerModes(modes) {
    document.getElementById("mode-setting").hidden = modes.length < 2;
  }

  /** The `mode` of x.session, if one was chosen. @returns {Pick<import("./client.js").SessionSettings, "mode">} */
  get mode() {
    const { mode } = this.#values;
    return mode ? { mode: /** @type {import("./client.js").SessionSettings["mode"]} */ (mode) } : {};
  }

  /** Name of the device that plays, or "" where the browser does not tell. */
  get speakerName() {
    return this.#speakers.find(({ id }) => id === (this.#playsOn || DEFAULT))?.label ?? "";
  }

  /** Fill the lists of devices, in the interface's language. */
  async listDevices() {
    const [inputs, speakers] = await Promise.all([listDevices("audioinput"), listDevices("audiooutput")]);
    this.#speakers = speakers;
    const microphones = [{ id: "", label: text("defaultMicrophone") }, ...inputs];
    const others = [{ id: FILE, label: text("fileSound") }];
    if (canCaptureTab()) others.unshift({ id: TAB, label: text("tabSound") });
    fill(find("[name=input]", HTMLSelectElement), [...microphones, ...others], this.#values.input);
    fill(find("[name=speaker]", HTMLSelectElement), [{ id: "", label: text("defaultSpeaker") }, ...speakers], this.#values.speaker);
    this.#apply();
    this.dispatchEvent(new Event("devices"));
  }

  #take(control) {
    const { name, type, checked, value } = control;
    if (name === "input") return this.#choose(value);
    this.#set(name, type === "checkbox" ? checked : type === "range" ? Number(value) : value);
  }

  /** @param {string} input */
  #choose(input) {
    this.#control("input").value = input;
    const waits = input === FILE && !this.#player.source;
    if (waits) this.#player.choose();
    this.#set("input", input, !waits); // with a file, it changes when there is one
  }

  #set(name, value, tell = true) {
    this.#values[name] = value;
    const input = this.#values.input === FILE ? "" : this.#values.input; // files are not remembered
    remember("settings", { ...this.#values, input });
    this.#apply();
    for (const event of (tell && EVENTS[name]) || []) this.dispatchEvent(new Event(event));
  }

  #apply() {
    const { hangover, talk, input, monitor } = this.#values;
    const [mix, originalMuted] = [this.#control("mix"), this.#control("originalMuted")];
    if (this.#output) this.#output.controls = this.#values;
    this.#player.shown = input === FILE;
    document.body.toggleAttribute("data-muted", this.#values.translationMuted);
    this.#playOn();
    document.getElementById("hangover-shown").textContent = text("milliseconds", { value: hangover });
    document.getElementById("pause-setting").hidden = talk === "hold";
    const microphone = ![TAB, FILE].includes(input);
    this.#control("monitor").closest("label").hidden = !microphone;
    mix.disabled = originalMuted.disabled = this.#source ? !this.underlay : microphone && !monitor;
    document.getElementById("original-note").hidden = !(this.#source?.kind === "tab" && !this.underlay);
  }

  /** By its name, as radio buttons together. @param {string} name @returns {Control} */
  #control(name) {
    return /** @type {any} */ (this.#form.elements.namedItem(name));
  }

  /** Where the chosen device is not there, the default plays until it is back. */
  async #playOn() {
    const { speaker } = this.#values;
    const gone = this.#speakers.length > 0 && !this.#speakers.some(({ id }) => id === speaker);
    const id = gone ? "" : speaker;
    if (!this.#output || id === this.#playsOn) return;
    this.#playsOn = id;
    await this.#output.playOn(id).catch(() => (this.#playsOn = ""));
    this.dispatchEvent(new Event("devices"));
    if (gone && speaker) this.dispatchEvent(new Event("speaker-gone"));
  }
}

/** All of them, wherever they stand. @param {HTMLFormElement} form @returns {Control[]} */
function controls(form) {
  return /** @type {any} */ ([...form.elements]);
}

/** A device that is gone stays remembered, but the default is shown and used. */
function fill(select, devices, chosen) {
  const named = devices.filter(({ id }) => id !== DEFAULT);
  select.replaceChildren(...named.map(({ id, label }) => new Option(label, id)));
  select.value = named.some(({ id }) => id === chosen) ? chosen : "";
}
