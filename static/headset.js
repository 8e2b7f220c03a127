/**
 * Whether a microphone hears what is played, judged by the names of devices: browsers tell no
 * more about them. Pure.
 */
const WORN = /head(set|phone)|ear(phone|bud|piece|pod)|airpod|\bbuds|наушник|гарнитур|kopfhörer|casque|écouteur|auricular|cuffi/i;
const LOUD = /speaker|lautsprecher|haut-parleur|altavo|altoparlant|динамик|колонк|hdmi|displayport|monitor|\btv\b|built-in|встроен/i;

/**
 * @param {string} output  name of the device in use; "" where the browser does not tell: a phone
 *     or a laptop that is mostly used with its own loudspeakers
 * @returns {boolean}
 */
export function isLoudspeaker(output) {
  return output === "" || (LOUD.test(output) && !WORN.test(output));
}
