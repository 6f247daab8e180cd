/** Which door this page is: the desk with a card reader, or a phone. */
import { createContext, useContext, useSyncExternalStore } from "react";
import type { KioskView, VisitView } from "../../../webrtc/web/wire";
import type { Visit } from "./visit";

export type Door =
  | { readonly channel: "kiosk"; readonly desk: KioskView | null; readonly refreshDesk: () => Promise<void> }
  | { readonly channel: "phone" };

export const DoorContext = createContext<Door>({ channel: "phone" });

export const useDoor = (): Door => useContext(DoorContext);

/** The visit, drawn again after each of its changes. */
export function useVisit(visit: Visit): VisitView | null {
  useSyncExternalStore(visit.subscribe, visit.snapshot);
  return visit.view;
}

export interface ScreenProps {
  readonly visit: Visit;
  readonly view: VisitView;
}
