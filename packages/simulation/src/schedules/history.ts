import type { Timeline } from "../timeline.js";

/** What happened, one line each, for people to read. Costs nothing unless somebody will. */
export class History {
  readonly lines: string[] = [];
  readonly #timeline: Timeline;
  readonly #kept: boolean;

  constructor(timeline: Timeline, kept: boolean) {
    this.#timeline = timeline;
    this.#kept = kept;
  }

  note(who: string, line: () => string): void {
    if (!this.#kept) return;
    const time = this.#timeline.now.toFixed(1).padStart(8);
    this.lines.push(`${time}  ${who.padEnd(10)}${line()}`);
  }
}
