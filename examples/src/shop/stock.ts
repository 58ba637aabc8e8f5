import type { Connection } from "./connection.js";
import { PRICES, pricesOf } from "./prices.js";

/** The key of the lock that the sellers of a shop share. */
export const LOCK = "till";

/** All that a shop leaves in Redis. What belongs to the lock would go away by itself, in a day. */
export function keysOf(shop: string): string[] {
  const locks = [LOCK, PRICES].map((name) => `${shop}${name}`);
  const companions = ["grant", "line", "waiters", "holders", "shares"];
  const all = locks.flatMap((lock) => [
    lock,
    ...companions.map((name) => `${lock}:redislock:${name}`),
  ]);
  return [stockOf(shop), pricesOf(shop), ...all, `${shop}redislock`];
}

function stockOf(shop: string): string {
  return `${shop}stock`;
}

/**
 * A stock of tickets that is kept as most stocks are: one number, which is read, and written one less
 * later. Nothing here protects it from two sellers who read the same number.
 */
export class Stock {
  readonly #connection: Connection;
  readonly #key: string;

  constructor(connection: Connection, shop: string) {
    this.#connection = connection;
    this.#key = stockOf(shop);
  }

  async fill(tickets: number): Promise<void> {
    await this.#connection.command(["DEL", this.#key]);
    await this.#connection.command(["HSET", this.#key, "left", String(tickets)]);
  }

  async left(): Promise<number> {
    return Number(await this.#connection.command(["HGET", this.#key, "left"]));
  }

  /** The new number and the sale in one command: a seller that dies leaves both behind, or neither. */
  async recordSale(sale: string, left: number): Promise<void> {
    await this.#connection.command(["HSET", this.#key, "left", String(left), `sale ${sale}`, "1"]);
  }

  /** How many were sold, counted by the sales, whatever the number says that is left. */
  async sold(): Promise<number> {
    return Number(await this.#connection.command(["HLEN", this.#key])) - 1;
  }
}
