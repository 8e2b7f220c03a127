/** What the page needs for a session only, and loads with the first: it is there sooner without. */
import "./audio.js";

export { HeadphoneAdvice } from "./advice.js";
export { Conversation } from "./conversation.js";
export { Details } from "./details.js";
export { follow } from "./follow.js";
export { Lag } from "./lag.js";
export { Sound } from "./sound.js";
export { holdToTalk } from "./talk.js";
export { WakeLock } from "./wake.js";
