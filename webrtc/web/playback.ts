/**
 * Watching a recording: each track is a `<video>` fed with the pieces around the moment that is watched (Media Source
 * Extensions), all of them held to one clock of the record. Nothing before that moment is fetched, so nothing is opened.
 * VP8 is given as it lies there; H.264 is moved into MP4 on the way (fragments.ts).
 */
import { Fragments, H264 } from "./fragments";
import { Listeners } from "./listeners";
import { pictures } from "./matroska";
import type { RecordedSide, ViewingView } from "./wire";

/** What the counter records in VP8: webrtc/record.py. Browsers read the clusters of Matroska and WebM alike. */
const KIND = 'video/webm; codecs="vp8,opus"';
/** The recorder asks for a key picture every 12 s (webrtc/record.py, SEEK_EVERY_S), which may come late. */
const KEY_WITHIN_MS = 16_000;
const AHEAD_MS = 20_000;
const BEHIND_MS = 30_000;
const TICK_MS = 100;
/** Further apart than this, lips and voice are: the video is put where the clock is. */
const APART_MS = 250;
/** A hole in sound or pictures shorter than a listed gap is stepped over. */
const HOLE_MS = 3_000;
const CLUSTER = [0x1f, 0x43, 0xb6, 0x75] as const;
const UNKNOWN_UNIT = [0x54, 0xb2, 0x81, 0x04] as const;

/** Bytes of one piece of a track; the page asks the counter. */
export type Fetch = (number: number, offset: number, size: number) => Promise<ArrayBuffer>;

/** Where these four bytes begin; the length when they are not there. */
function find(bytes: Uint8Array, wanted: readonly number[]): number {
  for (let at = 0; at + 4 <= bytes.length; at += 1) {
    if (wanted.every((byte, index) => bytes[at + index] === byte)) {
      return at;
    }
  }
  return bytes.length;
}

/**
 * The stream's description, as Chromium takes it: libav says "unknown" of the unit that a picture's size is shown in
 * (DisplayUnit 4, RFC 9559 §5.1.4.1.28.14), which is Matroska and not WebM. It means pixels (0).
 */
function description(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const head = bytes.slice(0, find(bytes, CLUSTER));
  const unit = find(head, UNKNOWN_UNIT);
  if (unit < head.length) {
    head[unit + 3] = 0;
  }
  return head;
}

class Track {
  readonly side: RecordedSide;
  readonly #video: HTMLVideoElement;
  readonly #fetch: Fetch;
  readonly #source = new MediaSource();
  readonly #address: string;
  #buffer: SourceBuffer | null = null;
  #fragments: Fragments | null = null;
  #next = 0;
  #busy = false;
  #broken = false;

  constructor(side: RecordedSide, video: HTMLVideoElement, fetch: Fetch) {
    this.side = side;
    this.#video = video;
    this.#fetch = fetch;
    this.#address = URL.createObjectURL(this.#source);
    this.#source.addEventListener("sourceopen", () => void this.#open(), { once: true });
    video.src = this.#address;
  }

  /** Whether there is anything to see or hear at this moment of the record. */
  covers(at_ms: number): boolean {
    const local = at_ms - this.side.starts_ms;
    const inGap = this.side.gaps.some((gap) => local > gap.start_ms && local < gap.start_ms + gap.duration_ms);
    return local >= 0 && local < this.side.duration_ms && !inGap;
  }

  get broken(): boolean {
    return this.#broken;
  }

  /** Fetch from here on; what is there already stays. */
  seek(at_ms: number): void {
    const local = Math.max(0, at_ms - this.side.starts_ms - KEY_WITHIN_MS);
    const last = this.side.pieces.findLastIndex((piece) => piece.start_ms <= local);
    this.#next = Math.max(0, last);
  }

