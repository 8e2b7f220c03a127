/**
 * Says that a file of the page did not come, and offers to try again. No module, and before all else: any
 * of them may be what did not come. The words are those of strings/, which may not have come either.
 */
{
  const WORDS = {
    en: ["The server does not answer", "Try again"],
    ru: ["Сервер не отвечает", "Попробовать снова"],
    uk: ["Сервер не відповідає", "Спробувати ще раз"],
    de: ["Der Server antwortet nicht", "Noch einmal"],
    es: ["El servidor no responde", "Reintentar"],
    fr: ["Le serveur ne répond pas", "Réessayer"],
    it: ["Il server non risponde", "Riprova"],
    pl: ["Serwer nie odpowiada", "Spróbuj ponownie"],
  };

  const show = (again) => {
    let chosen;
    try {
      chosen = JSON.parse(localStorage.getItem("interface"));
    } catch {}
    const code = (chosen || navigator.language).slice(0, 2);
    const lang = code in WORDS ? code : "en";
    const button = document.createElement("button");
    const bar = Object.assign(document.createElement("div"), { id: "absent", role: "alert", lang, popover: "manual" });
    [bar.textContent, button.textContent] = WORDS[lang];
    button.onclick = () => {
      bar.remove();
      again();
    };
    bar.append(" ", button);
    document.getElementById("absent")?.remove();
    document.documentElement.append(bar);
    bar.showPopover?.(); // above panels that are open
  };

  /** @param {Event} event */
  const look = ({ target }) => {
    const file = target instanceof HTMLScriptElement || (target instanceof HTMLLinkElement && target.sheet === null);
    if (file || !("started" in document.documentElement.dataset)) show(() => location.reload());
  };
  addEventListener("error", look, true);
  addEventListener("unhandledrejection", look);
  addEventListener("absent", (/** @type {CustomEvent} */ { detail }) => show(detail));
}
