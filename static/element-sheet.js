/** The look of `<speech-translate>`, which takes colours and font from the system: its page has its own. */

export const sheet = new CSSStyleSheet(); // adopted, so that a strict Content-Security-Policy holds
sheet.replaceSync(`
  :host { display: block; font: 1rem/1.5 system-ui, sans-serif; color: CanvasText; }
  :host([hidden]) { display: none; }
  button { font: inherit; min-block-size: 2.75rem; padding-inline: 1.25rem; border-radius: 999px;
    border: 1px solid currentColor; background: Canvas; color: CanvasText; cursor: pointer; }
  button:focus-visible { outline: 3px solid Highlight; outline-offset: 2px; }
  button + [role="status"] { display: inline-block; margin: 0.25rem 0; }
  button:has(+ [role="status"]) { margin-inline-end: 0.75rem; }
  [part="hint"] { margin-block-start: 0.25rem; font-weight: 600; }
  [part="hint"]:empty { margin: 0; }
  [role="log"] { margin-block-start: 1rem; max-block-size: 20rem; overflow-y: auto; overflow-wrap: anywhere; }
  [role="log"]:empty { display: none; }
  [role="log"] > div { margin-block-end: 0.75rem; }
  p { margin: 0; }
  .source { font-size: 0.9em; }
  [data-status="partial"] { font-style: italic; }
  [data-status="partial"] p:last-child:empty::after { content: "…"; }
  .spoken { position: absolute; inline-size: 1px; block-size: 1px; overflow: hidden; clip-path: inset(50%); }
`);
