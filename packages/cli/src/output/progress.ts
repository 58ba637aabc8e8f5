/** One line that is written over and over while something takes time, for whoever looks at a terminal. */
import { stderr } from "node:process";

const EVERY = 100;
const ERASE = "\r\u001b[2K";

export class Progress {
  #last = performance.now();
  #shown = false;
  readonly #wanted: boolean;

  constructor(wanted: boolean = true) {
    this.#wanted = wanted && stderr.isTTY;
  }

  show(text: () => string): void {
    const now = performance.now();
    if (!this.#wanted || now - this.#last < EVERY) return;
    this.#last = now;
    this.#shown = true;
    stderr.write(ERASE + text());
  }

  done(): void {
    if (this.#shown) stderr.write(ERASE);
    this.#shown = false;
  }
}
