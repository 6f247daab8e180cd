/** Words for the named checks. The counter may add checks: an unknown name is shown readably, never hidden. */
import type { Language, Text } from "../../../../webrtc/web/wire";

const checkWords: Readonly<Record<string, Text>> = {};

/** The check's name in words. */
export function checkName(name: string, language: Language): string {
  const known = checkWords[name];
  if (known) {
    return known[language];
  }
  const readable = name.replaceAll(/[_.]/g, " ");
  return readable.charAt(0).toUpperCase() + readable.slice(1);
}
