/**
 * The clerk's desk in this page: who is logged in, the console's view, the camera, and a leg that is warm before a
 * ticket is taken. Components only draw it.
 */
import { Call } from "../../../webrtc/web/call";
import { Devices } from "../../../webrtc/web/devices";
import { Listeners } from "../../../webrtc/web/listeners";
import { LiveChannel } from "../../../webrtc/web/signalling";
import type {
  Approve,
  AskToAct,
  CallPart,
  CheckOutcome,
  ClerkView,
  ConsoleView,
  Countersign,
  Login,
  PasskeyQuestion,
  PhoneLink,
  SupervisionMode,
} from "../../../webrtc/web/wire";
import { Api, RefusedError } from "../kit/api";
import { answerByPasskey, makePasskey } from "../kit/passkeys";

export type Presence = "asking" | "out" | "in";

export class ClerkDesk {
  readonly api = new Api();
  readonly devices = new Devices();
  readonly #changes = new Listeners();
  #presence: Presence = "asking";
  #clerk: ClerkView | null = null;
  #view: ConsoleView | null = null;
  #channel: LiveChannel | null = null;
  #call: Call | null = null;
  #third: Call | null = null;
  #shown: Call | null = null;
  #watching: { readonly customer: Call; readonly clerk: Call; readonly visit_id: string } | null = null;
  #trouble: RefusedError | null = null;
  #snapshot = 0;

  constructor() {
    this.devices.subscribe(() => this.#changed());
    this.devices.onTrouble((trouble) => this.#channel?.send(trouble));
    void this.#resume();
  }

  get presence(): Presence {
    return this.#presence;
  }

  get clerk(): ClerkView | null {
    return this.#clerk;
  }

  get view(): ConsoleView | null {
    return this.#view;
  }

  get call(): Call | null {
    return this.#call;
  }

  /** Whoever joined this clerk's call or whispers into it. */
  get third(): Call | null {
    return this.#third;
  }

  /** What the customer shows beside themselves. */
  get shown(): Call | null {
    return this.#shown;
  }

  /** The two sides of the call this supervisor takes part in. */
  get watching(): { readonly customer: Call; readonly clerk: Call; readonly visit_id: string } | null {
    return this.#watching;
  }

  /** A live message the counter could not do. */
  get trouble(): RefusedError | null {
    return this.#trouble;
  }

  get online(): boolean {
    return this.#channel === null || this.#channel.state === "open" || this.#channel.failures === 0;
  }

  readonly snapshot = (): number => this.#snapshot;

  readonly subscribe = this.#changes.add;

  async login(login: Login): Promise<void> {
    this.#enter(await this.api.post<ClerkView>("/api/console/login", login));
  }

  async loginByPasskey(): Promise<void> {
    const question = await this.api.post<PasskeyQuestion>("/api/console/login/passkey/question");
    const credential = await answerByPasskey(question.options);
    this.#enter(await this.api.post<ClerkView>("/api/console/login/passkey", { credential }));
  }

  async registerPasskey(password: string): Promise<void> {
    const question = await this.api.post<PasskeyQuestion>("/api/console/passkeys/question", { password });
    const credential = await makePasskey(question.options);
    this.#clerk = await this.api.post<ClerkView>("/api/console/passkeys", { credential });
    this.#changed();
  }

  async logout(): Promise<void> {
    await this.api.post("/api/console/logout");
    this.#leave();
  }

  /** Ask for the devices again after a refusal. */
  async openDevices(): Promise<void> {
    if ((await this.devices.acquire()) !== null) {
      if (this.#call?.state === "idle") {
        this.#call.join();
      } else {
        await this.#call?.refreshTracks();
      }
    }
  }

  takeNext(): Promise<void> {
    this.#call?.clicked();
    return this.#act("tickets/next");
  }

  take(ticket_id: string): Promise<void> {
    this.#call?.clicked();
    return this.#act(`tickets/${ticket_id}/take`);
  }

  checkItem(item_id: string, outcome: CheckOutcome, note: string): Promise<void> {
    return this.#act(`${this.#visitPath()}/checklist/${item_id}`, { outcome, note });
  }

  pushDocument(): Promise<void> {
    return this.#act(`${this.#visitPath()}/document`);
  }

  setCall(held: boolean, muted: boolean): Promise<void> {
    return this.#act(`${this.#visitPath()}/call`, { held, muted });
  }

  supervise(visit_id: string, mode: SupervisionMode | null): Promise<void> {
    return this.#act(`visits/${visit_id}/supervision`, { mode });
  }

  /** Ask a colleague into the call; null takes it back. */
  invite(clerk_id: string | null): Promise<void> {
    return this.#act(`${this.#visitPath()}/invitation`, { clerk_id });
  }

  answerInvitation(visit_id: string, accept: boolean): Promise<void> {
    return this.#act(`visits/${visit_id}/invitation/answer`, { accept });
  }

  async countersign(document_sha256: string, password: string): Promise<void> {
    const path = this.#visitPath();
    const passkey = await this.#passkeyFor(path, "countersign", document_sha256);
    const signature: Countersign = { document_sha256, password, passkey };
    await this.#act(`${path}/countersign`, signature);
  }

  /** Card and face once more, in this call. */
  identifyAgain(): Promise<void> {
    return this.#act(`${this.#visitPath()}/identify-again`);
  }

  refuse(note: string): Promise<void> {
    return this.#act(`${this.#visitPath()}/refuse`, { note });
  }

  /** Clear a finished visit from the desk. */
  clear(): Promise<void> {
    return this.#act(`${this.#visitPath()}/leave`);
  }

  async approve(visit_id: string, approval: Omit<Approve, "passkey">): Promise<void> {
    const path = `visits/${visit_id}`;
    const passkey = await this.#passkeyFor(path, approval.decision, approval.document_sha256);
    await this.#act(`${path}/approval`, { ...approval, passkey });
  }

  /** The key's answer for this act; nothing for somebody who has none and signs by password. */
  async #passkeyFor(path: string, action: AskToAct["action"], document_sha256: string): Promise<string> {
    if ((this.#clerk?.passkeys ?? 0) === 0) {
      return "";
    }
    const asked: AskToAct = { action, document_sha256 };
    const question = await this.api.post<PasskeyQuestion>(`/api/console/${path}/act-question`, asked);
    return answerByPasskey(question.options);
  }

  phoneLink(): Promise<PhoneLink> {
    return this.api.post<PhoneLink>("/api/console/phone-links");
  }

  #visitPath(): string {
    return `visits/${this.#view?.visit?.visit_id ?? ""}`;
  }

  async #act(path: string, body: unknown = {}): Promise<void> {
    try {
      const view = await this.api.post<ConsoleView>(`/api/console/${path}`, body);
      if (this.#view === null || view.version >= this.#view.version) {
        this.#accept(view);
      }
    } catch (problem) {
      if (problem instanceof RefusedError && problem.code === "not_logged_in") {
        this.#leave();
      }
      throw problem;
    }
  }

