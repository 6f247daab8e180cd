/** Which browser this is, only to tell a person where its permission switch is; nothing else may depend on it. */

export type BrowserKind = "ios" | "android" | "firefox" | "safari" | "chrome";

export function browserKind(agent: string = navigator.userAgent): BrowserKind {
  if (/iPhone|iPad|iPod/.test(agent)) {
    return "ios"; // every browser there is Safari's engine, and the switch is in the system's settings
  }
  if (/Android/.test(agent)) {
    return "android";
  }
  if (/Firefox\//.test(agent)) {
    return "firefox";
  }
  return /Safari\//.test(agent) && !/Chrom(e|ium)\//.test(agent) ? "safari" : "chrome"; // Edge has Chrome's switch
}
