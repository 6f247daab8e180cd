/** What a page does by the state its visit is in. */
import type { VisitState } from "../../../webrtc/web/wire";

const WITH_CAMERA: readonly VisitState[] = [
  "face",
  "finger",
  "form",
  "confirm",
  "waiting",
  "serving",
  "reading",
  "countersigning",
  "approving",
];
const WITH_CLERK: readonly VisitState[] = ["serving", "reading", "countersigning"];
const ENDED: readonly VisitState[] = ["done", "refused", "cancelled", "interrupted"];

/** The counter looks at, forwards or records this page's pictures. */
export const wantsCamera = (state: VisitState): boolean => WITH_CAMERA.includes(state);

/** As the counter has it: clerk and customer are at it together. */
export const isWithClerk = (state: VisitState): boolean => WITH_CLERK.includes(state);

export const hasEnded = (state: VisitState): boolean => ENDED.includes(state);
