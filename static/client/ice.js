/** ICE servers from the `Link` headers of an answer (RFC 9725 §4.6, RFC 8288). */

const LINK = /<([^>]*)>((?:[^,"]|"(?:[^"\\]|\\.)*")*)/g;
const PARAMETER = /;\s*([\w-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;,"]+))/g;

/**
 * @param {string} header  all of an answer's Link headers, joined by commas as `fetch` does
 * @returns {RTCIceServer[]}
 */
export function iceServersOf(header) {
  const servers = [];
  for (const [, url, rest] of header.matchAll(LINK)) {
    const found = {};
    for (const [, name, quoted, bare] of rest.matchAll(PARAMETER)) {
      found[name.toLowerCase()] = bare ?? quoted.replace(/\\(.)/g, "$1");
    }
    if (found.rel !== "ice-server") continue;
    const { username, credential } = found;
    servers.push({ urls: [url], ...(username && { username, credential }) });
  }
  return servers;
}
