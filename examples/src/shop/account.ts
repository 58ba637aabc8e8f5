/** Tells what happens, while it happens. Plain lines, which read the same on a screen and in a log. */
import type { Act, Outcome } from "./act.js";
import type { Changed, Read } from "./news.js";
import { belongTogether } from "./prices.js";
import { fold, inColumns, type Paint, seconds, someOf, WIDTH } from "./terminal.js";

const columns = [-9, 6, -7, 18];

export class Account {
  readonly #print: (line: string) => void;
  readonly #paint: Paint;
  #acts = 0;
  #opened = 0;
  #ticketsSold = new Set<number>();
  /** By seller, how long it waited for its turn, and who waited then. */
  #waited = new Map<string, number>();
  #inLine = new Map<string, readonly string[]>();
  /** How often the prices were read, beside others, and half changed. */
  #reads = 0;
  #together = 0;
  #torn = 0;
  /** Who was killed while it held the lock, until the next one has it. */
  #dead: string | undefined;

  constructor(print: (line: string) => void, paint: Paint) {
    this.#print = print;
    this.#paint = paint;
  }

  /** Text, each of which begins a line, and an empty one. */
  says(...texts: readonly string[]): void {
    for (const line of [...texts, ""].flatMap(fold)) this.#print(line);
  }

  /** The sellers begin, all at once. */
  opens({ title, story, lock }: Act): void {
    this.#opened = performance.now();
    this.#ticketsSold = new Set();
    this.#waited = new Map();
    this.#inLine = new Map();
    this.#dead = undefined;
    const [who, waited, line] = lock ? ["holder", "waited", "in line"] : ["seller", "", ""];
    this.#print(this.#paint.bold(`Act ${++this.#acts}: ${title}`));
    for (const text of fold(story)) this.#print(this.#paint.dim(text));
    this.#print(this.#paint.dim(inColumns(columns, ["time", who, waited, "sells", line])));
  }

  /** A seller got the lock after waiting for it. */
  holds(seller: string, waited: number): void {
    this.#waited.set(seller, waited);
    this.#inLine.delete(seller);
    if (this.#dead !== undefined) this.#row(seller, `${this.#dead}'s lease is over`);
    this.#dead = undefined;
  }

  /** While it holds the lock, others stand in line. */
  waiting(seller: string, line: readonly string[]): void {
    this.#inLine.set(seller, line);
  }

  /** A seller sold a ticket, and wrote down that so many are left. */
  sold(seller: string, ticket: number, left: number): void {
    const again = this.#ticketsSold.has(ticket);
    this.#ticketsSold.add(ticket);
    const remark = again ? this.#paint.bad("sold before!") : undefined;
    this.#row(seller, `ticket ${ticket}, ${left} left`, remark);
  }

  /** A seller found no ticket left. */
  soldOut(seller: string): void {
    this.#row(seller, "none left: closes");
  }

  /** A seller was killed; if it had the lock, Redis keeps that for so many milliseconds. */
  killed(seller: string, lease: number | undefined): void {
    this.#row(seller, lease === undefined ? "killed after sale" : "killed in the sale");
    if (lease === undefined) return;
    this.#dead = seller;
    const wait = `SIGKILL: gives nothing back. Lease ends in ${seconds(lease)}.`;
    this.#print(inColumns(columns, ["", "", "", this.#paint.bad(wait)]));
  }

  closes({ sold, left, oversold }: Outcome, tickets: number): void {
    const verdict = `Sold ${sold} of ${tickets} tickets, ${left} left: oversold ${oversold}.`;
    this.says(oversold === 0 ? this.#paint.good(verdict) : this.#paint.bad(verdict));
  }

  /** Some begin to read, and one to change what they read. */
  opensPrices(): void {
    this.#opened = performance.now();
    this.#waited = new Map();
    this.#inLine = new Map();
    this.#print(this.#paint.bold(`Act ${++this.#acts}: readers and a writer`));
    this.#print(
      this.#paint.dim(
        "A, B and C share the lock to read two prices. W has it alone to change them.",
      ),
    );
    this.#print(this.#paint.dim(inColumns(columns, ["time", "who", "waited", "price", "beside"])));
  }

  /** Somebody read both prices. */
  read(reader: string, { waited, adult, child, beside }: Read): void {
    this.#reads++;
    this.#waited.set(reader, waited);
    this.#inLine.set(reader, beside);
    const torn = !belongTogether({ adult, child });
    if (torn) this.#torn++;
    if (beside.length > 0) this.#together++;
    const remark = torn ? this.#paint.bad("half a change!") : undefined;
    this.#row(reader, `reads ${adult} / ${child}`, remark);
  }

  /** Somebody changed both. */
  changed(writer: string, { waited, adult, child }: Changed): void {
    this.#waited.set(writer, waited);
    this.#row(writer, `writes ${adult} / ${child}`, "alone");
  }

  /** Says how it went with the prices, and whether nobody read half a change. */
  closesPrices(): boolean {
    const verdict =
      `${this.#reads} times read, ${this.#together} of them beside others: ` +
      `half a change was read ${this.#torn} times.`;
    this.says(this.#torn === 0 ? this.#paint.good(verdict) : this.#paint.bad(verdict));
    return this.#torn === 0;
  }

  #row(seller: string, what: string, remark?: string): void {
    const time = seconds(performance.now() - this.#opened);
    const waited = this.#waited.get(seller);
    const inLine = this.#inLine.get(seller) ?? [];
    const cells = [time, seller, waited === undefined ? "" : seconds(waited), what];
    const room = WIDTH - inColumns(columns, [...cells, "x"]).length + 1;
    this.#print(inColumns(columns, [...cells, remark ?? someOf(inLine, room)]));
  }
}
