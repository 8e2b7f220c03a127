/**
 * Words of `<speech-translate>`, by language. Imported, not loaded when they are needed: the element
 * is to be defined before the next module script of its page runs.
 */
import { words as de } from "./strings/de/element.js";
import { words as en } from "./strings/en/element.js";
import { words as es } from "./strings/es/element.js";
import { words as fr } from "./strings/fr/element.js";
import { words as it } from "./strings/it/element.js";
import { words as pl } from "./strings/pl/element.js";
import { words as ru } from "./strings/ru/element.js";
import { words as uk } from "./strings/uk/element.js";

export const elementWords = { de, en, es, fr, it, pl, ru, uk };
