/** An application with a room: it shows its participants, and under each what they mean. */
import { interpretRoom } from "./interpret.js";
import { Room } from "./room.js";

const asked = new URLSearchParams(location.search);
const url = asked.get("server") ?? "http://127.0.0.1:8000/";
const library = import(new URL("static/client.js", url));
const room = new Room();
/** @type {Map<string, HTMLElement>} */
const shown = new Map();

interpretRoom(room, {
  attach: async (...given) => (await library).attachTranslation(...given),
  url,
  language: asked.get("hear") ?? "en",
  opened({ identity, name }, { stream, captions }) {
    const [section, title, voice, list] = ["section", "h2", "audio", "ol"].map((tag) =>
      document.createElement(tag),
    );
    title.textContent = name;
    voice.autoplay = true;
    voice.srcObject = stream;
    captions.addEventListener("segment", ({ detail: { status, target } }) => {
      if (status !== "final") return;
      const caption = document.createElement("li");
      caption.lang = target.language;
      caption.textContent = target.text;
      list.append(caption);
    });
    section.append(title, voice, list);
    document.getElementById("participants").append(section);
    shown.set(identity, section);
  },
  closed({ identity }) {
    shown.get(identity)?.remove();
    shown.delete(identity);
  },
});

document.getElementById("join").addEventListener("click", () => room.connect());
document.getElementById("leave").addEventListener("click", () => room.disconnect());
