/**
 * One WebSocket per page, kept alive: says hello, pings, comes back after a cut, and never shows an older view.
 */
import { Listeners } from "./listeners";
import type { FromPage, Hello, ToPage } from "./wire";

/** The counter takes a page that is silent for 10 s as gone (wire.Ping), so three pings may be lost. */
const PING_EVERY_MS = 3_000;
/** Full jitter: a random wait up to 0.5 s · 2ⁿ, so that pages do not return all at once after a restart. */
const FIRST_RETRY_MS = 500;
const LONGEST_RETRY_MS = 8_000;
/** A socket that cannot even open in this time is given up. */
const OPEN_WITHIN_MS = 8_000;
/**
 * A dead network closes no socket for minutes. After this much silence the page asks over HTTP whether the counter is
 * still there, so that a cut is known within ten seconds.
 */
const SILENT_MS = 6_000;
const ASK_WITHIN_MS = 3_000;

export type ChannelState = "connecting" | "open" | "waiting" | "closed";

export interface ChannelOptions {
  /** Path of the live door, such as `/api/visits/…/live`. */
  readonly path: string;
  /** A customer's page introduces itself; a console is known by its cookie. */
  readonly hello?: Hello;
  /** Ask the counter something small; true when it answered, whatever it said. */
  readonly stillThere: (signal: AbortSignal) => Promise<boolean>;
}

export class LiveChannel {
  readonly #options: ChannelOptions;
  readonly #messages = new Listeners<ToPage>();
  readonly #changes = new Listeners();
  #socket: WebSocket | null = null;
  #state: ChannelState = "connecting";
  #failures = 0;
  #newestVersion = -1;
  #heardAt = 0;
  #asking = false;
  #ping: ReturnType<typeof setInterval> | undefined;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #patience: ReturnType<typeof setTimeout> | undefined;

  constructor(options: ChannelOptions) {
    this.#options = options;
    window.addEventListener("offline", this.#networkGone);
    window.addEventListener("online", this.#networkBack);
    this.#connect();
  }

  get state(): ChannelState {
    return this.#state;
  }

  /** Attempts that failed since the channel was last open. */
  get failures(): number {
    return this.#failures;
  }

  /** Hear each message of the counter that is not older than what was heard before. */
  readonly onMessage = this.#messages.add;

  /** Hear when `state` changes. */
  readonly subscribe = this.#changes.add;

  /** Send now; false when there is no connection, because signalling said late is signalling said wrong. */
  send(message: FromPage): boolean {
    if (this.#socket?.readyState !== WebSocket.OPEN) {
      return false;
    }
    this.#socket.send(JSON.stringify(message));
    return true;
  }

  /** End it for good. */
  close(): void {
    this.#enter("closed");
    window.removeEventListener("offline", this.#networkGone);
    window.removeEventListener("online", this.#networkBack);
    clearTimeout(this.#retry);
    this.#drop();
  }

  #connect(): void {
    this.#enter("connecting");
    const address = new URL(this.#options.path, location.href);
    address.protocol = address.protocol === "https:" ? "wss:" : "ws:";
    address.hash = "";
    const socket = new WebSocket(address);
    this.#socket = socket;
    this.#patience = setTimeout(() => socket.close(), OPEN_WITHIN_MS);
    socket.onopen = () => this.#opened();
    socket.onmessage = (event: MessageEvent<string>) => this.#received(JSON.parse(event.data) as ToPage);
    socket.onclose = () => this.#lost();
  }

  #opened(): void {
    clearTimeout(this.#patience);
    this.#failures = 0;
    this.#newestVersion = -1; // the first view on a new connection is the truth, also after a restart
    if (this.#options.hello) {
      this.send(this.#options.hello);
    }
    this.#heardAt = performance.now();
    this.#ping = setInterval(() => {
      this.send({ type: "ping" });
      void this.#askWhenSilent();
    }, PING_EVERY_MS);
    this.#enter("open");
  }

  async #askWhenSilent(): Promise<void> {
    const socket = this.#socket;
    if (this.#asking || performance.now() - this.#heardAt < SILENT_MS) {
      return;
    }
    this.#asking = true;
    const there = await this.#options.stillThere(AbortSignal.timeout(ASK_WITHIN_MS));
    this.#asking = false;
    if (there) {
      this.#heardAt = performance.now();
    } else if (socket === this.#socket && this.#state === "open") {
      this.#lost();
    }
  }

  readonly #networkGone = (): void => {
    if (this.#state === "open") {
      this.#lost();
    }
  };

  readonly #networkBack = (): void => {
    if (this.#state === "waiting") {
      clearTimeout(this.#retry);
      this.#connect();
    }
  };

  #received(message: ToPage): void {
    this.#heardAt = performance.now();
    const version =
      message.type === "view" ? message.view.version : message.type === "console" ? message.console.version : null;
    if (version !== null) {
      if (version < this.#newestVersion) {
        return;
      }
      this.#newestVersion = version;
    }
    this.#messages.tell(message);
  }

  #lost(): void {
    this.#drop();
    if (this.#state === "closed") {
      return;
    }
    const longest = Math.min(FIRST_RETRY_MS * 2 ** this.#failures, LONGEST_RETRY_MS);
    this.#failures += 1;
    this.#retry = setTimeout(() => this.#connect(), Math.random() * longest);
    this.#enter("waiting");
  }

  #drop(): void {
    clearInterval(this.#ping);
    clearTimeout(this.#patience);
    const socket = this.#socket;
    this.#socket = null;
    if (socket) {
      socket.onopen = socket.onmessage = socket.onclose = null;
      socket.close();
    }
  }

  #enter(state: ChannelState): void {
    if (this.#state !== state) {
      this.#state = state;
      this.#changes.tell();
    }
  }
}
