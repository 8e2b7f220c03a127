/** What the pages of a room ask the server. */

const base = new URL("..", location.href);
export const room = location.pathname.split("/").at(-1);

let token = location.hash.startsWith("#ek_") ? location.hash.slice(1) : "";

/** Show another key from now on. @param {string} key */
export function useKey(key) {
  token = key;
}

/** A request to the server; where it asks for a key, with the page's own if it has one. */
export async function ask(path, init = {}) {
  const send = () =>
    fetch(new URL(path, base), { cache: "no-store", ...init, headers: { ...init.headers, ...authorization() } });
  const response = await send();
  if (response.status !== 401 || token) return response;
  const secret = await fetch(new URL("page/secret", base), { method: "POST" });
  if (!secret.ok) return response;
  token = (await secret.json()).value;
  return send();
}

function authorization() {
  return token ? { Authorization: `Bearer ${token}` } : {};
}

/**
 * Exchange offer and answer. @param {RTCPeerConnection} peer  @param {string} path
 * @returns {Promise<{status: number, hangUp: () => void}>}
 */
export async function connect(peer, path) {
  await peer.setLocalDescription();
  await gathered(peer);
  const response = await ask(path, {
    method: "POST",
    headers: { "Content-Type": "application/sdp" },
    body: peer.localDescription.sdp,
  });
  if (!response.ok) return { status: response.status, hangUp: () => {} };
  const location = new URL(response.headers.get("Location"), base);
  const hangUp = () => {
    const request = { method: "DELETE", keepalive: true, headers: authorization() };
    fetch(location, request).catch(() => {}); // it notices by itself, too
  };
  await peer.setRemoteDescription({ type: "answer", sdp: await response.text() });
  return { status: response.status, hangUp };
}

async function gathered(peer) {
  const timer = new Promise((resolve) => setTimeout(resolve, 1000));
  const complete = new Promise((resolve) => {
    const look = () => peer.iceGatheringState === "complete" && resolve();
    peer.addEventListener("icegatheringstatechange", look);
    look();
  });
  await Promise.race([timer, complete]);
}

/** Server-sent events by fetch, which can show a key. @yields {{id: string, data: string}} */
export async function* events(path, lastId, signal) {
  const headers = lastId ? { "Last-Event-ID": lastId } : {};
  const response = await ask(path, { headers, signal });
  if (!response.ok) throw Object.assign(new Error("refused"), { status: response.status });
  let rest = "";
  for await (const chunk of readable(response.body.pipeThrough(new TextDecoderStream()))) {
    const whole = (rest + chunk).split("\n\n");
    rest = whole.pop();
    for (const event of whole) {
      const fields = Object.fromEntries(event.split("\n").map((line) => line.split(/: (.*)/s)));
      if (fields.data) yield { id: fields.id, data: fields.data };
    }
  }
}

async function* readable(stream) {
  const reader = stream.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    yield value;
  }
}
