/**
 * Server-sent events out of the body of an answer: by `fetch`, which can show a key.
 *
 * @param {ReadableStream<any>} body
 * @yields {{id: string, data: string}}
 */
export async function* serverEvents(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      const whole = (rest + value).split("\n\n");
      rest = whole.pop();
      for (const event of whole) {
        const fields = Object.fromEntries(event.split("\n").map((line) => line.split(/: (.*)/s)));
        if (fields.data) yield { id: fields.id, data: fields.data };
      }
    }
  } finally {
    reader.cancel().catch(() => {}); // who reads no further leaves no answer open
  }
}
