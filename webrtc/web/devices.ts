/**
 * Camera, microphone and speaker of this page: asked for once, chosen, watched until they end, and every refusal has a
 * name.
 *
 * A device that is unplugged in mid-call is replaced by another of its kind, and takes over again when it is back. Calls
 * hear of it by `subscribe` and exchange the track; nothing is negotiated anew.
 */
import { Listeners } from "./listeners";
import type { DeviceTrouble } from "./wire";

export type Device = DeviceTrouble["device"];
export type Trouble = DeviceTrouble["trouble"];
export type Chosen = Device | "speaker";

/** What became of a device without anybody's doing: another one took over, or it is back. */
export interface Exchange {
  readonly device: Device;
  readonly happened: "took_over" | "back";
  /** As the browser names the one in use now. */
  readonly label: string;
}

/** 640 x 480 at 30/s: enough for the face check (an inter-eye distance over 90 px at the oval) and one core per call. */
const CAMERA: MediaTrackConstraints = {
  width: { ideal: 640 },
  height: { ideal: 480 },
  frameRate: { ideal: 30, max: 30 },
  facingMode: "user",
};
const MICROPHONE: MediaTrackConstraints = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };

const KINDS = { camera: "videoinput", microphone: "audioinput", speaker: "audiooutput" } as const;

/** Chrome and Edge list "default" and "communications" beside the devices they stand for. */
const ALIASES: readonly string[] = ["", "default", "communications"];

export function troubleOf(refusal: unknown): Trouble {
  const name = refusal instanceof DOMException ? refusal.name : "";
  switch (name) {
    case "NotAllowedError":
    case "SecurityError":
      return "refused";
    case "NotReadableError":
    case "AbortError":
      return "busy";
    default:
      return "missing";
  }
}

/** navigator.mediaDevices does not exist on a page that came over plain http from another machine. */
function ask(wish: MediaStreamConstraints): Promise<MediaStream> {
  return navigator.mediaDevices
    ? navigator.mediaDevices.getUserMedia(wish)
    : Promise.reject(new DOMException("this page is not a secure context", "SecurityError"));
}

const deviceOf = (track: MediaStreamTrack): Device => (track.kind === "video" ? "camera" : "microphone");

export class Devices {
  readonly #changes = new Listeners();
  readonly #troubles = new Listeners<DeviceTrouble>();
  #stream: MediaStream | null = null;
  #known: readonly MediaDeviceInfo[] = [];
  readonly #chosen: Partial<Record<Chosen, string>> = {};
  /** Unplugged while in use: whoever is back under this identifier takes over again. */
  readonly #away: Partial<Record<Device, string>> = {};
  readonly #wrong: Record<Device, Trouble | null> = { camera: null, microphone: null };
  #exchange: Exchange | null = null;
  #muted = false;
  #listening = false;
  #asking: Promise<MediaStream | null> | null = null;
  #wanted = false;

  /** What was granted, or null while nothing is. Holds picture and sound, or one of them; new after each exchange. */
  get stream(): MediaStream | null {
    return this.#stream;
  }

  /** Why there is no picture; null while nothing is wrong with the camera. */
  get cameraTrouble(): Trouble | null {
    return this.#wrong.camera;
  }

  /** Why there is no sound; null while nothing is wrong with the microphone. */
  get microphoneTrouble(): Trouble | null {
    return this.#wrong.microphone;
  }

  /** What was last exchanged without anybody's doing. */
  get exchange(): Exchange | null {
    return this.#exchange;
  }

  /** Hear when stream, choice or troubles change. */
  readonly subscribe = this.#changes.add;

  /** Hear each trouble once, to tell it to the counter. */
  readonly onTrouble = this.#troubles.add;

  /** Those that are plugged in; browsers name them only after one was granted. */
  list(what: Chosen): readonly MediaDeviceInfo[] {
    const all = this.#known.filter((one) => one.kind === KINDS[what]);
    const real = all.filter((one) => !ALIASES.includes(one.deviceId));
    return real.length > 0 ? real : all;
  }

  /** Identifier of the one in use; "" for whichever the browser takes. */
  inUse(what: Chosen): string {
    if (what === "speaker") {
      return this.#chosen.speaker ?? "";
    }
    return this.#track(what)?.getSettings().deviceId ?? "";
  }

  /** Take this one from now on, also in a running call. A speaker is only noted here: elements play through it. */
  async choose(what: Chosen, deviceId: string): Promise<void> {
    this.#chosen[what] = deviceId;
    if (what !== "speaker") {
      delete this.#away[what];
      this.#exchange = null;
      await this.#exchangeFor(what, deviceId);
    }
    this.#changes.tell();
  }

