/** The face check as this page sees it: when it begins, what the camera wants now, and that it never goes silent. */
import type { CallState } from "../../../webrtc/web/call";
import type { FromPage, Guidance, VisitView } from "../../../webrtc/web/wire";
import { coloursUnwanted, storeColoursUnwanted } from "./storedVisit";

/** The counter tells every change of what it sees; a person who stands still and unseen may cause none for a while. */
const SILENT_CHECK_MS = 30_000;
const MEDIA_RETRY_MS = 2_000;

interface FaceCheckParts {
  readonly send: (message: FromPage) => void;
  /** How the leg is that carries this page's pictures to the counter. */
  readonly leg: () => CallState;
  readonly changed: () => void;
}

export class FaceCheck {
  readonly #parts: FaceCheckParts;
  #view: VisitView | null = null;
  #guidance: Guidance | null = null;
  #asked = false;
  #running = false;
  #silence: ReturnType<typeof setTimeout> | undefined;

  constructor(parts: FaceCheckParts) {
    this.#parts = parts;
  }

  /** What the camera wants now. */
  get guidance(): Guidance | null {
    return this.#guidance;
  }

  /** The camera is being looked at; false once the last check has ended without success. */
  get running(): boolean {
    return this.#running;
  }

  /** Begin or repeat. */
  start(): void {
    this.#guidance = null;
    this.#asked = true;
    this.#running = true;
    this.#parts.send({ type: "start_face", colours: mayShowColours() });
    this.#startAgainAfter(SILENT_CHECK_MS);
    this.#parts.changed();
  }

  /** The person cannot do this movement: ask for another one. */
  askAnotherMovement(): void {
    this.#parts.send({ type: "ask_another_movement" });
  }

  /** No changing colours for this person, now and in every further try of this visit. */
  stopColours(): void {
    storeColoursUnwanted();
    this.#parts.send({ type: "stop_colours" });
    if (this.#guidance !== null) {
      this.#guidance = { ...this.#guidance, colour: null }; // at once, not when the counter has heard
    }
    this.#parts.changed();
  }

  /** The counter says what to change. */
  hear(guidance: Guidance): void {
    this.#guidance = guidance;
    this.#startAgainAfter(SILENT_CHECK_MS);
    const page = document.documentElement.dataset; // whoever drives a simulated person reads it here
    page["faceGuidance"] = guidance.code;
    if (guidance.movement === null) {
      delete page["faceMovement"];
    } else {
      page["faceMovement"] = guidance.movement;
    }
  }

  /** The page's leg is up before the counter has seen a picture on it. */
  hearNoPictures(): void {
    if (this.#running) {
      this.#startAgainAfter(MEDIA_RETRY_MS);
    }
  }

  /** The visit has moved: a try has its answer, or a check is due. */
  follow(view: VisitView): void {
    const known = this.#view;
    this.#view = view;
    if (view.state !== "face" || (view.face !== null && view.face.attempts_left !== known?.face?.attempts_left)) {
      this.#running = false;
      this.#forgetGuidance();
    }
    if (known?.state !== view.state) {
      this.#asked = false; // a face asked for again in mid-call is a new check
    }
    this.startWhenReady();
  }

  /** A new leg needs the check to begin anew. */
  legJoins(): void {
    this.#asked = false;
  }

  /** The first check begins by itself; a repetition is the person's own wish, because tries are counted. */
  startWhenReady(): void {
    const waits = this.#view?.state === "face" && this.#view.face === null && !this.#asked;
    if (waits && this.#parts.leg() === "connected") {
      this.start();
    }
  }

  /** Stop waiting for anything. */
  close(): void {
    this.#running = false;
    this.#forgetGuidance();
  }

  /** A check that says nothing for so long has lost its eyes (a worker that restarted); this costs no try. */
  #startAgainAfter(wait_ms: number): void {
    clearTimeout(this.#silence);
    this.#silence = setTimeout(() => {
      if (this.#running && this.#parts.leg() === "connected") {
        this.start();
      }
    }, wait_ms);
  }

  #forgetGuidance(): void {
    clearTimeout(this.#silence);
    this.#guidance = null;
    delete document.documentElement.dataset["faceGuidance"];
    delete document.documentElement.dataset["faceMovement"];
  }
}

/** Whoever asked for less motion, for more contrast or for colours of their own is shown none. */
function mayShowColours(): boolean {
  const wishes = ["(prefers-reduced-motion: reduce)", "(prefers-contrast: more)", "(forced-colors: active)"];
  const plain = document.documentElement.dataset["contrast"] !== "high";
  return plain && !coloursUnwanted() && !wishes.some((wish) => matchMedia(wish).matches);
}
