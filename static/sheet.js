/**
 * Load a sheet of style that the page does without at first.
 *
 * @param {string} name  of a file beside this one
 * @returns {Promise<void>} when it applies, or could not be loaded
 */
export function loadSheet(name) {
  const link = document.createElement("link");
  link.rel = "stylesheet";
  link.href = new URL(name, import.meta.url).href;
  return new Promise((done) => {
    link.onload = link.onerror = () => done();
    document.head.append(link);
  });
}
