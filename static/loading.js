/** What a page loads only when it is needed: modules, and a sheet of style. */

/**
 * Load something, then use it. Where it does not come, absent.js offers to try again: browsers
 * ask anew for such a module.
 *
 * @template T
 * @param {() => Promise<T>} load
 * @param {(loaded: T) => unknown} use
 */
export function withLoaded(load, use) {
  const ask = () =>
    load().then(
      (loaded) => {
        document.getElementById("absent")?.remove();
        return use(loaded);
      },
      () => dispatchEvent(new CustomEvent("absent", { detail: ask })),
    );
  return ask();
}

/** @param {string} name  of a file beside this one  @returns {Promise<void>} when it applies */
export function loadSheet(name) {
  const link = document.createElement("link");
  link.rel = "stylesheet";
  link.href = new URL(name, import.meta.url).href;
  return new Promise((done, failed) => {
    link.onload = () => done();
    link.onerror = () => {
      link.remove();
      failed(new Error(name));
    };
    document.head.append(link);
  });
}
