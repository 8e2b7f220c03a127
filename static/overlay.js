/**
 * The newest captions in a small window that lies over other windows, as over a call: Document
 * Picture-in-Picture where the browser has it, else a popup window.
 */
import { caption, inLanguage, targetParts } from "./caption-row.js";
import { followEnd, reachByKeyboard } from "./client/scrolling.js";
import { text } from "./i18n.js";

const LINES = 3;
const SIZE = { width: 640, height: 200 };
const LOOK = ["data-large", "data-contrast"];

/** Fires "open" {} and "close" {}. */
export class Overlay extends EventTarget {
  /** @type {Window|null} */ #window = null;
  #title = document.createElement("h1");
  #list = makeList();
  /** @type {Map<string, HTMLLIElement>} the lines shown, oldest first */ #lines = new Map();

  constructor() {
    super();
    new MutationObserver(() => this.#takeLook()).observe(document.documentElement, {
      attributeFilter: LOOK,
    });
    addEventListener("pagehide", () => this.close());
  }

  /** @returns {boolean} */
  get isOpen() {
    return this.#window !== null;
  }

  /** Open the window; wants a click. @returns {Promise<boolean>} whether the browser opened it */
  async open() {
    const shown = await openWindow().catch(() => null);
    if (!shown) return false;
    this.#window = shown;
    for (const name of ["tokens", "overlay"]) {
      const sheet = shown.document.createElement("link");
      sheet.rel = "stylesheet";
      sheet.href = new URL(`styles/${name}.css`, import.meta.url).href;
      shown.document.head.append(sheet);
    }
    const list = makeList(); // of its own for each window, whose layout it follows
    list.append(...this.#list.children);
    this.#list = list;
    const main = shown.document.createElement("main");
    main.append(this.#title, list);
    shown.document.body.append(main);
    reachByKeyboard(list);
    followEnd(list);
    shown.addEventListener("pagehide", () => this.#closed());
    this.#takeLook();
    this.dispatchEvent(new Event("open"));
    return true;
  }

  close() {
    this.#window?.close();
  }

  /** Show a segment, new or revised. @param {import("./transcript.js").Segment} segment */
  show(segment) {
    let line = this.#lines.get(segment.key);
    const nothing = segment.status === "not_understood" || !(segment.source.text || segment.target.text);
    if (nothing) {
      line?.remove();
      this.#lines.delete(segment.key);
      return;
    }
    if (!line) {
      line = document.createElement("li");
      this.#lines.set(segment.key, line);
      this.#list.append(line);
    }
    const source = paragraph("overlay-source", segment.source.language);
    source.append(...caption(segment.source, segment.final));
    const target = paragraph("overlay-target", segment.target.language);
    target.append(...targetParts({ segment, playout: "", over: false }));
    line.replaceChildren(source, target);
    for (const [key, oldest] of this.#lines) {
      if (this.#lines.size <= LINES) break;
      oldest.remove();
      this.#lines.delete(key);
    }
  }

  /** Mark what is being spoken. As `CaptionLog`'s. */
  showPlayout(key, playout) {
    const line = this.#lines.get(key);
    if (line) line.dataset.playout = playout;
  }

  /** What the voice left out is marked in the log; there is no room for it here. */
  showSkipped() {}

  /** The session is over. */
  settle() {
    this.clear();
  }

  clear() {
    this.#lines.clear();
    this.#list.replaceChildren();
  }

  /** Take the interface's language anew. */
  translateInterface() {
    this.#takeLook();
  }

  #takeLook() {
    if (!this.#window) return;
    const { documentElement: root } = this.#window.document;
    this.#window.document.title = this.#title.textContent = text("captions");
    this.#list.setAttribute("aria-label", text("captions"));
    root.lang = document.documentElement.lang;
    for (const name of LOOK) root.toggleAttribute(name, document.documentElement.hasAttribute(name));
  }

  #closed() {
    this.#window = null;
    this.dispatchEvent(new Event("close"));
  }
}

/** @returns {Promise<Window|null>} null where the browser blocks popups */
async function openWindow() {
  if (globalThis.documentPictureInPicture) return documentPictureInPicture.requestWindow(SIZE);
  return window.open("", "captions", `popup,width=${SIZE.width},height=${SIZE.height}`);
}

function makeList() {
  const list = document.createElement("ol");
  list.className = "overlay-lines";
  return list;
}

function paragraph(className, language) {
  const element = document.createElement("p");
  element.className = className;
  return inLanguage(element, language);
}
