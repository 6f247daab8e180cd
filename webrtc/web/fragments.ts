/**
 * H.264 from a recording's Matroska into fragmented MP4 (ISO/IEC 14496-12 and -15): browsers' Media Source Extensions
 * take H.264 in no other container. Frames are moved, not coded again; the server stays with one file per track.
 */
import { AUDIO_TRACK, type Block, blocks, pictures, VIDEO_TRACK } from "./matroska";

type Bytes = Uint8Array<ArrayBuffer>;

export const H264 = "V_MPEG4/ISO/AVC";
/** Milliseconds, as the recording's own. */
const TIMESCALE = 1000;
/** A frame whose successor comes later than this ends before a gap (webrtc/timeline.py, GAP_S). */
const LONGEST_MS = 1_500;
const USUAL_MS: Readonly<Record<number, number>> = { [VIDEO_TRACK]: 33, [AUDIO_TRACK]: 20 };
/** ISO/IEC 14496-12 §8.8.3.1: depends on none; depends on others and is no place to begin. */
const BEGINS = 0x02000000;
const CONTINUES = 0x01010000;
const BASE_IS_MOOF = 0x020000;
/** Where data begin, and each sample's duration, size and flags (§8.8.8.1). */
const RUN_FLAGS = 0x000701;
const IDENTITY = [0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000] as const;
/** Encapsulation of Opus in ISO BMFF §4.3.2: version, channels, pre-skip of libopus, 48 kHz, no gain, mono or stereo. */
const OPUS_SETTINGS = Uint8Array.of(0, 2, 0x01, 0x38, 0, 0, 0xbb, 0x80, 0, 0, 0);

