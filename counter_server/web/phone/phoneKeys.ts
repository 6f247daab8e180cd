/** The phone's half of being recognised: what it asks the counter and its own authenticator, and what it remembers. */
import type { KeepPhoneKey, PasskeyQuestion, ShowPhoneKey } from "../../../webrtc/web/wire";
import { answerByPasskey, makePasskey } from "../kit/passkeys";
import type { Visit } from "../kit/visit";

/** Only that there is one: no name, no number. Without it the page asks nobody who cannot answer. */
const KEPT_AS = "counter.phone-key";

export const wasKept = (): boolean => localStorage.getItem(KEPT_AS) !== null;

/** Show the passkey of an earlier visit. */
export async function showKey(visit: Visit): Promise<void> {
  const { options } = await visit.ask<PasskeyQuestion>("phone-key/question");
  const shown: ShowPhoneKey = { credential: await answerByPasskey(options) };
  await visit.act("phone-key", shown);
  localStorage.setItem(KEPT_AS, "yes");
}

/** Make a passkey for the next visit. */
export async function keepKey(visit: Visit): Promise<void> {
  const { options } = await visit.ask<PasskeyQuestion>("phone-key/new-question");
  const made: KeepPhoneKey = { credential: await makePasskey(options) };
  await visit.act("phone-key/new", made);
  localStorage.setItem(KEPT_AS, "yes");
}

/** Have the counter forget it. */
export async function removeKey(visit: Visit): Promise<void> {
  await visit.act("phone-key/remove", {});
  localStorage.removeItem(KEPT_AS);
}
