/**
 * What of a visit this tab keeps over a reload: whose it is, what was typed, and that no colours are wanted.
 *
 * It lies in `sessionStorage` and nowhere else, so that `forgetStored` leaves nothing behind.
 */
const STORED_AS = "counter.visit";
const DRAFT_AS = "counter.draft";
const NO_COLOURS_AS = "counter.no-colours";

export interface StoredVisit {
  readonly visit_id: string;
  readonly visit_token: string;
}

/** The visit a reload left in this tab. */
export function storedVisit(): StoredVisit | null {
  return JSON.parse(sessionStorage.getItem(STORED_AS) ?? "null") as StoredVisit | null;
}

export function storeVisit(visit: StoredVisit): void {
  sessionStorage.setItem(STORED_AS, JSON.stringify(visit));
}

/** What was typed into the form so far; survives a reload, not the end of the visit. */
export function storedDraft(): Readonly<Record<string, string>> {
  return JSON.parse(sessionStorage.getItem(DRAFT_AS) ?? "{}") as Record<string, string>;
}

export function storeDraft(values: Readonly<Record<string, string>>): void {
  sessionStorage.setItem(DRAFT_AS, JSON.stringify(values));
}

/** Whether this person asked for no changing colours, now and in every further try of this visit. */
export function coloursUnwanted(): boolean {
  return sessionStorage.getItem(NO_COLOURS_AS) !== null;
}

export function storeColoursUnwanted(): void {
  sessionStorage.setItem(NO_COLOURS_AS, "asked");
}

/** Nothing of the visit is left in this tab. */
export function forgetStored(): void {
  for (const name of [STORED_AS, DRAFT_AS, NO_COLOURS_AS]) {
    sessionStorage.removeItem(name);
  }
}