  /** Hold the video to the clock; where to go on when it stands before a hole, else null. True means: wait for it. */
  follow(at_ms: number, playing: boolean): boolean | number {
    void this.#feed(at_ms);
    const local_s = (at_ms - this.side.starts_ms) / 1000;
    if (!this.covers(at_ms) || this.#broken) {
      this.#video.pause();
      return false;
    }
    if (Math.abs(this.#video.currentTime - local_s) * 1000 > APART_MS && !this.#video.seeking) {
      this.#video.currentTime = local_s;
    }
    if (playing && this.#video.paused) {
      void this.#video.play().catch(() => undefined); // a page nobody has touched may not play: the person will
    } else if (!playing) {
      this.#video.pause();
    }
    if (this.#video.readyState >= HTMLMediaElement.HAVE_FUTURE_DATA) {
      return false;
    }
    const { buffered } = this.#video;
    for (let index = 0; index < buffered.length; index += 1) {
      const start_s = buffered.start(index);
      if (start_s > local_s && start_s - local_s < HOLE_MS / 1000) {
        return start_s * 1000 + this.side.starts_ms + 1;
      }
      if (start_s <= local_s && buffered.end(index) >= this.side.duration_ms / 1000 - 1) {
        return false; // its last second is all there is
      }
    }
    return true;
  }

  close(): void {
    this.#broken = true;
    this.#video.pause();
    this.#video.removeAttribute("src");
    this.#video.load();
    URL.revokeObjectURL(this.#address);
  }

  async #open(): Promise<void> {
    const first = this.side.pieces[0];
    if (first === undefined || this.#source.readyState !== "open") {
      return;
    }
    try {
      this.#busy = true;
      this.#source.duration = this.side.duration_ms / 1000;
      const head = new Uint8Array(await this.#fetch(this.side.number, first.offset, Math.min(first.size, 65_536)));
      const begin = description(head);
      this.#fragments = pictures(begin).codec === H264 ? new Fragments(begin) : null;
      const buffer = this.#source.addSourceBuffer(this.#fragments?.kind ?? KIND);
      await this.#append(buffer, this.#fragments?.description ?? begin);
      this.#buffer = buffer;
    } catch {
      this.#broken = true;
    } finally {
      this.#busy = false;
    }
  }

  async #feed(at_ms: number): Promise<void> {
    const piece = this.side.pieces[this.#next];
    const local = at_ms - this.side.starts_ms;
    if (this.#buffer === null || this.#busy || this.#broken || piece === undefined) {
      return;
    }
    if (piece.start_ms > local + AHEAD_MS) {
      return;
    }
    this.#busy = true;
    const number = this.#next;
    try {
      const bytes = new Uint8Array(await this.#fetch(this.side.number, piece.offset, piece.size));
      const clusters = number === 0 ? bytes.slice(find(bytes, CLUSTER)) : bytes;
      const last = number === this.side.pieces.length - 1;
      await this.#append(this.#buffer, this.#fragments?.take(number, clusters, last) ?? clusters);
      if (local - BEHIND_MS > 0) {
        await this.#done(this.#buffer, () => this.#buffer?.remove(0, (local - BEHIND_MS) / 1000));
      }
      if (this.#next === number) {
        this.#next = number + 1;
      }
    } catch {
      this.#broken = true;
    } finally {
      this.#busy = false;
    }
  }

  #append(buffer: SourceBuffer, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    return this.#done(buffer, () => buffer.appendBuffer(bytes));
  }

  #done(buffer: SourceBuffer, act: () => void): Promise<void> {
    return new Promise((resolve, reject) => {
      buffer.addEventListener("updateend", () => resolve(), { once: true });
      buffer.addEventListener("error", () => reject(new Error("not playable")), { once: true });
      act();
    });
  }
}

export class Playback {
  readonly view: ViewingView;
  readonly #fetch: Fetch;
  readonly #tracks = new Map<number, Track>();
  readonly #changes = new Listeners();
  readonly #clock: ReturnType<typeof setInterval>;
  #position = 0;
  #playing = false;
  #waiting = false;
  #ticked = performance.now();

  constructor(view: ViewingView, fetch: Fetch) {
    this.view = view;
    this.#fetch = fetch;
    this.#clock = setInterval(() => this.#tick(), TICK_MS);
  }

  /** Hear when position, playing or waiting change. */
  readonly subscribe = this.#changes.add;

  /** Milliseconds since the first track began. */
  readonly position = (): number => this.#position;

  get playing(): boolean {
    return this.#playing;
  }

  /** Standing still until what comes next has been fetched. */
  get waiting(): boolean {
    return this.#waiting;
  }

  /** Nothing of this track at the present moment: it had not begun, was over, or its line was lost. */
  blank(number: number): boolean {
    return !(this.#tracks.get(number)?.covers(this.#position) ?? false);
  }

  /** The track could not be played; the other may. */
  broken(number: number): boolean {
    return this.#tracks.get(number)?.broken ?? false;
  }

  /** Show a track in this element; call what comes back when the element goes. */
  show(side: RecordedSide, video: HTMLVideoElement): () => void {
    const track = new Track(side, video, this.#fetch);
    track.seek(this.#position);
    this.#tracks.set(side.number, track);
    return () => {
      track.close();
      this.#tracks.delete(side.number);
    };
  }

  play(): void {
    if (this.#position >= this.view.duration_ms) {
      this.seek(0);
    }
    this.#playing = true;
    this.#changes.tell();
  }

  pause(): void {
    this.#playing = false;
    this.#changes.tell();
  }

  seek(at_ms: number): void {
    this.#position = Math.min(Math.max(0, at_ms), this.view.duration_ms);
    for (const track of this.#tracks.values()) {
      track.seek(this.#position);
    }
    this.#changes.tell();
  }

  close(): void {
    clearInterval(this.#clock);
  }

  #tick(): void {
    const now = performance.now();
    const passed = now - this.#ticked;
    this.#ticked = now;
    const wishes = [...this.#tracks.values()].map((track) => track.follow(this.#position, this.#playing));
    const jumps = wishes.filter((wish) => typeof wish === "number");
    this.#waiting = wishes.includes(true);
    if (!this.#playing) {
      return;
    }
    if (!this.#waiting) {
      this.#position = jumps.length > 0 ? Math.min(...jumps) : this.#position + passed;
    }
    if (this.#position >= this.view.duration_ms) {
      this.#position = this.view.duration_ms;
      this.#playing = false;
    }
    this.#changes.tell();
  }
}
