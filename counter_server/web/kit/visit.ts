/**
 * One visit in this page: its view, its steps and its live channel. Components only draw it.
 *
 * Pictures and sound are `visitMedia`'s, the face check is `faceCheck`'s; what survives a reload lies in `storedVisit`,
 * so a reloaded page goes on where it was, and `wipe` leaves nothing behind.
 */
import type { Call } from "../../../webrtc/web/call";
import type { Devices } from "../../../webrtc/web/devices";
import { Listeners } from "../../../webrtc/web/listeners";
import type { NetworkCheck } from "../../../webrtc/web/network_check";
import type { SecondPicture } from "../../../webrtc/web/second_picture";
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
  VisitView,
} from "../../../webrtc/web/wire";
import { type Api, RefusedError } from "./api";
import { FaceCheck } from "./faceCheck";
import { forgetStored, type StoredVisit, storeDraft, storedDraft, storedVisit, storeVisit } from "./storedVisit";
import { VisitMedia } from "./visitMedia";

export class Visit {
  readonly api: Api;
  readonly #media = new VisitMedia(() => this.#changed());
  readonly #changes = new Listeners();
  #id = "";
  #view: VisitView | null = null;
  #channel: LiveChannel | null = null;
  #face: FaceCheck | null = null;
  #trouble: RefusedError | null = null;
  #gone = false;
  #snapshot = 0;

  constructor(api: Api) {
    this.api = api;
  }

  get view(): VisitView | null {
    return this.#view;
  }

  get devices(): Devices {
    return this.#media.devices;
  }

  /** What the customer shows beside themselves. */
  get second(): SecondPicture {
    return this.#media.second;
  }

  get call(): Call | null {
    return this.#media.call;
  }

  /** Whoever joined the call beside the clerk. */
  get third(): Call | null {
    return this.#media.third;
  }

  /** The test of this page's line, which runs while the customer reads what they consent to. */
  get lineCheck(): NetworkCheck | null {
    return this.#media.lineCheck;
  }

  /** What the camera wants now. */
  get guidance(): Guidance | null {
    return this.#face?.guidance ?? null;
  }

  /** The camera is being looked at; false once the last check has ended without success. */
  get checking(): boolean {
    return this.#face?.running ?? false;
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
    return storedVisit() !== null;
  }

  /** Go on with the visit this tab had before a reload; false when the counter no longer knows it. */
  async resume(): Promise<boolean> {
    const stored = storedVisit();
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
    const stored: StoredVisit = { visit_id: view.visit_id, visit_token };
    storeVisit(stored);
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
    return storedDraft();
  }

  keepDraft(values: Readonly<Record<string, string>>): void {
    storeDraft(values);
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
  startMedia(): Promise<void> {
    return this.#media.start();
  }

  /** Show papers or the screen to the clerk. */
  show(what: ShownKind): Promise<void> {
    return this.#media.show(what);
  }

  stopShowing(): void {
    this.#media.second.stop();
  }

  /** Begin or repeat the face check. */
  startFace(): void {
    this.#face?.start();
  }

  /** The person cannot do this movement: ask for another one. */
  askAnotherMovement(): void {
    this.#face?.askAnotherMovement();
  }

  /** No changing colours for this person, now and in every further try of this visit. */
  stopColours(): void {
    this.#face?.stopColours();
  }

  /** Forget everything this page holds: visit, token, camera, call. */
  wipe(): void {
    this.#face?.close();
    this.#media.close();
    forgetStored();
    this.api.token = null;
    this.#id = "";
    this.#view = null;
    this.#channel = null;
    this.#face = null;
    this.#trouble = null;
    this.#gone = false;
    this.#changed();
  }

  #begin(stored: StoredVisit, view: VisitView): void {
    this.#id = stored.visit_id;
    const channel = new LiveChannel({
      path: `/api/visits/${stored.visit_id}/live`,
      hello: { type: "hello", visit_token: stored.visit_token },
      stillThere: (signal) => this.api.reaches(`/api/visits/${stored.visit_id}`, signal),
    });
    this.#channel = channel;
    const call = this.#media.open(channel);
    const face = new FaceCheck({
      send: (message) => channel.send(message),
      leg: () => call.state,
      changed: () => this.#changed(),
    });
    this.#face = face;
    channel.onMessage((message) => this.#hear(message));
    channel.subscribe(() => {
      if (channel.state === "waiting" && channel.failures >= 2) {
        void this.#askWhetherGone();
      }
      if (channel.state === "open") {
        this.#media.channelOpened(channel);
      }
      this.#changed();
    });
    call.subscribe(() => {
      if (call.state === "joining") {
        face.legJoins();
      }
      face.startWhenReady();
      this.#changed();
    });
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
        this.#trouble = null;
        this.#face?.hear(message.guidance);
        this.#changed();
        break;
      case "error":
        this.#trouble = new RefusedError(message.error.code, message.error.field);
        if (message.error.code === "media_unavailable") {
          this.#face?.hearNoPictures();
        }
        this.#changed();
        break;
      default:
        break; // offers are the call's
    }
  }

  #accept(view: VisitView): void {
    const known = this.#view;
    if (view.visit_id !== this.#id || (known !== null && view.version < known.version)) {
      return;
    }
    this.#view = view;
    if (known?.state !== view.state) {
      this.#trouble = null;
    }
    this.#face?.follow(view);
    this.#media.follow(view);
    this.#changed();
  }

  #changed(): void {
    this.#snapshot += 1;
    this.#changes.tell();
  }
}
