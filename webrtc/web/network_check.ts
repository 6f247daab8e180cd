/**
 * A short measured test of the way to the counter, before anybody waits for a clerk.
 *
 * It is a call like any other, to the counter's own media worker and through its own relay, with a moving test pattern
 * instead of a camera: what is sent comes back on the same leg. So what is measured is what a call will have, and no
 * outside host is asked. Each figure is what really went through; the verdict promises no more.
 */
import { Call } from "./call";
import { Listeners } from "./listeners";
import type { LiveChannel } from "./signalling";
import {
  type LineFigures,
  LOSS_GOOD_PERCENT,
  lossPercent,
  ROUND_TRIP_GOOD_MS,
  ROUND_TRIP_WORST_MS,
  Statistics,
} from "./statistics";
import type { LineCheck, LineVerdict, LineWay } from "./wire";

/** ICE takes 5 s over a relay that answers late; a way that is not found in this time is none for a conversation. */
const FIND_WITHIN_MS = 12_000;
/** A sender begins at 300 kbit/s and doubles by probing within three seconds; the best of what follows counts. */
const MEASURE_MS = 8_000;
/** Finding the limit of a narrow line means overrunning it, by a third in the first second and no more after it. */
const SETTLE_SAMPLES = 1;
/** Once more, where the packets so far cannot tell whether a voice is understood: a lossy line carries few of them. */
const MEASURE_MORE_MS = 6_000;

/** 640 x 480 at 30/s was sent at 330-480 kbit/s over a narrow line and stayed fluent; below it turns to mosaic. */
const VIDEO_KBIT_S = 500;
/** One voice is 40 kbit/s with its headers each way; with the smallest picture a browser still sends it is twice that. */
const VOICE_KBIT_S = 80;
/** ITU-T G.1010 allows a voice 3 %; with repair and Opus' own filling it stays understood up to about here. */
const LOSS_WORST_PERCENT = 15;

const PATTERN_WIDTH = 640;
const PATTERN_HEIGHT = 480;
const PATTERN_PER_S = 20;
const BLOCK_PX = 16;

function middle(figures: readonly number[]): number | null {
  return figures.toSorted((a, b) => a - b)[Math.floor(figures.length / 2)] ?? null;
}

/**
 * Share of packets that a line loses in its worse direction, over all stretches: a second has too few of them to tell
 * 3 % from 8. Twice its standard error with it.
 */
function lossOf(stretches: readonly LineFigures[]): { percent: number; doubt: number } | null {
  const ways = [stretches.map((one) => one.sent), stretches.map((one) => one.received)].flatMap((way) => {
    const percent = lossPercent(way);
    const packets = way.reduce((sum, one) => sum + (one.lost === null ? 0 : one.packets), 0);
    return percent === null ? [] : { percent, doubt: 2 * Math.sqrt((percent * (100 - percent)) / packets) };
  });
  return ways.toSorted((a, b) => b.percent - a.percent)[0] ?? null;
}

/** What a line with these figures is good for. */
export function verdictOf(
  way: LineWay,
  round_trip_ms: number | null,
  loss_percent: number | null,
  kbit_s: number | null,
): LineVerdict {
  const loss = loss_percent ?? 0;
  const trip = round_trip_ms ?? 0;
  if (way === "none" || kbit_s === null || kbit_s < VOICE_KBIT_S || loss > LOSS_WORST_PERCENT) {
    return "not_now";
  }
  if (trip > ROUND_TRIP_WORST_MS) {
    return "not_now";
  }
  return kbit_s >= VIDEO_KBIT_S && loss <= LOSS_GOOD_PERCENT && trip <= ROUND_TRIP_GOOD_MS ? "good" : "coarse";
}

/** A picture that is hard to compress, so that the line and not the encoder is the limit; of nobody. */
class TestPattern {
  readonly stream: MediaStream;
  readonly #timer: ReturnType<typeof setInterval>;

  constructor() {
    const canvas = document.createElement("canvas");
    canvas.width = PATTERN_WIDTH;
    canvas.height = PATTERN_HEIGHT;
    const context = canvas.getContext("2d");
    const draw = (): void => {
      for (let y = 0; context !== null && y < PATTERN_HEIGHT; y += BLOCK_PX) {
        for (let x = 0; x < PATTERN_WIDTH; x += BLOCK_PX) {
          context.fillStyle = `hsl(${Math.random() * 360} 70% ${30 + Math.random() * 40}%)`;
          context.fillRect(x, y, BLOCK_PX, BLOCK_PX);
        }
      }
    };
    draw();
    this.stream = canvas.captureStream(PATTERN_PER_S);
    this.#timer = setInterval(draw, 1_000 / PATTERN_PER_S);
  }

