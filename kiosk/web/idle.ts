/** Nobody touches the kiosk any more: first a warning, then everything is erased (research K4 to K6). */
import { useCallback, useEffect, useState } from "react";

/** Reading one screen takes up to a minute; after the warning there are 30 s, above the 20 s of WCAG 2.2.1. */
const QUIET_MS = 75_000;
const WARNING_S = 30;

export interface Idle {
  /** Seconds until everything is erased; null while nobody is warned. */
  readonly left_s: number | null;
  readonly stay: () => void;
}

/** Counts down while `armed`; every touch, key and change of `activity` begins anew. */
export function useIdle(armed: boolean, activity: unknown, onEnd: () => void): Idle {
  const [left_s, setLeft] = useState<number | null>(null);
  const [round, setRound] = useState(0);
  const stay = useCallback(() => {
    setLeft(null);
    setRound((before) => before + 1);
  }, []);
  const warned = left_s !== null;

  useEffect(() => {
    if (!armed || warned) {
      return;
    }
    // `round` and `activity` are read here only to begin anew when they change
    void round;
    void activity;
    const timer = setTimeout(() => setLeft(WARNING_S), QUIET_MS);
    window.addEventListener("pointerdown", stay);
    window.addEventListener("keydown", stay);
    return () => {
      clearTimeout(timer);
      window.removeEventListener("pointerdown", stay);
      window.removeEventListener("keydown", stay);
    };
  }, [armed, warned, round, activity, stay]);

  useEffect(() => {
    if (left_s === null) {
      return;
    }
    if (!armed) {
      setLeft(null);
      return;
    }
    if (left_s <= 0) {
      setLeft(null);
      onEnd();
      return;
    }
    const timer = setTimeout(() => setLeft(left_s - 1), 1_000);
    return () => clearTimeout(timer);
  }, [left_s, armed, onEnd]);

  return { left_s, stay };
}
