/** The browser's half of WebAuthn: options in as JSON text, the credential out as JSON text. */
import { RefusedError } from "./api";

/** Whether keys can be used on this page at all: its address must be safe and have a name. */
export const passkeysWork = (): boolean =>
  typeof PublicKeyCredential !== "undefined" && /[a-z]/i.test(window.location.hostname);

export function makePasskey(options: string): Promise<string> {
  return asText(() =>
    navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(JSON.parse(options)) }),
  );
}

export function answerByPasskey(options: string): Promise<string> {
  return asText(() =>
    navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(JSON.parse(options)) }),
  );
}

/** The person said no, took too long, or the device could not: all the same to the page. */
async function asText(ask: () => Promise<Credential | null>): Promise<string> {
  const credential = await ask().catch(() => null);
  if (!(credential instanceof PublicKeyCredential)) {
    throw new RefusedError("passkey_refused");
  }
  return JSON.stringify(credential.toJSON());
}
