import type { Connection } from "./connection.js";

/** The key of the lock that keeps the prices together. */
export const PRICES = "prices";

export interface Prices {
  readonly adult: number;
  readonly child: number;
}

export function pricesOf(shop: string): string {
  return `${shop}price list`;
}

/** Two prices that belong together, each of which is read and written by itself. */
export class PriceList {
  readonly #connection: Connection;
  readonly #key: string;

  constructor(connection: Connection, shop: string) {
    this.#connection = connection;
    this.#key = pricesOf(shop);
  }

  async read(ticket: keyof Prices): Promise<number> {
    return Number(await this.#connection.command(["HGET", this.#key, ticket]));
  }

  async write(ticket: keyof Prices, price: number): Promise<void> {
    await this.#connection.command(["HSET", this.#key, ticket, String(price)]);
  }
}

/** Children pay half, unless one price is from before a change and the other from after it. */
export function belongTogether({ adult, child }: Prices): boolean {
  return adult === 2 * child;
}
