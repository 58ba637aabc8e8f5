import type { Account } from "./account.js";
import type { Scale } from "./act.js";
import { connect } from "./connection.js";
import { PriceList } from "./prices.js";
import { runTogether, startProcess } from "./shop-process.js";

/** How often each reads, and how often the one who writes does. */
const READS = 6;
const CHANGES = 3;

/** Some read prices that belong together while one changes them. */
export async function playPrices(
  scale: Scale,
  place: { readonly url: string; readonly shop: string },
  account: Account,
  interrupted: AbortSignal,
): Promise<void> {
  const { url, shop } = place;
  interrupted.throwIfAborted();
  const connection = await connect("ioredis", url, shop);
  const list = new PriceList(connection, shop);
  await list.write("adult", 20);
  await list.write("child", 10);
  const { pause, lease } = scale;
  const workers = ["A", "B", "C", "W"].map((name) => {
    const writes = name === "W";
    const adapter = name === "B" ? "node-redis" : "ioredis";
    const times = writes ? CHANGES : READS;
    const duty = { name, adapter, shop, times, pause, lease, writes };
    return startProcess(new URL("./price-worker.js", import.meta.url), url, duty, (news) => {
      if (news.type === "read") account.read(name, news);
      if (news.type === "changed") account.changed(name, news);
    });
  });
  const killAll = (): void => workers.forEach((worker) => worker.kill());
  interrupted.addEventListener("abort", killAll);
  try {
    await runTogether(workers, () => account.opensPrices());
  } finally {
    interrupted.removeEventListener("abort", killAll);
    killAll();
    await connection.close();
    interrupted.throwIfAborted();
  }
}
