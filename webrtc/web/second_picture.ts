/** What a person shows beside themselves: another camera over papers, or their screen. A source for a leg of its own. */
import { type Devices, type Trouble, troubleOf } from "./devices";
import { Listeners } from "./listeners";
import type { ShownKind } from "./wire";

/** Print of 3 mm on an A4 page fills ten pixels of 1280; papers lie still, so few pictures do. */
const PAPERS: MediaTrackConstraints = {
  width: { ideal: 1280 },
  height: { ideal: 720 },
  frameRate: { ideal: 10, max: 15 },
};

export class SecondPicture {
  readonly #devices: Devices;
  readonly #changes = new Listeners();
  #stream: MediaStream | null = null;
  #what: ShownKind | null = null;
  #trouble: Trouble | null = null;
  /** Rises with every wish; a grant that comes after the next one is for nobody. */
  #wishes = 0;

  constructor(devices: Devices) {
    this.#devices = devices;
  }

  get stream(): MediaStream | null {
    return this.#stream;
  }

  /** What is shown now. */
  get what(): ShownKind | null {
    return this.#what;
  }

  /** Why nothing is shown; null when it was the person's own wish. */
  get trouble(): Trouble | null {
    return this.#trouble;
  }

  readonly subscribe = this.#changes.add;

  /** Phones cannot share their screen. */
  static get canShareScreen(): boolean {
    return typeof navigator.mediaDevices?.getDisplayMedia === "function";
  }

  /** Begin; false when it did not come about. */
  async begin(what: ShownKind): Promise<boolean> {
    this.stop();
    const wish = this.#wishes;
    let granted: MediaStream;
    try {
      granted = what === "screen" ? await this.#screen() : await this.#papers();
    } catch (refusal) {
      if (wish === this.#wishes) {
        this.#trouble = troubleOf(refusal);
        this.#changes.tell();
      }
      return false;
    }
    if (wish !== this.#wishes) {
      for (const track of granted.getTracks()) {
        track.stop();
      }
      return false;
    }
    this.#stream = granted;
    for (const track of granted.getVideoTracks()) {
      track.contentHint = "detail"; // letters before movement
      track.onended = () => this.stop(); // unplugged, or "stop sharing" in the browser's own bar
    }
    this.#what = what;
    this.#changes.tell();
    return true;
  }

  stop(): void {
    this.#wishes += 1;
    for (const track of this.#stream?.getTracks() ?? []) {
      track.onended = null;
      track.stop();
    }
    this.#stream = null;
    this.#what = null;
    this.#trouble = null;
    this.#changes.tell();
  }

  #screen(): Promise<MediaStream> {
    return navigator.mediaDevices.getDisplayMedia({ video: { frameRate: { max: 15 } }, audio: false });
  }

  /** Another camera than the one on the face; on a phone the one at its back. */
  #papers(): Promise<MediaStream> {
    const own = this.#devices.inUse("camera");
    const other = this.#devices.list("camera").find((one) => one.deviceId !== own && one.deviceId !== "");
    if (other === undefined) {
      throw new DOMException("no second camera", "NotFoundError");
    }
    return navigator.mediaDevices.getUserMedia({ video: { ...PAPERS, deviceId: { exact: other.deviceId } } });
  }
}
