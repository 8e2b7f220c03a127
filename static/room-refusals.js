/** Words for what the server refuses on the pages of a room, by its own code: keys of the strings' "room". */

/** To who would speak. The rest has general words: "notLetIn". */
export const speakerRefusals = {
  invalid_api_key: "keyNeeded",
  forbidden: "forbidden",
  room_taken: "taken",
  unsupported_language: "noLanguage",
  rate_limit_exceeded: "limit",
};

/** To a listener, whose page goes on trying. The rest has general words: "lost". */
export const listenerRefusals = {
  invalid_api_key: "refused",
  forbidden: "refused",
  room_silent: "waiting",
  room_not_found: "waiting",
  session_limit_reached: "full",
  rate_limit_exceeded: "busy",
  not_ready: "busy",
};
