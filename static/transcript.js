/**
 * What was said and what it means, segment by segment. Pure: no DOM, no clock.
 *
 * A segment may be revised until it is final; after that nothing changes it. What one revision
 * commits no later one takes back: only the final text, which is what was translated, may differ.
 *
 * @typedef {object} Segment
 * @property {string} key  unique on this page, over all its sessions
 * @property {string} session  in which it was said
 * @property {Date} at  when it was said
 * @property {number} rev
 * @property {boolean} final
 * @property {"partial"|"final"|"not_understood"|"failed"} status
 * @property {{language: string, text: string, stable_chars: number, start_ms: number, end_ms: number}} source
 * @property {{language: string, text: string, stable_chars: number}} target
 * @property {{source: string, target: string}[]} [hints]  with not_understood
 * @property {string} [code]  with failed: why
 */
export class Transcript {
  /** @type {Map<string, Segment>} in the order of speaking */
  #segments = new Map();

  /**
   * Take an x.segment event.
   *
   * @param {Omit<Segment, "session"|"at">} event  with its `key`
   * @param {Date} now  when it came; the first event of a segment dates it
   * @returns {Segment|null} the segment, or null when the event is late and changes nothing
   */
  apply(event, now) {
    const { key, rev, final, status, source, target, hints, code } = event;
    const known = this.#segments.get(key);
    if (known && (known.final || rev <= known.rev)) return null;
    if (known && !final && !keeps(known.source, source)) return null;
    const at = known?.at ?? now;
    const session = key.slice(0, key.lastIndexOf("/"));
    const segment = { key, session, at, rev, final, status, source, target, hints, code };
    this.#segments.set(key, segment);
    return segment;
  }

  /** Take up an earlier conversation, before what is here. @param {Segment[]} segments */
  restore(segments) {
    const earlier = segments.filter(({ key }) => !this.#segments.has(key));
    const before = this.#segments;
    this.#segments = new Map(earlier.map((segment) => [segment.key, segment]));
    for (const [key, segment] of before) this.#segments.set(key, segment);
  }

  /** Forget everything. */
  clear() {
    this.#segments.clear();
  }

  /** Everything, in the order of speaking. @returns {Segment[]} */
  get segments() {
    return [...this.#segments.values()];
  }

  /** What was understood. @returns {Segment[]} */
  get understood() {
    return this.segments.filter((segment) => segment.status === "final");
  }
}

/** Whether the text begins with what was committed of it before. */
function keeps(before, now) {
  return now.text.startsWith(before.text.slice(0, before.stable_chars));
}