  /** Picture and sound, asked for at most once at a time; null when neither came. */
  acquire(): Promise<MediaStream | null> {
    this.#wanted = true;
    if (this.#stream?.getTracks().some((track) => track.readyState === "live")) {
      return Promise.resolve(this.#stream);
    }
    this.#asking ??= this.#ask().finally(() => {
      this.#asking = null;
    });
    return this.#asking;
  }

  /** Silence goes out instead of the voice; the microphone's light stays on, because switching it off takes seconds. */
  mute(muted: boolean): void {
    this.#muted = muted;
    for (const track of this.#stream?.getAudioTracks() ?? []) {
      track.enabled = !muted;
    }
  }

  /** Let go of both devices, so that their lights go out. */
  stop(): void {
    this.#wanted = false;
    for (const track of this.#stream?.getTracks() ?? []) {
      track.onended = null;
      track.stop();
    }
    this.#listen(false);
    this.#stream = null;
    this.#wrong.camera = null;
    this.#wrong.microphone = null;
    this.#exchange = null;
    delete this.#away.camera;
    delete this.#away.microphone;
    this.#changes.tell();
  }

  async #ask(): Promise<MediaStream | null> {
    this.#wrong.camera = null;
    this.#wrong.microphone = null;
    const video = this.#wish("camera");
    const audio = this.#wish("microphone");
    try {
      this.#hold(await ask({ video, audio }));
    } catch {
      // one refusal hides which of the two it was: ask for each alone
      const pictures = await ask({ video }).catch((refusal: unknown) => this.#fail("camera", troubleOf(refusal)));
      const sound = await ask({ audio }).catch((refusal: unknown) => this.#fail("microphone", troubleOf(refusal)));
      const tracks = [...(pictures?.getTracks() ?? []), ...(sound?.getTracks() ?? [])];
      if (tracks.length > 0) {
        this.#hold(new MediaStream(tracks));
      }
    }
    if (!this.#wanted) {
      this.stop(); // whoever asked has left while the browser's question stood: nobody is filmed for nothing
      return null;
    }
    this.#listen(true);
    await this.#look();
    this.#changes.tell();
    return this.#stream;
  }

  #wish(device: Device, exactly?: string): MediaTrackConstraints {
    const general = device === "camera" ? CAMERA : MICROPHONE;
    if (exactly !== undefined) {
      // a camera named by hand may look anywhere
      return { ...general, ...(device === "camera" ? { facingMode: {} } : {}), deviceId: { exact: exactly } };
    }
    const chosen = this.#chosen[device];
    return chosen === undefined ? general : { ...general, deviceId: { ideal: chosen } };
  }

  #track(device: Device): MediaStreamTrack | null {
    return this.#stream?.getTracks().find((track) => deviceOf(track) === device) ?? null;
  }

  #hold(stream: MediaStream): void {
    this.#stream = stream;
    for (const track of stream.getTracks()) {
      if (track.kind === "audio") {
        track.enabled = !this.#muted;
      }
      track.onended = () => void this.#ended(track);
    }
  }

  /** One track for another; the rest of the stream stays as it is. */
  async #exchangeFor(device: Device, deviceId: string): Promise<boolean> {
    const before = this.#track(device);
    const wish = this.#wish(device, deviceId);
    let fresh: MediaStream;
    try {
      fresh = await ask(device === "camera" ? { video: wish } : { audio: wish });
    } catch (refusal) {
      if (before === null || before.readyState === "ended") {
        this.#fail(device, troubleOf(refusal));
      } // else: the one before goes on
      return false;
    }
    if (!this.#wanted) {
      for (const track of fresh.getTracks()) {
        track.stop();
      }
      return false;
    }
    if (before !== null) {
      before.onended = null;
      before.stop();
    }
    const others = (this.#stream?.getTracks() ?? []).filter((track) => deviceOf(track) !== device);
    this.#wrong[device] = null;
    this.#hold(new MediaStream([...others, ...fresh.getTracks()]));
    return true;
  }

  async #ended(track: MediaStreamTrack): Promise<void> {
    const device = deviceOf(track);
    const gone = track.getSettings().deviceId;
    this.#fail(device, "ended");
    this.#changes.tell();
    if (gone !== undefined) {
      this.#away[device] ??= gone;
    }
    await this.#look();
    const other = this.list(device).find((one) => one.deviceId !== gone && one.deviceId !== "");
    if (other !== undefined && this.#track(device) === track && (await this.#exchangeFor(device, other.deviceId))) {
      this.#tellExchange(device, "took_over");
    }
  }

  /** Something was plugged in or out. */
  readonly #plugged = async (): Promise<void> => {
    await this.#look();
    for (const device of ["camera", "microphone"] as const) {
      const away = this.#away[device];
      const back = away !== undefined && this.list(device).some((one) => one.deviceId === away);
      if (back && (await this.#exchangeFor(device, away))) {
        delete this.#away[device];
        this.#tellExchange(device, "back");
      } else if (away === undefined && this.#stream !== null && this.#wrong[device] === "missing") {
        const first = this.list(device)[0]; // there was none when the page asked
        if (first !== undefined && (await this.#exchangeFor(device, first.deviceId))) {
          this.#tellExchange(device, "back");
        }
      }
    }
    this.#changes.tell();
  };

  #tellExchange(device: Device, happened: Exchange["happened"]): void {
    this.#exchange = { device, happened, label: this.#track(device)?.label ?? "" };
    this.#changes.tell();
  }

  async #look(): Promise<void> {
    this.#known = (await navigator.mediaDevices?.enumerateDevices()) ?? [];
  }

  #listen(on: boolean): void {
    if (on !== this.#listening) {
      this.#listening = on;
      const media = navigator.mediaDevices as MediaDevices | undefined;
      if (on) {
        media?.addEventListener("devicechange", this.#plugged);
      } else {
        media?.removeEventListener("devicechange", this.#plugged);
      }
    }
  }

  #fail(device: Device, trouble: Trouble): null {
    this.#wrong[device] = trouble;
    this.#troubles.tell({ type: "device_trouble", device, trouble });
    return null;
  }
}