  stop(): void {
    clearInterval(this.#timer);
    for (const track of this.stream.getTracks()) {
      track.stop();
    }
  }
}

export type CheckState = "idle" | "finding" | "measuring" | "done" | "unavailable";

export class NetworkCheck {
  readonly #channel: LiveChannel;
  readonly #changes = new Listeners();
  readonly #stopListening: () => void;
  #state: CheckState = "idle";
  #found: LineCheck | null = null;
  #call: Call | null = null;
  #pattern: TestPattern | null = null;
  #statistics: Statistics | null = null;
  #seen: LineFigures[] = [];
  #measuredMore = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(channel: LiveChannel) {
    this.#channel = channel;
    this.#stopListening = channel.onMessage((message) => {
      // the counter has nobody to carry pictures: that says nothing about this line
      if (message.type === "error" && message.error.code === "media_unavailable" && this.#state === "finding") {
        this.#end();
        this.#enter("unavailable");
      }
    });
  }

  /** `unavailable`: the counter itself could not test, so nothing is known. */
  get state(): CheckState {
    return this.#state;
  }

  get found(): LineCheck | null {
    return this.#found;
  }

  /** Hear when state or findings change. */
  readonly subscribe = this.#changes.add;

  /** Test now, or again. */
  run(): void {
    this.#end();
    this.#found = null;
    this.#seen = [];
    this.#measuredMore = false;
    this.#pattern = new TestPattern();
    const call = new Call(this.#channel, this.#pattern, "check");
    const statistics = new Statistics(call);
    this.#call = call;
    this.#statistics = statistics;
    statistics.subscribe(() => {
      if (statistics.figures !== null && this.#state === "measuring") {
        this.#seen.push(statistics.figures);
      }
    });
    call.subscribe(() => {
      if (call === this.#call && call.state === "connected" && this.#state === "finding") {
        this.#enter("measuring");
        statistics.start();
        this.#later(MEASURE_MS);
      }
    });
    this.#enter("finding");
    this.#later(FIND_WITHIN_MS);
    call.join();
  }

  /** No more: the page needs its line for the call itself. Half a measurement is no finding. */
  stop(): void {
    this.#end();
    if (this.#state !== "done") {
      this.#enter("idle");
    }
  }

  /** Stop for good. */
  close(): void {
    this.stop();
    this.#stopListening();
  }

  #later(wait_ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#conclude(), wait_ms);
  }

  #conclude(): void {
    if (this.#channel.state !== "open") {
      this.#end(); // cut off from the counter in the middle of it: the page says so by itself
      this.#enter("idle");
      return;
    }
    const later = this.#seen.slice(SETTLE_SAMPLES);
    const loss = lossOf(later);
    if (loss !== null && Math.abs(loss.percent - LOSS_WORST_PERCENT) < loss.doubt && !this.#measuredMore) {
      this.#measuredMore = true;
      this.#later(MEASURE_MORE_MS);
      return;
    }
    const last = this.#seen.at(-1);
    const way = last?.way ?? "none";
    const kbit_s = last === undefined ? null : Math.max(0, ...this.#seen.map((one) => one.received.kbit_s));
    // A queue that is overrun says little of what stays.
    const round_trip_ms = middle(later.flatMap((one) => one.round_trip_ms ?? []));
    const loss_percent = loss?.percent ?? null;
    this.#end();
    this.#found = {
      type: "line_check",
      verdict: verdictOf(way, round_trip_ms, loss_percent, kbit_s),
      way,
      round_trip_ms,
      loss_percent: loss_percent === null ? null : Math.round(loss_percent * 10) / 10,
      kbit_s,
    };
    this.#channel.send(this.#found);
    this.#enter("done");
  }

  #end(): void {
    clearTimeout(this.#timer);
    this.#statistics?.stop();
    this.#call?.close();
    this.#pattern?.stop();
    this.#statistics = null;
    this.#call = null;
    this.#pattern = null;
  }

  #enter(state: CheckState): void {
    this.#state = state;
    this.#changes.tell();
  }
}
