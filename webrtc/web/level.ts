/** How loud a microphone is, ten times a second, so that a person sees that they are heard. */
import { Listeners } from "./listeners";

const LOOK_EVERY_MS = 100;
/** Speech at arm's length of a desk microphone has peaks of -20 to -10 dB of full scale; this is the bar's lower end. */
const QUIETEST_DB = -60;

export class LevelMeter {
  readonly #changes = new Listeners();
  readonly #context = new AudioContext();
  readonly #timer: ReturnType<typeof setInterval>;
  #level = 0;

  constructor(stream: MediaStream) {
    const analyser = this.#context.createAnalyser();
    analyser.fftSize = 1_024;
    this.#context.createMediaStreamSource(stream).connect(analyser);
    const samples = new Float32Array(analyser.fftSize);
    void this.#context.resume(); // browsers start it only after the person touched the page, which opened this
    this.#timer = setInterval(() => {
      analyser.getFloatTimeDomainData(samples);
      const power = samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length;
      const loudness_db = 10 * Math.log10(Math.max(power, 1e-10));
      this.#level = Math.min(1, Math.max(0, 1 - loudness_db / QUIETEST_DB));
      this.#changes.tell();
    }, LOOK_EVERY_MS);
  }

  /** 0 for silence to 1 for as loud as it can be. */
  get level(): number {
    return this.#level;
  }

  readonly subscribe = this.#changes.add;

  stop(): void {
    clearInterval(this.#timer);
    void this.#context.close();
  }
}
