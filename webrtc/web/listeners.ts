/** Whoever wants to hear of something, and the one way to tell them. */
export class Listeners<Told = void> {
  readonly #listening = new Set<(told: Told) => void>();

  /** Start listening; call what comes back to stop. */
  readonly add = (listener: (told: Told) => void): (() => void) => {
    this.#listening.add(listener);
    return () => {
      this.#listening.delete(listener);
    };
  };

  tell(told: Told): void {
    for (const listener of [...this.#listening]) {
      listener(told);
    }
  }
}
