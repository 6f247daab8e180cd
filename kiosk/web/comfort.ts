/** How this customer wants the screen; kept for this customer only and gone with the wipe (research K8, K17, K20). */
import { useEffect, useState } from "react";

export interface Comfort {
  readonly large: boolean;
  readonly contrast: boolean;
  readonly low: boolean;
}

const PLAIN: Comfort = { large: false, contrast: false, low: false };
const STORED_AS = "counter.comfort";

export interface ComfortState {
  readonly comfort: Comfort;
  readonly toggle: (which: keyof Comfort) => void;
  readonly reset: () => void;
}

export function useComfort(): ComfortState {
  const [comfort, setComfort] = useState<Comfort>(
    () => JSON.parse(sessionStorage.getItem(STORED_AS) ?? "null") ?? PLAIN,
  );
  useEffect(() => {
    const page = document.documentElement.dataset;
    page["text"] = comfort.large ? "large" : "plain";
    page["contrast"] = comfort.contrast ? "high" : "plain";
    page["reach"] = comfort.low ? "low" : "plain";
  }, [comfort]);
  const keep = (next: Comfort): void => {
    sessionStorage.setItem(STORED_AS, JSON.stringify(next));
    setComfort(next);
  };
  return {
    comfort,
    toggle: (which) => keep({ ...comfort, [which]: !comfort[which] }),
    reset: () => keep(PLAIN),
  };
}
