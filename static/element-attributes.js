/** The attributes of `<speech-translate>` that have a property of the same name. */

const REFLECTED = ["url", "source", "target", "input", "transport", "subtitles"];

/**
 * Element whose properties only mirror attributes.
 *
 * @type {new () => HTMLElement & Record<"url"|"source"|"target"|"input"|"transport"|"subtitles", string>}
 */
export const Reflecting = /** @type {any} */ (class extends HTMLElement {});
for (const name of REFLECTED) {
  Object.defineProperty(Reflecting.prototype, name, {
    configurable: true,
    enumerable: true,
    get() {
      return this.getAttribute(name) ?? "";
    },
    set(value) {
      this.setAttribute(name, value);
    },
  });
}
