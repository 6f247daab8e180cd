/** What this door offers, asked again while the choice is open, because queue and clerks change. */
import { useEffect, useState } from "react";
import type { CatalogueView } from "../../../webrtc/web/wire";
import { type Api, RefusedError } from "./api";

const ASK_EVERY_MS = 10_000;

export interface Offered {
  readonly catalogue: CatalogueView | null;
  readonly problem: RefusedError | null;
}

export function useCatalogue(api: Api, wanted: boolean): Offered {
  const [offered, setOffered] = useState<Offered>({ catalogue: null, problem: null });
  useEffect(() => {
    if (!wanted) {
      return;
    }
    let here = true;
    const ask = async (): Promise<void> => {
      try {
        const catalogue = await api.get<CatalogueView>("/api/catalogue");
        if (here) {
          setOffered({ catalogue, problem: null });
        }
      } catch (refusal) {
        if (here && refusal instanceof RefusedError) {
          setOffered((before) => ({ catalogue: before.catalogue, problem: refusal }));
        }
      }
    };
    void ask();
    const timer = setInterval(() => void ask(), ASK_EVERY_MS);
    return () => {
      here = false;
      clearInterval(timer);
    };
  }, [api, wanted]);
  return offered;
}
