/**
 * One visit in this page: its view, its live channel, its camera and its call. Components only draw it.
 *
 * The token is kept in `sessionStorage`, so a reloaded page goes on where it was, and `wipe` leaves nothing behind.
 */
import { Call } from "../../../webrtc/web/call";
import { Devices } from "../../../webrtc/web/devices";
import { Listeners } from "../../../webrtc/web/listeners";
import { NetworkCheck } from "../../../webrtc/web/network_check";
import { SecondPicture } from "../../../webrtc/web/second_picture";
import { LiveChannel } from "../../../webrtc/web/signalling";
import type {
  AskFinger,
  CannotGiveFinger,
  CardAccess,
  Guidance,
  Language,
  OpenVisit,
  PageSeen,
  ShownKind,
  SignDocument,
  SubmitForm,
  ToPage,
  VisitOpened,
  VisitState,
  VisitView,
} from "../../../webrtc/web/wire";
import { type Api, RefusedError } from "./api";

const STORED_AS = "counter.visit";
const DRAFT_AS = "counter.draft";
const NO_COLOURS_AS = "counter.no-colours";

/** The counter tells every change of what it sees; a person who stands still and unseen may cause none for a while. */
const SILENT_CHECK_MS = 30_000;
const MEDIA_RETRY_MS = 2_000;

/** In these states the counter looks at, forwards or records this page's pictures. */
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
const ENDED: readonly VisitState[] = ["done", "refused", "cancelled", "interrupted"];

export const hasEnded = (state: VisitState): boolean => ENDED.includes(state);

interface Stored {
  readonly visit_id: string;
  readonly visit_token: string;
}

export class Visit {
  readonly api: Api;
  readonly devices = new Devices();
  /** What the customer shows beside themselves. */
  readonly second = new SecondPicture(this.devices);
  readonly #changes = new Listeners();
  #id = "";
  #view: VisitView | null = null;
  #channel: LiveChannel | null = null;
  #call: Call | null = null;
  #third: Call | null = null;
  #shown: Call | null = null;
  #lineCheck: NetworkCheck | null = null;
  #guidance: Guidance | null = null;
  #trouble: RefusedError | null = null;
  #faceAsked = false;
  #checking = false;
  #silence: ReturnType<typeof setTimeout> | undefined;
  #gone = false;
  #snapshot = 0;

