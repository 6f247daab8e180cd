/**
 * Camera and microphone of this page: asked for once, watched until they end, and every refusal has a name.
 */
import { Listeners } from "./listeners";
import type { DeviceTrouble } from "./wire";

export type Device = DeviceTrouble["device"];
export type Trouble = DeviceTrouble["trouble"];

/** 640 x 480 at 30/s: enough for the face check (an inter-eye distance over 90 px at the oval) and one core per call. */
const CAMERA: MediaTrackConstraints = {
  width: { ideal: 640 },
  height: { ideal: 480 },
  frameRate: { ideal: 30, max: 30 },
  facingMode: "user",
};
const MICROPHONE: MediaTrackConstraints = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };

function troubleOf(refusal: unknown): Trouble {
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

export class Devices {
  readonly #changes = new Listeners();
  readonly #troubles = new Listeners<DeviceTrouble>();
  #stream: MediaStream | null = null;
  #camera: Trouble | null = null;
  #microphone: Trouble | null = null;
  #asking: Promise<MediaStream | null> | null = null;

  /** What was granted, or null while nothing is. Holds picture and sound, or one of them. */
  get stream(): MediaStream | null {
    return this.#stream;
  }

  /** Why there is no picture; null while nothing is wrong with the camera. */
  get cameraTrouble(): Trouble | null {
    return this.#camera;
  }

  /** Why there is no sound; null while nothing is wrong with the microphone. */
  get microphoneTrouble(): Trouble | null {
    return this.#microphone;
  }

  /** Hear when stream or troubles change. */
  readonly subscribe = this.#changes.add;

  /** Hear each trouble once, to tell it to the counter. */
  readonly onTrouble = this.#troubles.add;

  /** Picture and sound, asked for at most once at a time; null when neither came. */
  acquire(): Promise<MediaStream | null> {
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
    for (const track of this.#stream?.getAudioTracks() ?? []) {
      track.enabled = !muted;
    }
  }

  /** Let go of both devices, so that their lights go out. */
  stop(): void {
    for (const track of this.#stream?.getTracks() ?? []) {
      track.onended = null;
      track.stop();
    }
    this.#stream = null;
    this.#camera = null;
    this.#microphone = null;
    this.#changes.tell();
  }

  async #ask(): Promise<MediaStream | null> {
    this.#camera = null;
    this.#microphone = null;
    // navigator.mediaDevices does not exist on a page that came over plain http from another machine
    const ask = (wish: MediaStreamConstraints): Promise<MediaStream> =>
      navigator.mediaDevices
        ? navigator.mediaDevices.getUserMedia(wish)
        : Promise.reject(new DOMException("this page is not a secure context", "SecurityError"));
    try {
      this.#hold(await ask({ video: CAMERA, audio: MICROPHONE }));
    } catch {
      // one refusal hides which of the two it was: ask for each alone
      const video = await ask({ video: CAMERA }).catch((refusal: unknown) => this.#fail("camera", troubleOf(refusal)));
      const audio = await ask({ audio: MICROPHONE }).catch((refusal: unknown) =>
        this.#fail("microphone", troubleOf(refusal)),
      );
      const tracks = [...(video?.getTracks() ?? []), ...(audio?.getTracks() ?? [])];
      if (tracks.length > 0) {
        this.#hold(new MediaStream(tracks));
      }
    }
    this.#changes.tell();
    return this.#stream;
  }

  #hold(stream: MediaStream): void {
    this.#stream = stream;
    for (const track of stream.getTracks()) {
      track.onended = () => {
        this.#fail(track.kind === "video" ? "camera" : "microphone", "ended");
        this.#changes.tell();
      };
    }
  }

  #fail(device: Device, trouble: Trouble): null {
    if (device === "camera") {
      this.#camera = trouble;
    } else {
      this.#microphone = trouble;
    }
    this.#troubles.tell({ type: "device_trouble", device, trouble });
    return null;
  }
}
