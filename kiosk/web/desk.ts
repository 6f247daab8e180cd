/** What the kiosk agent says about this desk: reader, counter, name. */
import { useCallback, useEffect, useState } from "react";
import { Api, RefusedError } from "../../counter_server/web/kit/api";
import type { KioskView } from "../../webrtc/web/wire";

/** Faults must be known before a customer starts (research K31); the card screen asks each second on its own. */
const ASK_EVERY_MS = 5_000;
const agent = new Api();

export interface Desk {
  readonly desk: KioskView | null;
  readonly refreshDesk: () => Promise<void>;
}

export function useDesk(): Desk {
  const [desk, setDesk] = useState<KioskView | null>(null);
  const refreshDesk = useCallback(async () => {
    try {
      setDesk(await agent.get<KioskView>("/api/kiosk"));
    } catch (problem) {
      if (!(problem instanceof RefusedError)) {
        throw problem;
      }
      setDesk(null);
    }
  }, []);
  useEffect(() => {
    void refreshDesk();
    const timer = setInterval(() => void refreshDesk(), ASK_EVERY_MS);
    return () => clearInterval(timer);
  }, [refreshDesk]);
  return { desk, refreshDesk };
}
