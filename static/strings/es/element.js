/** Words of `<speech-translate>`, in Spanish. */
export const words = {
  element: {
    start: "Empezar a traducir",
    stop: "Parar",
    captions: "Subtítulos",
    opening: "Esperando el sonido…",
    connecting: "Conectando…",
    waiting: "El intérprete está lleno. Puesto en la cola: {position}",
    live: "Escuchando",
    reconnecting: "Se perdió la conexión, reintentando…",
    finishing: "Terminando la última frase…",
    closed: "Parado",
    limit: "El tiempo de la sesión se ha agotado. Empiece de nuevo para seguir.",
    refused: "El navegador no da el sonido. Permítalo en la barra de direcciones y empiece de nuevo.",
    silent: "Esa pestaña no da sonido. Elíjala otra vez y marque que se comparta su audio.",
    ended: "El sonido terminó.",
    unreachable: "No se llega al intérprete. Pruebe dentro de un momento.",
    busy: "El intérprete está lleno. Pruebe dentro de un momento.",
    unauthorized: "Esta página no puede usar el intérprete. Pregunte a quien lo administra.",
    not_understood: "No se entendió",
    failed: "No se pudo traducir",
  },
};
