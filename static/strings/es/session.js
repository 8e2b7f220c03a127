/** Words of a session and its details panel, loaded with the first one, in Spanish. */
export const words = {
  path: {
    udp: "WebRTC, UDP",
    tcp: "WebRTC, TCP",
    relay: "WebRTC, por un retransmisor",
    websocket: "WebSocket",
  },

  detail: {
    connection: "Conexión",
    delay: "De voz a voz",
    earVoice: "Retraso tras quien habla",
    delayEnd: "· fin de frase detectado",
    delayTranslation: "· traducido",
    delayVoice: "· empieza la voz",
    waiting: "Esperando la voz",
    dropped: "Descartados",
    roundTrip: "Ida y vuelta",
    lossUp: "Pérdidas de ida",
    lossDown: "Pérdidas de vuelta",
    jitter: "Fluctuación",
  },

  problem: {
    webrtc_missing: [
      "Este navegador no tiene WebRTC",
      "Abra la página en un Chrome, Edge, Firefox o Safari actual y compruebe que ninguna extensión desactive WebRTC.",
    ],
    microphone_refused: [
      "El micrófono no está permitido",
      "Permítalo para esta página en la barra de direcciones y vuelva a intentarlo.",
    ],
    microphone_missing: ["No hay ningún micrófono", "Conecte o encienda uno y vuelva a intentarlo."],
    microphone_busy: [
      "No se puede abrir el micrófono",
      "Quizá lo use otro programa. Ciérrelo y vuelva a intentarlo.",
    ],
    tab_refused: [
      "No se eligió ninguna pestaña",
      "Inténtelo de nuevo: elija una pestaña o la pantalla y active la opción de compartir su sonido.",
    ],
    tab_silent: [
      "El navegador dio imagen, pero no sonido",
      "Active en el diálogo la opción de compartir el sonido. Algunos navegadores solo dan el de las pestañas y otros ninguno: pruebe Chrome o Edge.",
    ],
    file_missing: ["Ningún archivo elegido", "Elija abajo un archivo de audio o vídeo y empiece de nuevo."],
    source_ended: [
      "Se perdió el sonido",
      "Se desconectó el micrófono o se dejó de compartir. Empiece de nuevo cuando vuelva.",
    ],
    microphone_gone: [
      "Se perdió el micrófono",
      "En su lugar escucha el predeterminado. Puede elegir otro en la lista de abajo.",
    ],
    speaker_gone: [
      "Se perdió el altavoz elegido",
      "Hasta que vuelva suena el dispositivo predeterminado.",
    ],
    connect_failed: [
      "El sonido no llega al servidor",
      "La página sí llega, pero el sonido no: quizá un cortafuegos o una VPN bloquee UDP. Pruebe otra red.",
    ],
    connection_lost: [
      "Se perdió la conexión",
      "Falló la red entre usted y el servidor. Sus subtítulos se conservan. Empiece de nuevo cuando vuelva.",
    ],
    server_gone: [
      "El servidor ya no está",
      "Lo pararon o se está reiniciando. Sus subtítulos se conservan. Empiece de nuevo en un momento.",
    ],
    session_ended: [
      "El servidor terminó la sesión",
      "Quizá se esté reiniciando. Sus subtítulos se conservan. Empiece de nuevo en un momento.",
    ],
    session_limit: [
      "El tiempo de la sesión se ha agotado",
      "El servidor limita el tiempo por sesión y por día. Sus subtítulos se conservan. Empiece de nuevo para seguir.",
    ],
    session_idle: [
      "La sesión terminó: nadie hablaba",
      "Sus subtítulos se conservan. Empiece de nuevo cuando quiera seguir.",
    ],
    playback_blocked: ["El navegador bloqueó el sonido", "Pulse el botón para oír la traducción."],
    own_voice: [
      "El micrófono oye la traducción",
      "Lo que oye de ella no se traduce otra vez. Use auriculares o baje el volumen.",
    ],
    engine_slow: [
      "La traducción se retrasa",
      "El servidor está en ello. Siga hablando: llegará en cuanto esté lista.",
    ],
    no_pause: [
      "No se oyen pausas",
      "Quizá por voces alrededor. Mantenga un botón mientras habla: así se sabe dónde termina la frase.",
    ],
    slow_network: [
      "La red es lenta",
      "Parte de lo dicho no se pudo enviar. Acérquese al router o pruebe otra red.",
    ],
    replay_incomplete: [
      "Aquí faltan subtítulos",
      "Estuvo tanto tiempo fuera que el servidor no los envió otra vez.",
    ],
    notice: ["El servidor avisa de un problema", "La conversación sigue."],
    expiring: [
      "La conversación acabará pronto",
      "Su tiempo en este servidor casi se ha agotado. Termine la frase y empiece de nuevo.",
    ],
    expiring_idle: [
      "Hace mucho que nadie habla",
      "La sesión termina en un minuto. Diga algo para conservarla.",
    ],
  },
};
