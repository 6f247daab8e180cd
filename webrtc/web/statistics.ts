/**
 * What a leg's connection does, second by second: rates, loss, round trip, pictures, freezes, and one word for it.
 *
 * Browsers count since the beginning; a person wants to know about now, so every figure is of the last stretch only.
 */
import { Listeners } from "./listeners";
import type { LineWay } from "./wire";

const SAMPLE_EVERY_MS = 1_000;

/** Figures of one direction over one stretch. */
export interface Direction {
  readonly kbit_s: number;
  /** Sent on this way in this stretch, repairs too. */
  readonly packets: number;
  /** Of these, gone on this way, whether or not a repair came; null when nobody can say yet. */
  readonly lost: number | null;
  readonly loss_percent: number | null;
  readonly frames_per_s: number;
  readonly width_px: number;
  readonly height_px: number;
}

export interface LineFigures {
  readonly way: LineWay;
  /** Null until a round trip was measured. */
  readonly round_trip_ms: number | null;
  readonly sent: Direction;
  readonly received: Direction;
  /** Of the other side's picture, in this stretch. */
  readonly freezes: number;
  readonly frozen_ms: number;
}

export type LineWord = "good" | "fair" | "bad";

/**
 * ITU-T G.114: up to 150 ms one way most conversations do not notice, above 400 ms they break down; a round trip is two.
 * Loss: at 3 % in each direction our engine showed no freeze, at 10 % the picture got coarse (docs of `counter bench
 * video`); between them is fair.
 */
export const ROUND_TRIP_GOOD_MS = 300;
export const ROUND_TRIP_WORST_MS = 800;
export const LOSS_GOOD_PERCENT = 3;
export const LOSS_WORST_PERCENT = 10;
/** A word that jumps to and fro says nothing: this many samples must agree. */
const STEADY_SAMPLES = 3;
/** A picture that stood still for half of the last second is a freeze a person sees. */
const FROZEN_BAD_MS = 500;

/** One word for a call's line, from the worst of its figures. */
export function lineWord(figures: LineFigures): LineWord {
  const round_trip_ms = figures.round_trip_ms ?? 0;
  const loss_percent = Math.max(figures.sent.loss_percent ?? 0, figures.received.loss_percent ?? 0);
  if (
    round_trip_ms > ROUND_TRIP_WORST_MS ||
    loss_percent > LOSS_WORST_PERCENT ||
    figures.frozen_ms > FROZEN_BAD_MS ||
    figures.way === "none"
  ) {
    return "bad";
  }
  return round_trip_ms > ROUND_TRIP_GOOD_MS || loss_percent > LOSS_GOOD_PERCENT || figures.freezes > 0
    ? "fair"
    : "good";
}

/** A report as browsers write it (W3C webrtc-stats); which fields are there differs between them. */
type Report = Readonly<Record<string, unknown>>;

/** Counters of one moment, summed over sound and picture. */
interface Totals {
  at_ms: number;
  way: LineWay;
  round_trip_ms: number | null;
  sentBytes: number;
  sentPackets: number;
  /** By kind, what the counter says it never got; sound is not asked for again, pictures are. */
  sentMissing: Partial<Record<string, number>>;
  /** By kind, sent again because somebody asked. */
  sentAgain: Partial<Record<string, number>>;
  sentFrames: number;
  sentSize: readonly [number, number];
  receivedBytes: number;
  receivedPackets: number;
  receivedLost: number | null;
  receivedAgain: number;
  receivedFrames: number;
  receivedSize: readonly [number, number];
  freezes: number;
  frozen_s: number;
}

const number = (report: Report, field: string): number => {
  const value = report[field];
  return typeof value === "number" && Number.isFinite(value) ? value : 0;
};

/** The candidate pair in use: Chrome and Safari name it in the transport, Firefox marks it. */
function pairInUse(reports: readonly Report[]): Report | undefined {
  const named = reports.find((one) => one["type"] === "transport" && one["selectedCandidatePairId"]);
  return reports.find(
    (one) =>
      one["type"] === "candidate-pair" &&
      (named ? one["id"] === named["selectedCandidatePairId"] : one["selected"] === true || one["nominated"] === true),
  );
}

