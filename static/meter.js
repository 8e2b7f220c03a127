/**
 * `<level-meter>`: the last second or so of loudness as a row of bars, coloured while speech is
 * heard. With reduced motion the bars stand still and fill with the level instead.
 */
const BARS = 40;
const FLOOR_DB = -60;
const ARIA_MS = 500;

export class LevelMeter extends HTMLElement {
  #levels = new Array(BARS).fill(0);
  #bars = [];
  #drawn = false;
  #announced = 0;
  #still = matchMedia("(prefers-reduced-motion: reduce)");

  connectedCallback() {
    this.setAttribute("role", "meter");
    this.setAttribute("aria-valuemin", "0");
    this.setAttribute("aria-valuemax", "100");
    this.setAttribute("aria-valuenow", "0");
    this.#bars = this.#levels.map(() => document.createElement("i"));
    this.replaceChildren(...this.#bars);
    this.#draw();
  }

  /** @param {number} rms  0 to 1 */
  push(rms) {
    const db = 20 * Math.log10(Math.max(rms, 1e-6));
    this.#levels.push(Math.max(0, 1 - db / FLOOR_DB));
    this.#levels.shift();
    if (this.#drawn) return;
    this.#drawn = true;
    requestAnimationFrame((now) => {
      this.#drawn = false;
      this.#draw();
      if (now - this.#announced > ARIA_MS) {
        this.#announced = now;
        this.setAttribute("aria-valuenow", String(Math.round(this.level * 100)));
      }
    });
  }

  /** Loudness now, 0 (silence) to 1 (as loud as it gets). */
  get level() {
    return this.#levels.at(-1);
  }

  reset() {
    this.#levels.fill(0);
    this.setAttribute("aria-valuenow", "0");
    this.#draw();
  }

  #draw() {
    this.#bars.forEach((bar, index) => {
      const still = this.level * BARS > index ? 0.7 : 0;
      const height = this.#still.matches ? still : this.#levels[index];
      bar.style.transform = `scaleY(${Math.max(0.06, height).toFixed(3)})`;
    });
  }
}

customElements.define("level-meter", LevelMeter);
