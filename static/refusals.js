/** Problems that the page tells apart by the server's own code, where the client library does not. */
const OWN = { rate_limit_exceeded: "limit_reached" };

/** A key of the strings' "problem". @param {{code: string, reason?: string}} error  as a `ClientError` */
export function problemOf({ code, reason = "" }) {
  return OWN[reason] ?? code;
}
