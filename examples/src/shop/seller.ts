/**
 * One seller, a process of its own, of which the demo starts several. For each buyer it reads how many
 * tickets are left, takes the money, and writes one less; with --lock, it does so under the lock.
 */
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import type { Lock } from "@redislock/core";
import { connect, isAdapter } from "./connection.js";
import { tell } from "./news.js";
import { LOCK, Stock } from "./stock.js";

const { values: args } = parseArgs({
  options: {
    adapter: { type: "string", default: "ioredis" },
    name: { type: "string", default: "A" },
    shop: { type: "string", default: "shop:" },
    buyers: { type: "string", default: "1" },
    pause: { type: "string", default: "100" },
    lease: { type: "string", default: "1000" },
    lock: { type: "boolean", default: false },
  },
});
const { adapter, name, shop } = args;
const [buyers, pause, lease] = [Number(args.buyers), Number(args.pause), Number(args.lease)];
if (!isAdapter(adapter)) throw new TypeError(`no such adapter: ${adapter}`);

const url = process.env["REDIS_URL"] ?? "redis://localhost:6379";
const connection = await connect(adapter, url, shop);
const stock = new Stock(connection, shop);

// Whoever opened the shop is gone: no more sales.
process.once("disconnect", () => process.exit());
tell({ type: "ready" });
await once(process, "message");

for (let buyer = 1; buyer <= buyers; buyer++) {
  const served = args.lock ? await serveInTurn(buyer) : await serve(buyer, 0, undefined);
  if (!served) break;
}
await connection.close();
process.disconnect();

/** The whole difference: first come, first served, and one at a time. */
async function serveInTurn(buyer: number): Promise<boolean> {
  const asked = performance.now();
  return connection.locker.using(LOCK, lease, { wait: Infinity, metadata: name }, (lock) =>
    serve(buyer, performance.now() - asked, lock),
  );
}

async function serve(buyer: number, waited: number, lock: Lock | undefined): Promise<boolean> {
  tell({ type: "serves", waited, fencingToken: lock?.fencingToken ?? 0 });
  const left = await stock.left();
  if (left === 0) {
    tell({ type: "soldOut" });
    return false;
  }

  await sleep(pause * (0.5 + Math.random())); // The buyer pays.
  lock?.signal.throwIfAborted();

  await stock.recordSale(`${name}${buyer}`, left - 1);
  tell({ type: "sold", left: left - 1 });
  return true;
}
