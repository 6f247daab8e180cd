/** Reading what webrtc/matroska.py writes: the header's description of both tracks, and the blocks of whole clusters. */

export const VIDEO_TRACK = 1;
export const AUDIO_TRACK = 2;
const SEGMENT = 0x18538067;
const TRACKS = 0x1654ae6b;
const TRACK_ENTRY = 0xae;
const TRACK_NUMBER = 0xd7;
const CODEC_ID = 0x86;
const CODEC_PRIVATE = 0x63a2;
const VIDEO_SETTINGS = 0xe0;
const PIXEL_WIDTH = 0xb0;
const PIXEL_HEIGHT = 0xba;
const CLUSTER = 0x1f43b675;
const TIMESTAMP = 0xe7;
const SIMPLE_BLOCK = 0xa3;
const PARENTS: ReadonlySet<number> = new Set([SEGMENT, TRACKS, TRACK_ENTRY, VIDEO_SETTINGS, CLUSTER]);
/** RFC 9559 §10.2: track (one byte here), time after the cluster's (two), flags. */
const BLOCK_HEADER = 4;

/** One encoded frame, on the track's clock. */
export interface Block {
  readonly track: number;
  readonly at_ms: number;
  readonly key: boolean;
  readonly payload: Uint8Array<ArrayBuffer>;
}

/** What the header says of the pictures. */
export interface Pictures {
  readonly codec: string;
  readonly width: number;
  readonly height: number;
  readonly configuration: Uint8Array<ArrayBuffer>;
}

interface Element {
  readonly id: number;
  readonly content: Uint8Array<ArrayBuffer>;
}

/** Bytes a number of variable length takes, told by the zeros it begins with (RFC 8794 §4). */
function width(first: number): number {
  return Math.clz32(first) - 23;
}

function unsigned(bytes: Uint8Array): number {
  return bytes.reduce((value, byte) => value * 256 + byte, 0);
}

/** Every element in order, those inside others too; what is cut off at the end is left out. */
function* elements(bytes: Uint8Array<ArrayBuffer>): Generator<Element> {
  let at = 0;
  while (at < bytes.length) {
    const idWidth = width(bytes[at] ?? 0);
    const sizeAt = at + idWidth;
    const first = bytes[sizeAt] ?? 0;
    const sizeWidth = width(first);
    const begin = sizeAt + sizeWidth;
    if (idWidth > 4 || sizeWidth > 8 || begin > bytes.length) {
      return;
    }
    const id = unsigned(bytes.subarray(at, sizeAt));
    const mask = 0xff >> sizeWidth;
    const tail = bytes.subarray(sizeAt + 1, begin);
    const unknown = (first & mask) === mask && tail.every((byte) => byte === 0xff);
    const end = unknown ? bytes.length : begin + (first & mask) * 256 ** tail.length + unsigned(tail);
    if (PARENTS.has(id)) {
      yield { id, content: bytes.subarray(begin, begin) };
      at = begin; // its children follow
    } else if (end > bytes.length) {
      return;
    } else {
      yield { id, content: bytes.subarray(begin, end) };
      at = end;
    }
  }
}

/** The video track of a header. */
export function pictures(head: Uint8Array<ArrayBuffer>): Pictures {
  let track = 0;
  let codec = "";
  let configuration = new Uint8Array(0);
  let across = 0;
  let down = 0;
  for (const { id, content } of elements(head)) {
    if (id === TRACK_NUMBER) {
      track = unsigned(content);
    } else if (id === CODEC_ID && track === VIDEO_TRACK) {
      codec = new TextDecoder().decode(content);
    } else if (id === CODEC_PRIVATE && track === VIDEO_TRACK) {
      configuration = content.slice();
    } else if (id === PIXEL_WIDTH) {
      across = unsigned(content);
    } else if (id === PIXEL_HEIGHT) {
      down = unsigned(content);
    }
  }
  return { codec, width: across, height: down, configuration };
}

/** The frames of whole clusters. */
export function* blocks(piece: Uint8Array<ArrayBuffer>): Generator<Block> {
  let cluster_ms = 0;
  for (const { id, content } of elements(piece)) {
    if (id === TIMESTAMP) {
      cluster_ms = unsigned(content);
    } else if (id === SIMPLE_BLOCK && content.length > BLOCK_HEADER) {
      const header = new DataView(content.buffer, content.byteOffset, BLOCK_HEADER);
      yield {
        track: header.getUint8(0) & 0x7f,
        at_ms: cluster_ms + header.getInt16(1),
        key: (header.getUint8(3) & 0x80) !== 0,
        payload: content.subarray(BLOCK_HEADER),
      };
    }
  }
}