function join(...parts: readonly Bytes[]): Bytes {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function words(...values: readonly number[]): Bytes {
  const view = new DataView(new ArrayBuffer(4 * values.length));
  for (const [index, value] of values.entries()) {
    view.setUint32(4 * index, value);
  }
  return new Uint8Array(view.buffer);
}

function halves(...values: readonly number[]): Bytes {
  return Uint8Array.from(values.flatMap((value) => [value >> 8, value & 0xff]));
}

function box(name: string, ...parts: readonly Bytes[]): Bytes {
  const content = join(...parts);
  return join(words(content.length + 8), new TextEncoder().encode(name), content);
}

/** A box with version and flags. */
function full(name: string, version: number, flags: number, ...parts: readonly Bytes[]): Bytes {
  return box(name, words((version << 24) | flags), ...parts);
}

function track(number: number, handler: string, entry: Bytes): Bytes {
  const name = new TextEncoder().encode(`${handler}\0\0\0\0\0\0\0\0\0\0\0\0\0`);
  const sound = number === AUDIO_TRACK;
  const header = full(
    "tkhd",
    0,
    3, // enabled, in the movie
    // no size: a picture that turned in mid-call would be stretched to it
    words(0, 0, number, 0, 0, 0, 0, 0, sound ? 0x01000000 : 0, ...IDENTITY, 0, 0),
  );
  const source = box("dinf", full("dref", 0, 0, words(1), full("url ", 0, 1)));
  const tables = ["stts", "stsc", "stco"].map((table) => full(table, 0, 0, words(0)));
  const description = box(
    "stbl",
    full("stsd", 0, 0, words(1), entry),
    ...tables,
    full("stsz", 0, 0, words(0, 0)), // all samples come in fragments
  );
  const media = box(
    "minf",
    sound ? full("smhd", 0, 0, words(0)) : full("vmhd", 0, 1, words(0, 0)),
    source,
    description,
  );
  const clock = full("mdhd", 0, 0, words(0, 0, TIMESCALE, 0), halves(0x55c4, 0)); // language "und"
  return box("trak", header, box("mdia", clock, full("hdlr", 0, 0, words(0), name), media));
}

interface Sample extends Block {
  duration_ms: number;
}

/** One track's file, piece by piece. A piece that follows the one before joins it without a seam. */
export class Fragments {
  /** What a SourceBuffer is asked for. */
  readonly kind: string;
  /** What it is given first. */
  readonly description: Bytes;
  #held: Block[] = [];
  #next = -1;
  #sequence = 0;

  constructor(head: Bytes) {
    const { width, height, configuration } = pictures(head);
    const profile = [...configuration.subarray(1, 4)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    // avc3: parameter sets stand in the stream too, because a page may turn in mid-call
    this.kind = `video/mp4; codecs="avc3.${profile},opus"`;
    const seen = box(
      "avc3",
      halves(0, 0, 0, 1),
      words(0, 0, 0, 0),
      halves(width, height),
      words(0x480000, 0x480000, 0), // 72 dpi
      halves(1),
      new Uint8Array(32),
      halves(24, 0xffff),
      box("avcC", configuration),
    );
    const heard = box(
      "Opus",
      halves(0, 0, 0, 1),
      words(0, 0),
      halves(2, 16, 0, 0),
      words(48_000 * 65_536),
      box("dOps", OPUS_SETTINGS),
    );
    const movie = full(
      "mvhd",
      0,
      0,
      words(0, 0, TIMESCALE, 0, 0x10000, 0x01000000, 0, 0, ...IDENTITY),
      words(0, 0, 0, 0, 0, 0, 3),
    );
    const fragmented = [VIDEO_TRACK, AUDIO_TRACK].map((number) => full("trex", 0, 0, words(number, 1, 0, 0, 0)));
    this.description = join(
      box("ftyp", new TextEncoder().encode("iso5"), words(0), new TextEncoder().encode("iso5mp41")),
      box(
        "moov",
        movie,
        track(VIDEO_TRACK, "vide", seen),
        track(AUDIO_TRACK, "soun", heard),
        box("mvex", ...fragmented),
      ),
    );
  }

  /**
   * The fragment of one piece; `number` says whether it follows the one before. The last frame of each track waits for
   * the next piece, which alone tells how long it is shown, unless this piece is the `last`.
   */
  take(number: number, piece: Bytes, last: boolean): Bytes {
    const before = number === this.#next ? this.#held : [];
    this.#next = number + 1;
    this.#held = [];
    const arrived = [...before, ...blocks(piece)];
    const runs = [VIDEO_TRACK, AUDIO_TRACK]
      .map((wanted) =>
        this.#timed(
          arrived.filter((block) => block.track === wanted),
          last,
        ),
      )
      .filter((samples) => samples.length > 0);
    return runs.length === 0 ? new Uint8Array(0) : this.#fragment(runs);
  }

  #timed(arrived: readonly Block[], last: boolean): Sample[] {
    const samples: Sample[] = [];
    let usual_ms = USUAL_MS[arrived[0]?.track ?? VIDEO_TRACK] ?? 0;
    for (const [index, block] of arrived.entries()) {
      const next = arrived[index + 1];
      if (next === undefined && !last) {
        this.#held.push(block);
        break;
      }
      const until_ms = next === undefined ? Number.POSITIVE_INFINITY : next.at_ms - block.at_ms;
      if (until_ms <= LONGEST_MS) {
        usual_ms = until_ms;
      }
      samples.push({ ...block, duration_ms: usual_ms });
    }
    return samples;
  }

  #fragment(runs: readonly Sample[][]): Bytes {
    this.#sequence += 1;
    const make = (moofLength: number): Bytes => {
      let at = moofLength + 8;
      const parts = runs.map((samples) => {
        const [first] = samples;
        const begin = at;
        at += samples.reduce((length, sample) => length + sample.payload.length, 0);
        const rows = samples.flatMap((s) => [s.duration_ms, s.payload.length, s.key ? BEGINS : CONTINUES]);
        return box(
          "traf",
          full("tfhd", 0, BASE_IS_MOOF, words(first?.track ?? 0)),
          full("tfdt", 0, 0, words(first?.at_ms ?? 0)),
          full("trun", 0, RUN_FLAGS, words(samples.length, begin, ...rows)),
        );
      });
      return box("moof", full("mfhd", 0, 0, words(this.#sequence)), ...parts);
    };
    const payloads = runs.flatMap((samples) => samples.map((sample) => sample.payload));
    return join(make(make(0).length), box("mdat", ...payloads));
  }
}
