/**
 * A process that reads the prices over and over, sharing the lock with others who read; or, with
 * --writes, one that changes them now and then, for which it has the lock alone.
 */
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { connect, isAdapter } from "./connection.js";
import { tell } from "./news.js";
import { PriceList, PRICES } from "./prices.js";

const { values: args } = parseArgs({
  options: {
    adapter: { type: "string", default: "ioredis" },
    name: { type: "string", default: "A" },
    shop: { type: "string", default: "shop:" },
    times: { type: "string", default: "1" },
    pause: { type: "string", default: "100" },
    lease: { type: "string", default: "1000" },
    writes: { type: "boolean", default: false },
  },
});
const { adapter, name, shop } = args;
const [times, pause, lease] = [Number(args.times), Number(args.pause), Number(args.lease)];
if (!isAdapter(adapter)) throw new TypeError(`no such adapter: ${adapter}`);

const url = process.env["REDIS_URL"] ?? "redis://localhost:6379";
const connection = await connect(adapter, url, shop);
const { locker } = connection;
const list = new PriceList(connection, shop);

// Whoever opened the shop is gone: nobody wants the prices any more.
process.once("disconnect", () => process.exit());
tell({ type: "ready" });
await once(process, "message");

for (let time = 1; time <= times; time++) {
  await sleep(pause * (0.5 + Math.random()) * (args.writes ? 2 : 1));
  await (args.writes ? change() : read());
}
await connection.close();
process.disconnect();

/** Any number read together. */
async function read(): Promise<void> {
  const asked = performance.now();
  const options = { mode: "shared", wait: Infinity, metadata: name } as const;
  await locker.using(PRICES, lease, options, async () => {
    const waited = performance.now() - asked;
    const adult = await list.read("adult");
    await sleep(pause / 2);
    const { holders } = await locker.inspect(PRICES);
    const beside = holders.map(({ metadata }) => metadata ?? "?").filter((other) => other !== name);
    const child = await list.read("child");
    tell({ type: "read", waited, adult, child, beside });
  });
}

/** After those who read already, before those who come later, and beside nobody. */
async function change(): Promise<void> {
  const asked = performance.now();
  await locker.using(PRICES, lease, { wait: Infinity, metadata: name }, async () => {
    const waited = performance.now() - asked;
    const child = (await list.read("child")) + 1;
    await list.write("child", child);
    await sleep(pause / 2);
    await list.write("adult", 2 * child);
    tell({ type: "changed", waited, adult: 2 * child, child });
  });
}
