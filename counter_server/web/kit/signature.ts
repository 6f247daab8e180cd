/**
 * A pad that keeps what a hand wrote: strokes of points with time and pressure, drawn as they come.
 */
import { Listeners } from "../../../webrtc/web/listeners";
import type { Point } from "../../../webrtc/web/wire";

type Stroke = Point[];

/** Limits of wire.SignDocument: more is refused by the counter, so the pad stops taking it. */
const MOST_STROKES = 60;
const MOST_POINTS = 4_000;
/** Drawn width in CSS pixels at full and at no pressure; a finger reports none and gets the middle. */
const THICKEST_PX = 4.6;
const THINNEST_PX = 1.8;

/** A mark of half the pad's width: the counter takes nothing shorter than a third of it for a signature. */
const MARK_STEP = 1 / 32;

const within = (value: number): number => Math.min(1, Math.max(0, value));
const rounded = (value: number): number => Math.round(value * 10_000) / 10_000;

export class SignaturePad {
  readonly #canvas: HTMLCanvasElement;
  readonly #changes = new Listeners();
  readonly #watcher: ResizeObserver;
  #strokes: Stroke[] = [];
  #current: Stroke | null = null;
  #pointer: number | null = null;
  #startedAt: number | null = null;

  constructor(canvas: HTMLCanvasElement) {
    this.#canvas = canvas;
    canvas.addEventListener("pointerdown", this.#down);
    canvas.addEventListener("pointermove", this.#move);
    canvas.addEventListener("pointerup", this.#up);
    canvas.addEventListener("pointercancel", this.#up);
    this.#watcher = new ResizeObserver(() => this.#redraw());
    this.#watcher.observe(canvas);
  }

  readonly subscribe = this.#changes.add;

  get strokes(): readonly (readonly Point[])[] {
    return this.#strokes;
  }

  get empty(): boolean {
    return this.#strokes.length === 0;
  }

  /** Width divided by height, as the document will print it. */
  get ratio(): number {
    return rounded(this.#canvas.clientWidth / Math.max(1, this.#canvas.clientHeight));
  }

  /** Take the last stroke back. */
  undo(): void {
    this.#strokes = this.#strokes.slice(0, -1);
    this.#redraw();
    this.#changes.tell();
  }

  /** Take everything back. */
  clear(): void {
    this.#strokes = [];
    this.#startedAt = null;
    this.#redraw();
    this.#changes.tell();
  }

  /** A plain horizontal mark, for those who cannot draw; the clerk confirms on the recording whose wish it is. */
  placeMark(): void {
    const points = Array.from({ length: 17 }, (_, step) => ({
      x: rounded(0.25 + step * MARK_STEP),
      y: 0.6,
      t_ms: step * 16,
      pressure: null,
    }));
    this.#strokes = [points];
    this.#redraw();
    this.#changes.tell();
  }

  /** Let go of the canvas. */
  close(): void {
    this.#watcher.disconnect();
    this.#canvas.removeEventListener("pointerdown", this.#down);
    this.#canvas.removeEventListener("pointermove", this.#move);
    this.#canvas.removeEventListener("pointerup", this.#up);
    this.#canvas.removeEventListener("pointercancel", this.#up);
  }

  readonly #down = (event: PointerEvent): void => {
    if (this.#pointer !== null || this.#strokes.length >= MOST_STROKES) {
      return; // the palm that rests beside the pen is not part of the signature
    }
    event.preventDefault();
    this.#pointer = event.pointerId;
    this.#canvas.setPointerCapture(event.pointerId);
    this.#current = [];
    this.#strokes = [...this.#strokes, this.#current];
    this.#take(event);
  };

  readonly #move = (event: PointerEvent): void => {
    if (event.pointerId !== this.#pointer) {
      return;
    }
    const samples = event.getCoalescedEvents();
    for (const sample of samples.length > 0 ? samples : [event]) {
      this.#take(sample);
    }
  };

  readonly #up = (event: PointerEvent): void => {
    if (event.pointerId === this.#pointer) {
      this.#pointer = null;
      this.#current = null;
      this.#changes.tell();
    }
  };

  #take(event: PointerEvent): void {
    const stroke = this.#current;
    if (stroke === null || stroke.length >= MOST_POINTS) {
      return;
    }
    this.#startedAt ??= event.timeStamp;
    const box = this.#canvas.getBoundingClientRect();
    stroke.push({
      x: rounded(within((event.clientX - box.left) / box.width)),
      y: rounded(within((event.clientY - box.top) / box.height)),
      t_ms: Math.max(0, Math.min(600_000, Math.round(event.timeStamp - this.#startedAt))),
      pressure: event.pointerType === "pen" ? rounded(within(event.pressure)) : null,
    });
    this.#draw(stroke, Math.max(0, stroke.length - 2));
  }

  #redraw(): void {
    const scale = globalThis.devicePixelRatio || 1;
    this.#canvas.width = Math.round(this.#canvas.clientWidth * scale);
    this.#canvas.height = Math.round(this.#canvas.clientHeight * scale);
    for (const stroke of this.#strokes) {
      this.#draw(stroke, 0);
    }
  }

  /** Draw a stroke from one of its points on. */
  #draw(stroke: readonly Point[], from: number): void {
    const ink = this.#canvas.getContext("2d");
    if (ink === null) {
      return;
    }
    const { width, height } = this.#canvas;
    const scale = globalThis.devicePixelRatio || 1;
    ink.lineCap = "round";
    ink.lineJoin = "round";
    ink.strokeStyle = getComputedStyle(this.#canvas).color;
    for (let at = from; at < stroke.length; at += 1) {
      const here = stroke[at];
      const before = stroke[Math.max(0, at - 1)];
      if (here && before) {
        ink.lineWidth = (THINNEST_PX + (THICKEST_PX - THINNEST_PX) * (here.pressure ?? 0.5)) * scale;
        ink.beginPath();
        ink.moveTo(before.x * width, before.y * height);
        ink.lineTo(here.x * width, here.y * height);
        ink.stroke();
      }
    }
  }
}
