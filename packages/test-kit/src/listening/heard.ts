/** A listener that keeps what it hears, in the order in which it was heard. */
export class Heard {
  readonly #heard: string[] = [];
  #arrived: () => void = () => undefined;

  message(text: string): void {
    this.#add(`message: ${text}`);
  }

  resumed(): void {
    this.#add("resumed");
  }

  /** The next thing heard, as soon as it is. */
  async next(): Promise<string> {
    for (;;) {
      const first = this.#heard.shift();
      if (first !== undefined) return first;
      await new Promise<void>((resolve) => {
        this.#arrived = resolve;
      });
    }
  }

  /** The next message, for where a subscription may say more than once that it resumed. */
  async nextMessage(): Promise<string> {
    for (;;) {
      const heard = await this.next();
      if (heard !== "resumed") return heard;
    }
  }

  /** What was heard and not yet asked for. */
  get rest(): readonly string[] {
    return this.#heard;
  }

  #add(what: string): void {
    this.#heard.push(what);
    this.#arrived();
  }
}
