/**
 * The settings panel: what to listen to, where to play, how to talk. Remembered on this device.
 *
 * Fires "input" {} and "vad" {} when a running session must follow, and sets the output element
 * by itself.
 */
import { canCaptureTab, canChooseOutput, listDevices, openMicrophone, openTab } from "./audio.js";
import { recall, remember } from "./prefs.js";
import { text } from "./strings.js";

const TAB = "tab";
const DEFAULTS = { input: "", speaker: "", volume: 1, talk: "free", hangover: 300 };

export class Settings extends EventTarget {
  #form;
  #output;
  #values = { ...DEFAULTS, ...recall("settings", {}) };

  /** @param {HTMLFormElement} form  @param {HTMLAudioElement} output */
  constructor(form, output) {
    super();
    this.#form = form;
    this.#output = output;
    const { speaker, volume, talk, hangover } = form.elements;
    volume.value = this.#values.volume;
    talk.value = this.#values.talk;
    hangover.value = this.#values.hangover;
    speaker.hidden = !canChooseOutput();
    form.querySelector("#speaker-note").hidden = canChooseOutput();
    form.addEventListener("input", ({ target }) => this.#take(target));
    form.addEventListener("submit", (event) => event.preventDefault());
    navigator.mediaDevices?.addEventListener("devicechange", () => this.listDevices());
    this.#apply();
  }

  /** Opens what the person wants to be listened to. @returns {Promise<MediaStreamTrack>} */
  openSource = async () => {
    if (this.#values.input === TAB) return openTab();
    const track = await openMicrophone(this.#values.input);
    this.listDevices(); // only now does the browser tell their names
    return track;
  };

  /** "free" or "hold" (push-to-talk). */
  get talk() {
    return this.#values.talk;
  }

  /** The `vad` of x.session. */
  get vad() {
    const mode = this.#values.talk === "hold" ? "off" : "auto";
    return { mode, hangover_ms: this.#values.hangover };
  }

  /** Fill the lists of devices, in the interface's language. */
  async listDevices() {
    const [inputs, outputs] = await Promise.all([listDevices("audioinput"), listDevices("audiooutput")]);
    const tab = canCaptureTab() ? [{ id: TAB, label: text("tabSound") }] : [];
    const { input, speaker } = this.#form.elements;
    fill(input, [{ id: "", label: text("defaultMicrophone") }, ...inputs, ...tab], this.#values.input);
    fill(speaker, [{ id: "", label: text("defaultSpeaker") }, ...outputs], this.#values.speaker);
    this.#apply();
  }

  #take(control) {
    const value = control.type === "range" ? Number(control.value) : control.value;
    this.#values[control.name] = value;
    remember("settings", this.#values);
    this.#apply();
    const events = { input: "input", talk: "vad", hangover: "vad" };
    if (control.name in events) this.dispatchEvent(new Event(events[control.name]));
  }

  #apply() {
    const { volume, speaker, hangover, talk } = this.#values;
    this.#output.volume = volume;
    if (canChooseOutput() && this.#output.sinkId !== speaker) {
      this.#output.setSinkId(speaker).catch(() => {}); // it is not there now: the default plays
    }
    this.#form.querySelector("#hangover-shown").textContent = text("milliseconds", { value: hangover });
    this.#form.querySelector("#pause-setting").hidden = talk === "hold";
    document.body.dataset.talk = talk;
  }
}

/** A device that is gone stays remembered, but the default is shown and used. */
function fill(select, devices, chosen) {
  select.replaceChildren(...devices.map(({ id, label }) => new Option(label, id)));
  select.value = devices.some(({ id }) => id === chosen) ? chosen : "";
}
