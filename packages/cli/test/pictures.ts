/** The pictures of the page that the docs show, taken of the page itself. */
import { fileURLToPath } from "node:url";

import { createLocker } from "@redislock/ioredis";
import { startServer, untilInLine } from "@redislock/test-kit";
import { Redis } from "ioredis";

import { launch, open } from "./browser.js";
import { start } from "./cli.js";

const folder = fileURLToPath(new URL("../../../docs/images/", import.meta.url));

/** @param where - Both looks of both sizes go there, to be looked at by eye, and two of them to the docs. */
export async function takePictures(where: string): Promise<void> {
  const server = await startServer();
  const redis = new Redis(server.url);
  const locker = createLocker(redis);
  const browser = await launch();
  const program = start(["page", "--port", "0"], { url: server.url });
  const stop = new AbortController();
  const stand = (key: string, metadata: string): Promise<unknown> =>
    locker
      .obtain(key, 60_000, { wait: 60_000, signal: stop.signal, metadata })
      .then((lock) => lock)
      .catch(() => {});
  try {
    await program.says("Ctrl-C");
    const address = /http\S+/.exec(program.stdout)?.[0] ?? "";
    await locker.obtain("cores", 60_000, { limit: 4, permits: 3, metadata: "encoder on web-2" });
    // Of those who share a lock, a list names the one whose lease ends first.
    for (const [i, metadata] of ["search on web-1", "search on web-2"].entries()) {
      await locker.obtain("prices", 60_000 + 1_000 * i, { mode: "shared", metadata });
    }
    for (const [i, job] of ["backup", "invoices", "mail", "report", "sitemap"].entries()) {
      const metadata = `cron on web-${(i % 3) + 1}, pid ${2210 + 7 * i}`;
      await locker.obtain(`cron:${job}`, 60_000, { metadata });
    }
    const first = await open(browser, address);
    await first.page.getByText("7 locks held").waitFor();
    for (const [key, more] of [
      ["order:17", 1],
      ["order:42", 3],
    ] as const) {
      const lock = await locker.obtain(key, 60_000, { metadata: "shop on web-1, pid 4711" });
      const waits = ["web-2, pid 812", "web-3, pid 90", "web-4, pid 377"].slice(0, more);
      for (const [i, who] of waits.entries()) {
        void stand(key, `shop on ${who}`);
        await untilInLine(server, key, i + 1);
      }
      await first.page.locator(".row", { hasText: key }).filter({ hasText: "web-1" }).waitFor();
      await lock.release();
      await first.page.locator(".row", { hasText: key }).filter({ hasText: "web-2" }).waitFor();
    }
    for (const [size, width, height] of [
      ["wide", 1180, 620],
      ["narrow", 390, 700],
    ] as const) {
      for (const colorScheme of ["light", "dark"] as const) {
        const viewport = { width, height };
        const { page } = await open(browser, address, { viewport, colorScheme });
        const name = `${where}/${size}-${colorScheme}`;
        const row = page.locator(".list .row", { hasText: "order:42" });
        await row.waitFor();
        // As in the texts beside them, whichever port it is here.
        await page.evaluate(
          'document.querySelector(".where bdi").textContent = "Redis at 127.0.0.1:6379"',
        );
        await page.screenshot({ path: `${name}.png` });
        if (size === "wide" && colorScheme === "light") {
          await page.screenshot({ path: `${folder}page.png` });
        }
        await row.click();
        await page.getByText("passed on from").last().waitFor();
        await page.screenshot({ path: `${name}-lock.png` });
        if (size === "narrow" && colorScheme === "dark") {
          await page.screenshot({ path: `${folder}page-narrow.png` });
        }
        await page.getByRole("button", { name: "Take away" }).click();
        await page.screenshot({ path: `${name}-asks.png` });
      }
    }
  } finally {
    stop.abort();
    program.signal("SIGINT");
    await program.ended;
    await browser.close();
    await locker.close();
    redis.disconnect();
    await server.stop();
  }
}