  async #resume(): Promise<void> {
    try {
      this.#enter(await this.api.get<ClerkView>("/api/console/me"));
    } catch (problem) {
      if (!(problem instanceof RefusedError)) {
        throw problem;
      }
      this.#leave();
    }
  }

  #enter(clerk: ClerkView): void {
    this.#clerk = clerk;
    this.#presence = "in";
    const channel = new LiveChannel({
      path: "/api/console/live",
      stillThere: (signal) => this.api.reaches("/api/console/me", signal),
    });
    this.#channel = channel;
    this.#call = new Call(channel, this.devices);
    this.#call.subscribe(() => this.#changed());
    channel.onMessage((message) => {
      if (message.type === "console") {
        this.#accept(message.console);
      } else if (message.type === "error") {
        this.#trouble = new RefusedError(message.error.code, message.error.field);
        this.#changed();
      }
    });
    channel.subscribe(() => {
      if (channel.state === "waiting" && channel.failures >= 2) {
        void this.#askWhetherLoggedOut();
      }
      this.#changed();
    });
    void this.openDevices();
    this.#changed();
  }

  async #askWhetherLoggedOut(): Promise<void> {
    try {
      await this.api.get<ClerkView>("/api/console/me");
    } catch (problem) {
      if (problem instanceof RefusedError && problem.code === "not_logged_in") {
        this.#leave();
      } // else: still unreachable, the channel keeps trying
    }
  }

  #leave(): void {
    this.#call?.close();
    this.#channel?.close();
    this.devices.stop();
    this.#third?.close();
    this.#shown?.close();
    this.#stopWatching();
    this.#third = null;
    this.#shown = null;
    this.#call = null;
    this.#channel = null;
    this.#clerk = null;
    this.#view = null;
    this.#trouble = null;
    this.#presence = "out";
    this.#changed();
  }

  #accept(view: ConsoleView): void {
    this.#view = view;
    this.#clerk = view.clerk;
    this.#trouble = null;
    this.#followCall(view);
    this.#changed();
  }

  /** Legs beside the own one come and go with the view. */
  #followCall(view: ConsoleView): void {
    const channel = this.#channel;
    if (channel === null) {
      return;
    }
    this.devices.mute(view.visit?.muted ?? false);
    const speaks = view.visit?.third != null && view.visit.third.mode !== "listen";
    if (speaks && this.#third === null) {
      this.#third = this.#listenOn(channel, null, "third");
    } else if (!speaks && this.#third !== null) {
      this.#third.close();
      this.#third = null;
    }
    const shown = (view.visit?.shown ?? null) !== null;
    if (shown && this.#shown === null) {
      this.#shown = this.#listenOn(channel, null, "shown");
    } else if (!shown && this.#shown !== null) {
      this.#shown.close();
      this.#shown = null;
    }
    const watched = view.calls.find((call) => call.mode !== null);
    if (watched?.visit_id !== this.#watching?.visit_id) {
      this.#stopWatching();
      if (watched) {
        this.#watching = {
          customer: this.#listenOn(channel, this.devices, "watch-customer"),
          clerk: this.#listenOn(channel, null, "watch-clerk"),
          visit_id: watched.visit_id,
        };
      }
    }
  }

  #listenOn(channel: LiveChannel, devices: Devices | null, part: CallPart): Call {
    const call = new Call(channel, devices, part);
    call.subscribe(() => this.#changed());
    call.join();
    return call;
  }

  #stopWatching(): void {
    this.#watching?.customer.close();
    this.#watching?.clerk.close();
    this.#watching = null;
  }

  #changed(): void {
    this.#snapshot += 1;
    this.#changes.tell();
  }
}