  constructor(api: Api) {
    this.api = api;
    this.devices.subscribe(() => this.#changed());
    this.second.subscribe(() => this.#secondChanged());
    this.devices.onTrouble((trouble) => this.#channel?.send(trouble));
  }

  get view(): VisitView | null {
    return this.#view;
  }

  get call(): Call | null {
    return this.#call;
  }

  /** Whoever joined the call beside the clerk. */
  get third(): Call | null {
    return this.#third;
  }

  /** The test of this page's line, which runs while the customer reads what they consent to. */
  get lineCheck(): NetworkCheck | null {
    return this.#lineCheck;
  }

  /** What the camera wants now. */
  get guidance(): Guidance | null {
    return this.#guidance;
  }

  /** The camera is being looked at; false once the last check has ended without success. */
  get checking(): boolean {
    return this.#checking;
  }

  /** A live message the counter could not do. */
  get trouble(): RefusedError | null {
    return this.#trouble;
  }

  /** The counter no longer knows this visit: only starting again helps. */
  get gone(): boolean {
    return this.#gone;
  }

  /** True while the page hears of changes at once. */
  get online(): boolean {
    return this.#channel === null || this.#channel.state === "open" || this.#channel.failures === 0;
  }

  /** Rises with every change, for `useSyncExternalStore`. */
  readonly snapshot = (): number => this.#snapshot;

  readonly subscribe = this.#changes.add;

  /** Whether a visit was left in this tab by a reload. */
  static stored(): boolean {
    return sessionStorage.getItem(STORED_AS) !== null;
  }

  /** Go on with the visit this tab had before a reload; false when the counter no longer knows it. */
  async resume(): Promise<boolean> {
    const stored = JSON.parse(sessionStorage.getItem(STORED_AS) ?? "null") as Stored | null;
    if (stored === null) {
      return false;
    }
    this.api.token = stored.visit_token;
    try {
      const view = await this.api.get<VisitView>(`/api/visits/${stored.visit_id}`);
      this.#begin(stored, view);
      return true;
    } catch (problem) {
      if (problem instanceof RefusedError && problem.code === "counter_unreachable") {
        throw problem;
      }
      this.wipe();
      return false;
    }
  }

  /** Choose a service. */
  async open(service_id: string, language: Language): Promise<void> {
    const wish: OpenVisit = { service_id, language };
    const { visit_token, view } = await this.api.post<VisitOpened>("/api/visits", wish);
    const stored: Stored = { visit_id: view.visit_id, visit_token };
    sessionStorage.setItem(STORED_AS, JSON.stringify(stored));
    this.api.token = visit_token;
    this.#begin(stored, view);
  }

  /** A step that only some doors have; answered with the visit as it is then. */
  act(step: string, body: unknown): Promise<void> {
    return this.#act(step, body);
  }

  /** Something about this visit that is not the visit. */
  ask<Answer>(question: string): Promise<Answer> {
    return this.api.post<Answer>(`/api/visits/${this.#id}/${question}`);
  }

  consent(): Promise<void> {
    return this.#act("consent", { recording: true, biometrics: true });
  }

  readCard(access: CardAccess): Promise<void> {
    return this.#act("card", access);
  }

  takeFinger(wanted: AskFinger): Promise<void> {
    return this.#act("finger", wanted);
  }

  cannotGiveFinger(why: CannotGiveFinger["why"]): Promise<void> {
    return this.#act("finger-cannot", { why });
  }

  /** What lies on the desk's scanner now, as an address to give back; null while there is nothing to show. */
  async fingerPreview(): Promise<string | null> {
    try {
      return await this.api.picture(`/api/visits/${this.#id}/finger/preview.png`);
    } catch (problem) {
      if (problem instanceof RefusedError) {
        return null; // a live picture that is missing for a moment is no problem to tell of
      }
      throw problem;
    }
  }

  submitForm(values: SubmitForm["values"]): Promise<void> {
    return this.#act("form", { values });
  }

  confirm(): Promise<void> {
    return this.#act("confirm", {});
  }

  sawPage(seen: PageSeen): Promise<void> {
    return this.#act("pages-seen", seen);
  }

  sign(signature: SignDocument): Promise<void> {
    return this.#act("signature", signature);
  }

  /** Back to the form. */
  correct(): Promise<void> {
    return this.#act("correct", {});
  }

  cancel(): Promise<void> {
    return this.#act("cancel", {});
  }

  /** What was typed into the form so far; survives a reload, not the end of the visit. */
  get draft(): Readonly<Record<string, string>> {
    return JSON.parse(sessionStorage.getItem(DRAFT_AS) ?? "{}") as Record<string, string>;
  }

  keepDraft(values: Readonly<Record<string, string>>): void {
    sessionStorage.setItem(DRAFT_AS, JSON.stringify(values));
  }

  /** Address of a page's picture of the open document. */
  documentPage(page: number): string {
    return `/api/visits/${this.#id}/document/${page}.png`;
  }

  /** Address of the receipt's picture, which a counter may or may not offer. */
  receiptPicture(): string {
    return `/api/visits/${this.#id}/receipt.svg`;
  }

  /** Camera and microphone on, then a leg to the counter. Harmless when both are up. */
  async startMedia(): Promise<void> {
    const stream = await this.devices.acquire();
    if (stream === null || this.#call === null) {
      return;
    }
    if (this.#call.state === "idle") {
      this.#call.join();
    } else {
      await this.#call.refreshTracks();
    }
  }

  /** Show papers or the screen to the clerk. */
  async show(what: ShownKind): Promise<void> {
    if ((await this.second.begin(what)) && this.#channel !== null) {
      this.#channel.send({ type: "show", what });
      this.#shown = new Call(this.#channel, this.second, "shown");
      this.#shown.join();
    }
  }

  stopShowing(): void {
    this.second.stop();
  }

  /** Begin or repeat the face check. */
  startFace(): void {
    this.#guidance = null;
    this.#faceAsked = true;
    this.#checking = true;
    this.#channel?.send({ type: "start_face", colours: this.#mayShowColours() });
    this.#startAgainAfter(SILENT_CHECK_MS);
    this.#changed();
  }

  /** The person cannot do this movement: ask for another one. */
  askAnotherMovement(): void {
    this.#channel?.send({ type: "ask_another_movement" });
  }

  /** No changing colours for this person, now and in every further try of this visit. */
  stopColours(): void {
    sessionStorage.setItem(NO_COLOURS_AS, "asked");
    this.#channel?.send({ type: "stop_colours" });
    if (this.#guidance !== null) {
      this.#guidance = { ...this.#guidance, colour: null }; // at once, not when the counter has heard
    }
    this.#changed();
  }

  /** Forget everything this page holds: visit, token, camera, call. */
  wipe(): void {
    this.#call?.close();
    this.#lineCheck?.close();
    this.#lineCheck = null;
    this.#channel?.close();
    this.devices.stop();
    sessionStorage.removeItem(STORED_AS);
    sessionStorage.removeItem(DRAFT_AS);
    sessionStorage.removeItem(NO_COLOURS_AS);
    this.api.token = null;
    this.#third?.close();
    this.#third = null;
    this.second.stop();
    this.#id = "";
    this.#view = null;
    this.#call = null;
    this.#channel = null;
    this.#guidance = null;
    this.#trouble = null;
    this.#faceAsked = false;
    this.#gone = false;
    this.#checking = false;
    this.#forgetGuidance();
    this.#changed();
  }

  #begin(stored: Stored, view: VisitView): void {
    this.#id = stored.visit_id;
    const channel = new LiveChannel({
      path: `/api/visits/${stored.visit_id}/live`,
      hello: { type: "hello", visit_token: stored.visit_token },
      stillThere: (signal) => this.api.reaches(`/api/visits/${stored.visit_id}`, signal),
    });
    this.#channel = channel;
    this.#call = new Call(channel, this.devices);
    const lineCheck = new NetworkCheck(channel);
    this.#lineCheck = lineCheck;
    channel.onMessage((message) => this.#hear(message));
    channel.subscribe(() => {
      if (channel.state === "waiting" && channel.failures >= 2) {
        void this.#askWhetherGone();
      }
      if (channel.state === "open" && this.#shown === null) {
        channel.send({ type: "show", what: null }); // a page loaded anew shows nothing, whatever it did before
      }
      if (channel.state === "open" && this.#view?.state === "consent" && lineCheck.state === "idle") {
        lineCheck.run();
      }
      this.#changed();
    });
    this.#call.subscribe(() => this.#callChanged());
    this.#accept(view);
  }

  async #act(step: string, body: unknown): Promise<void> {
    const id = this.#id;
    try {
      this.#accept(await this.api.post<VisitView>(`/api/visits/${id}/${step}`, body));
    } catch (problem) {
      if (problem instanceof RefusedError && problem.code === "wrong_step") {
        this.#accept(await this.api.get<VisitView>(`/api/visits/${id}`));
        return; // the page now shows where the visit really is
      }
      throw problem;
    }
  }

  async #askWhetherGone(): Promise<void> {
    try {
      this.#accept(await this.api.get<VisitView>(`/api/visits/${this.#id}`));
    } catch (problem) {
      if (problem instanceof RefusedError && (problem.code === "not_found" || problem.code === "not_logged_in")) {
        this.#gone = true;
        this.#channel?.close();
        this.#changed();
      } // else: still unreachable, the channel keeps trying
    }
  }

  #hear(message: ToPage): void {
    switch (message.type) {
      case "view":
        this.#accept(message.view);
        break;
      case "guidance":
        this.#guide(message.guidance);
        break;
      case "error":
        this.#trouble = new RefusedError(message.error.code, message.error.field);
        if (message.error.code === "media_unavailable" && this.#checking) {
          this.#startAgainAfter(MEDIA_RETRY_MS); // the page's leg is up before the counter has seen a picture on it
        }
        this.#changed();
        break;
      default:
        break; // offers are the call's
    }
  }