function totals(stats: RTCStatsReport, at_ms: number): Totals {
  const reports = [...(stats.values() as Iterable<Report>)];
  const pair = pairInUse(reports);
  const local = reports.find((one) => one["id"] === pair?.["localCandidateId"]);
  const sum: Totals = {
    at_ms,
    way: pair === undefined ? "none" : local?.["candidateType"] === "relay" ? "relay" : "direct",
    // ICE's own checks: the way to the counter and back, without anybody's buffers
    round_trip_ms: typeof pair?.["currentRoundTripTime"] === "number" ? pair["currentRoundTripTime"] * 1_000 : null,
    sentBytes: 0,
    sentPackets: 0,
    sentMissing: {},
    sentAgain: {},
    sentFrames: 0,
    sentSize: [0, 0],
    receivedBytes: 0,
    receivedPackets: 0,
    receivedLost: null,
    receivedAgain: 0,
    receivedFrames: 0,
    receivedSize: [0, 0],
    freezes: 0,
    frozen_s: 0,
  };
  for (const report of reports) {
    const kind = String(report["kind"]);
    switch (report["type"]) {
      case "outbound-rtp":
        sum.sentBytes += number(report, "bytesSent");
        sum.sentPackets += number(report, "packetsSent");
        sum.sentAgain[kind] = (sum.sentAgain[kind] ?? 0) + number(report, "retransmittedPacketsSent");
        sum.sentFrames += number(report, "framesEncoded");
        if (report["kind"] === "video") {
          sum.sentSize = [number(report, "frameWidth"), number(report, "frameHeight")];
        }
        break;
      case "remote-inbound-rtp":
        sum.sentMissing[kind] = (sum.sentMissing[kind] ?? 0) + number(report, "packetsLost");
        break;
      case "inbound-rtp":
        sum.receivedBytes += number(report, "bytesReceived");
        sum.receivedPackets += number(report, "packetsReceived");
        sum.receivedAgain += number(report, "retransmittedPacketsReceived");
        sum.receivedLost = (sum.receivedLost ?? 0) + number(report, "packetsLost");
        sum.receivedFrames += number(report, "framesDecoded");
        if (report["kind"] === "video") {
          sum.receivedSize = [number(report, "frameWidth"), number(report, "frameHeight")];
          sum.freezes += number(report, "freezeCount");
          sum.frozen_s += number(report, "totalFreezesDuration");
        }
        break;
      default:
        break;
    }
  }
  return sum;
}

/**
 * Share that is gone of all that were sent, over one stretch or several. Counts of one stretch may disagree at its edges.
 */
export function lossPercent(stretches: readonly Pick<Direction, "packets" | "lost">[]): number | null {
  const known = stretches.filter((one) => one.lost !== null);
  const packets = known.reduce((sum, one) => sum + one.packets, 0);
  const lost = known.reduce((sum, one) => sum + (one.lost ?? 0), 0);
  return packets <= 0 ? null : Math.min(100, Math.max(0, (100 * lost) / packets));
}

const since = (now: number | null, before: number | null): number | null => (now === null ? null : now - (before ?? 0));

/**
 * Of what was sent. The counter asks for pictures that did not come, and tells of loss only what it never got: each
 * repair stands for one that was gone, the original or a repair before it. A server that tells of every loss counts the
 * same ones, so whichever is the greater.
 */
function goneOnTheWay(before: Totals, now: Totals): number | null {
  const kinds = Object.keys(now.sentMissing);
  const gone = kinds.map((kind) => {
    const missing = (now.sentMissing[kind] ?? 0) - (before.sentMissing[kind] ?? 0);
    return Math.max(missing, (now.sentAgain[kind] ?? 0) - (before.sentAgain[kind] ?? 0));
  });
  return kinds.length === 0 ? null : gone.reduce((sum, one) => sum + one, 0);
}

