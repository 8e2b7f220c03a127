/**
 * What was said and what it means, segment by segment. Pure: no DOM, no clock.
 *
 * A segment may be revised until it is final; after that nothing changes it.
 *
 * @typedef {object} Segment
 * @property {string} key  unique on this page, over all its sessions
 * @property {Date} at  when it was said
 * @property {number} rev
 * @property {boolean} final
 * @property {"partial"|"final"|"not_understood"|"failed"} status
 * @property {{language: string, text: string, stable_chars: number, start_ms: number, end_ms: number}} source
 * @property {{language: string, text: string, stable_chars: number}} target
 * @property {{source: string, target: string}[]} [hints]  with not_understood
 * @property {string} [message]  with failed
 */
export class Transcript {
  /** @type {Map<string, Segment>} in the order of speaking */
  #segments = new Map();

  /**
   * Take an x.segment event.
   *
   * @param {object} event  with its `key`
   * @param {Date} now  when it came; the first event of a segment dates it
   * @returns {Segment|null} the segment, or null when the event is late and changes nothing
   */
  apply(event, now) {
    const { key, rev, final, status, source, target, hints, message } = event;
    const known = this.#segments.get(key);
    if (known && (known.final || rev <= known.rev)) return null;
    const at = known?.at ?? now;
    const segment = { key, at, rev, final, status, source, target, hints, message };
    this.#segments.set(key, segment);
    return segment;
  }

  /** Forget everything. */
  clear() {
    this.#segments.clear();
  }

  /** What was understood. @returns {Segment[]} */
  get understood() {
    return [...this.#segments.values()].filter((segment) => segment.status === "final");
  }
}