  #guide(guidance: Guidance): void {
    this.#guidance = guidance;
    this.#trouble = null;
    this.#startAgainAfter(SILENT_CHECK_MS);
    const page = document.documentElement.dataset; // whoever drives a simulated person reads it here
    page["faceGuidance"] = guidance.code;
    if (guidance.movement === null) {
      delete page["faceMovement"];
    } else {
      page["faceMovement"] = guidance.movement;
    }
    this.#changed();
  }

  #accept(view: VisitView): void {
    const known = this.#view;
    if (view.visit_id !== this.#id || (known !== null && view.version < known.version)) {
      return;
    }
    this.#view = view;
    if (view.state !== "face" || (view.face !== null && view.face.attempts_left !== known?.face?.attempts_left)) {
      this.#checking = false; // this try has its answer
      this.#forgetGuidance();
    }
    if (known?.state !== view.state) {
      this.#faceAsked = false; // a face asked for again in mid-call is a new check
      this.#trouble = null;
      if (view.state !== "consent") {
        this.#lineCheck?.stop(); // from here on the line is needed for the visit itself
      }
      if (WITH_CAMERA.includes(view.state)) {
        void this.startMedia();
      }
    }
    this.#startFaceWhenReady();
    const joined = view.third?.mode === "join" && !hasEnded(view.state);
    if (joined && this.#third === null && this.#channel !== null) {
      this.#third = new Call(this.#channel, null, "third");
      this.#third.subscribe(() => this.#changed());
      this.#third.join();
    } else if (!joined && this.#third !== null) {
      this.#third.close();
      this.#third = null;
    }
    if (hasEnded(view.state) || view.state === "waiting") {
      this.second.stop(); // nobody is there to see it
    }
    if (hasEnded(view.state)) {
      this.#call?.close();
      this.#channel?.close();
      this.devices.stop();
    }
    this.#changed();
  }

  /** Whoever asked for less motion, for more contrast or for colours of their own is shown none. */
  #mayShowColours(): boolean {
    const wishes = ["(prefers-reduced-motion: reduce)", "(prefers-contrast: more)", "(forced-colors: active)"];
    const plain = document.documentElement.dataset["contrast"] !== "high";
    return plain && sessionStorage.getItem(NO_COLOURS_AS) === null && !wishes.some((wish) => matchMedia(wish).matches);
  }

  /** It may end by itself: unplugged, or by the browser's own "stop sharing". */
  #secondChanged(): void {
    if (this.second.what === null && this.#shown !== null) {
      this.#shown.close();
      this.#shown = null;
      this.#channel?.send({ type: "show", what: null });
    }
    this.#changed();
  }

  #callChanged(): void {
    if (this.#call?.state === "joining") {
      this.#faceAsked = false; // a new leg needs the check to begin anew
    }
    this.#startFaceWhenReady();
    this.#changed();
  }

  /** The first check begins by itself; a repetition is the person's own wish, because tries are counted. */
  #startFaceWhenReady(): void {
    const waits = this.#view?.state === "face" && this.#view.face === null && !this.#faceAsked;
    if (waits && this.#call?.state === "connected") {
      this.startFace();
    }
  }

  /** A check that says nothing for so long has lost its eyes (a worker that restarted); this costs no try. */
  #startAgainAfter(wait_ms: number): void {
    clearTimeout(this.#silence);
    this.#silence = setTimeout(() => {
      if (this.#checking && this.#call?.state === "connected") {
        this.startFace();
      }
    }, wait_ms);
  }

  #forgetGuidance(): void {
    clearTimeout(this.#silence);
    this.#guidance = null;
    delete document.documentElement.dataset["faceGuidance"];
    delete document.documentElement.dataset["faceMovement"];
  }

  #changed(): void {
    this.#snapshot += 1;
    this.#changes.tell();
  }
}
