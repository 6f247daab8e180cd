/** Camera, microphone and every leg of one visit: one's own, whoever joined, what is shown beside, the test before. */
import { Call } from "../../../webrtc/web/call";
import { Devices } from "../../../webrtc/web/devices";
import { NetworkCheck } from "../../../webrtc/web/network_check";
import { SecondPicture } from "../../../webrtc/web/second_picture";
import type { LiveChannel } from "../../../webrtc/web/signalling";
import type { ShownKind, VisitState, VisitView } from "../../../webrtc/web/wire";
import { hasEnded, wantsCamera } from "./visitStates";

export class VisitMedia {
  readonly devices = new Devices();
  /** What the customer shows beside themselves. */
  readonly second = new SecondPicture(this.devices);
  readonly #changed: () => void;
  #channel: LiveChannel | null = null;
  #call: Call | null = null;
  #third: Call | null = null;
  #shown: Call | null = null;
  #lineCheck: NetworkCheck | null = null;
  #state: VisitState | null = null;

  constructor(changed: () => void) {
    this.#changed = changed;
    this.devices.subscribe(changed);
    this.second.subscribe(() => this.#secondChanged());
    this.devices.onTrouble((trouble) => this.#channel?.send(trouble));
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

  /** A visit has begun: its legs go by this channel. What comes back is told whenever its own leg changes. */
  open(channel: LiveChannel): Call {
    const call = new Call(channel, this.devices);
    this.#channel = channel;
    this.#call = call;
    this.#lineCheck = new NetworkCheck(channel);
    return call;
  }

  /** The channel stands again. */
  channelOpened(channel: LiveChannel): void {
    if (this.#shown === null) {
      channel.send({ type: "show", what: null }); // a page loaded anew shows nothing, whatever it did before
    }
    if (this.#state === "consent" && this.#lineCheck?.state === "idle") {
      this.#lineCheck.run();
    }
  }

  /** Camera and microphone on, then a leg to the counter. Harmless when both are up. */
  async start(): Promise<void> {
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

  /** Legs come and go with the visit. */
  follow(view: VisitView): void {
    if (this.#state !== view.state) {
      this.#state = view.state;
      if (view.state !== "consent") {
        this.#lineCheck?.stop(); // from here on the line is needed for the visit itself
      }
      if (wantsCamera(view.state)) {
        void this.start();
      }
    }
    this.#followThird(view);
    if (hasEnded(view.state) || view.state === "waiting") {
      this.second.stop(); // nobody is there to see it
    }
    if (hasEnded(view.state)) {
      this.#call?.close();
      this.#channel?.close();
      this.devices.stop();
    }
  }

  /** Everything off; nothing of this visit is held. */
  close(): void {
    this.#call?.close();
    this.#lineCheck?.close();
    this.#channel?.close();
    this.devices.stop();
    this.#third?.close();
    this.second.stop();
    this.#call = null;
    this.#lineCheck = null;
    this.#channel = null;
    this.#third = null;
    this.#state = null;
  }

  #followThird(view: VisitView): void {
    const joined = view.third?.mode === "join" && !hasEnded(view.state);
    if (joined && this.#third === null && this.#channel !== null) {
      this.#third = new Call(this.#channel, null, "third");
      this.#third.subscribe(this.#changed);
      this.#third.join();
    } else if (!joined && this.#third !== null) {
      this.#third.close();
      this.#third = null;
    }
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
}