function between(before: Totals, now: Totals): LineFigures {
  const seconds = Math.max(0.001, (now.at_ms - before.at_ms) / 1_000);
  const sentPackets = now.sentPackets - before.sentPackets;
  const sentLost = goneOnTheWay(before, now);
  // What comes again repairs the other person's way too, so only what browsers call lost was lost on this one; a repair
  // is no answer to that, because it comes as another stream's packet (RFC 4588).
  const receivedLost = since(now.receivedLost, before.receivedLost);
  const receivedOnce = now.receivedPackets - before.receivedPackets - (now.receivedAgain - before.receivedAgain);
  const receivedPackets = receivedOnce + (receivedLost ?? 0);
  return {
    way: now.way,
    round_trip_ms: now.round_trip_ms === null ? null : Math.round(now.round_trip_ms),
    sent: {
      kbit_s: Math.round(((now.sentBytes - before.sentBytes) * 8) / 1_000 / seconds),
      packets: sentPackets,
      lost: sentLost,
      loss_percent: lossPercent([{ packets: sentPackets, lost: sentLost }]),
      frames_per_s: (now.sentFrames - before.sentFrames) / seconds,
      width_px: now.sentSize[0],
      height_px: now.sentSize[1],
    },
    received: {
      kbit_s: Math.round(((now.receivedBytes - before.receivedBytes) * 8) / 1_000 / seconds),
      packets: receivedPackets,
      lost: receivedLost,
      loss_percent: lossPercent([{ packets: receivedPackets, lost: receivedLost }]),
      frames_per_s: (now.receivedFrames - before.receivedFrames) / seconds,
      width_px: now.receivedSize[0],
      height_px: now.receivedSize[1],
    },
    freezes: Math.max(0, now.freezes - before.freezes),
    frozen_ms: Math.max(0, Math.round((now.frozen_s - before.frozen_s) * 1_000)),
  };
}

/** Whatever has a connection whose figures can be read; a `Call` has. */
export interface Measured {
  /** Null while there is no connection. A new object for every new connection is told apart by `leg`. */
  readonly stats: () => Promise<RTCStatsReport | null>;
  readonly leg: string;
}

export class Statistics {
  readonly #of: Measured;
  readonly #changes = new Listeners();
  #timer: ReturnType<typeof setInterval> | undefined;
  #before: Totals | null = null;
  #leg = "";
  #figures: LineFigures | null = null;
  #word: LineWord | null = null;
  #heard: LineWord[] = [];

  constructor(of: Measured) {
    this.#of = of;
  }

  /** Of the last second; null until two samples of one connection are there. */
  get figures(): LineFigures | null {
    return this.#figures;
  }

  /** One word for the line, steady over some seconds; null until it is. */
  get word(): LineWord | null {
    return this.#word;
  }

  /** Hear when there are new figures. */
  readonly subscribe = this.#changes.add;

  start(): void {
    this.#timer ??= setInterval(() => void this.#sample(), SAMPLE_EVERY_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#before = null;
    this.#figures = null;
    this.#word = null;
    this.#heard = [];
  }

  async #sample(): Promise<void> {
    const leg = this.#of.leg;
    const stats = await this.#of.stats();
    if (this.#timer === undefined) {
      return;
    }
    const now = stats === null ? null : totals(stats, performance.now());
    const before = leg === this.#leg ? this.#before : null; // another connection counts from zero
    this.#figures = now === null || before === null ? null : between(before, now);
    this.#before = now;
    this.#leg = leg;
    if (this.#figures !== null) {
      const word = lineWord(this.#figures);
      this.#heard = [...this.#heard.slice(1 - STEADY_SAMPLES), word];
      if (this.#heard.length === STEADY_SAMPLES && this.#heard.every((one) => one === word)) {
        this.#word = word;
      }
    }
    this.#changes.tell();
  }
}
