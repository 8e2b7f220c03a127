/**
 * Says that a file of the page did not come or broke, or that the browser is too old. Any file may be the one: so this
 * comes first, without modules and syntax from after 2017, and has words and a look of its own.
 */
{
  /** What can be wrong: places in `WORDS`. */
  const [LOST, BROKEN, OLD, AGAIN, DISMISS] = [0, 1, 2, 3, 4];
  const WORDS = {
    en: [
      "Part of this page could not be loaded",
      "Something went wrong on this page",
      "This browser is too old for this page. Use a current Chrome, Edge, Firefox or Safari.",
      "Try again",
      "Dismiss",
    ],
    ru: [
      "Часть страницы не загрузилась",
      "На странице произошла ошибка",
      "Этот браузер слишком стар для этой страницы. Откройте её в свежем Chrome, Edge, Firefox или Safari.",
      "Попробовать снова",
      "Скрыть",
    ],
    uk: [
      "Частину сторінки не вдалося завантажити",
      "На сторінці сталася помилка",
      "Цей браузер застарий для цієї сторінки. Відкрийте її у свіжому Chrome, Edge, Firefox або Safari.",
      "Спробувати ще раз",
      "Сховати",
    ],
    de: [
      "Ein Teil der Seite konnte nicht geladen werden",
      "Auf dieser Seite ist ein Fehler aufgetreten",
      "Dieser Browser ist zu alt für diese Seite. Nehmen Sie ein aktuelles Chrome, Edge, Firefox oder Safari.",
      "Noch einmal",
      "Ausblenden",
    ],
    es: [
      "No se pudo cargar una parte de la página",
      "Algo ha fallado en esta página",
      "Este navegador es demasiado antiguo para esta página. Use un Chrome, Edge, Firefox o Safari actual.",
      "Reintentar",
      "Ocultar",
    ],
    fr: [
      "Une partie de la page n’a pas pu être chargée",
      "Une erreur s’est produite sur cette page",
      "Ce navigateur est trop ancien pour cette page. Prenez un Chrome, Edge, Firefox ou Safari récent.",
      "Réessayer",
      "Masquer",
    ],
    it: [
      "Una parte della pagina non è stata caricata",
      "Si è verificato un errore in questa pagina",
      "Questo browser è troppo vecchio per questa pagina. Usa un Chrome, Edge, Firefox o Safari recente.",
      "Riprova",
      "Nascondi",
    ],
    pl: [
      "Nie udało się wczytać części strony",
      "Na tej stronie wystąpił błąd",
      "Ta przeglądarka jest zbyt stara dla tej strony. Użyj aktualnej wersji Chrome, Edge, Firefox albo Safari.",
      "Spróbuj ponownie",
      "Ukryj",
    ],
  };
  const root = document.documentElement;
  /** Where the page's own scripts are. */
  const HERE = /** @type {HTMLScriptElement} */ (document.currentScript).src.replace(/absent\.js.*/, "");
  /** Whether a fault was told of after the start. */ let told = false;
  const themed = CSS.supports("color", "light-dark(red, red)"); // as tokens.css has them
  const token = (name, plain) => (themed ? `var(--${name}, ${plain})` : plain);
  const BAR = `position: fixed; top: 0.75rem; right: 0.75rem; bottom: auto; left: 0.75rem; z-index: 9;
    box-sizing: border-box; display: flex; flex-wrap: wrap; align-items: center; gap: 0.5rem; width: auto;
    max-width: 44rem; max-height: calc(100% - 1.5rem); margin: 0 auto; overflow: auto;
    padding: 0.625rem 0.625rem 0.625rem 1.25rem;
    border: 1px solid ${token("warn-line", "currentcolor")}; border-radius: ${token("radius", "1rem")};
    background: white; color: black;
    background: ${token("warn-page", "Canvas")}; color: ${token("warn-ink", "CanvasText")};
    box-shadow: ${token("shadow-high", "none")}; font: 600 1rem/1.4 ${token("font", "sans-serif")}`;
  const BUTTON = `min-width: 2.75rem; min-height: 2.75rem; padding: 0 1rem; border: 1px solid; cursor: pointer;
    border-radius: 2rem; background: transparent; color: inherit; font: inherit`;

  /** Whether the browser lacks the newest of what no page can do without. */
  const isOld = () => !("showPopover" in HTMLElement.prototype);

  /** The interface's language, as interface.js has it. */
  const language = () => {
    let chosen = "";
    try {
      chosen = JSON.parse(localStorage.getItem("interface"));
    } catch (_) {} // forbidden
    const code = (chosen || navigator.language).slice(0, 2);
    return code in WORDS ? code : "en";
  };

  /** @param {number} what  LOST, BROKEN or OLD  @param {() => void} [again]  where another attempt may help */
  const show = (what, again) => {
    const there = document.getElementById("absent");
    if (there && what === BROKEN) return; // what broke for lack of that
    if (there) there.remove();
    const lang = language();
    const bar = document.createElement("div");
    const [sentence, buttons] = [document.createElement("span"), document.createElement("span")];
    /** What had the keyboard's focus before the bar. @type {any} */ let before = null;
    const addButton = (act) => {
      const button = document.createElement("button");
      button.type = "button";
      button.style.cssText = BUTTON;
      button.onclick = () => {
        bar.remove();
        if (!before || !before.isConnected) before = document.querySelector("#toggle");
        if (before) before.focus();
        act();
      };
      buttons.append(button);
      return button;
    };
    Object.assign(bar, { id: "absent", lang });
    bar.setAttribute("role", "alert");
    bar.setAttribute("popover", "manual");
    bar.style.cssText = BAR;
    sentence.style.cssText = "flex: 1 1 9rem; min-width: 0";
    sentence.textContent = WORDS[lang][what];
    buttons.style.cssText = "display: flex; gap: inherit; margin-left: auto";
    bar.append(sentence, buttons);
    if (again) addButton(again).textContent = WORDS[lang][AGAIN];
    const dismiss = addButton(() => {});
    dismiss.title = WORDS[lang][DISMISS];
    dismiss.setAttribute("aria-label", WORDS[lang][DISMISS]);
    dismiss.textContent = "✕";
    dismiss.style.cssText += "; padding: 0; border-color: transparent";
    bar.addEventListener("focusin", ({ relatedTarget }) => {
      if (!bar.contains(/** @type {Node} */ (relatedTarget))) before = relatedTarget;
    });
    root.append(bar);
    if (bar.showPopover) bar.showPopover(); // above panels that are open
  };

  const reload = () => location.reload();

  /**
   * Tell of the first fault of the page itself; loading anew would end what runs.
   *
   * @param {{name?: string}} error  @param {string} [from]  a file or a stack
   */
  const breakLater = ({ name }, from) => {
    if (told || name === "AbortError" || !String(from).includes(HERE)) return;
    told = true;
    show(BROKEN, document.body.hasAttribute("data-running") ? undefined : reload);
  };

  /** @param {any} event  an error or a rejection that nobody took */
  const look = (event) => {
    const { target } = event;
    const started = "started" in root.dataset; // then loading.js tells of sheets
    const sheet = target instanceof HTMLLinkElement && target.rel === "stylesheet" && !started;
    if (target instanceof HTMLScriptElement || sheet) return show(LOST, reload);
    if (target !== window) return;
    const error = event.error || event.reason || {};
    if (started) breakLater(error, event.filename || error.stack);
    else if (error.absent) show(LOST, reload);
    else if (isOld()) show(OLD);
    else show(BROKEN, reload);
  };
  addEventListener("error", look, true);
  addEventListener("unhandledrejection", look);
  addEventListener("absent", (/** @type {CustomEvent} */ { detail }) => show(LOST, detail));
  if (!("noModule" in HTMLScriptElement.prototype)) show(OLD); // it runs nothing else of the page
}
