import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import { createLocker, type Locker } from "@redislock/ioredis";
import {
  amount,
  lastOrAll,
  type RedisServer,
  startCluster,
  startServer,
  untilInLine,
  waitUntil,
} from "@redislock/test-kit";
import { Redis } from "ioredis";
import type { Browser, Locator, Page } from "playwright-core";

import { ask, launch, open } from "./browser.js";
import {
  cli,
  type Cli,
  endAll,
  type Json,
  mustStaySecret,
  objectIn,
  objectsOf,
  PASSWORD,
  start,
  untilTold,
} from "./cli.js";

/** A look at ten thousand locks, and the pause after it, take long on a busy machine. */
const PATIENCE = 60_000;

let server: RedisServer;
let redis: Redis;
let locker: Locker;
let browser: Browser;
let url: string;
let leave = new AbortController();

beforeAll(async () => {
  [server, browser] = await Promise.all([startServer(), launch()]);
  ({ url } = server);
  redis = new Redis(server.url);
  locker = createLocker(redis);
});

afterAll(async () => {
  await browser.close();
  await locker.close();
  redis.disconnect();
  await server.stop();
});

beforeEach(async () => {
  await server.command("FLUSHALL");
});

afterEach(async () => {
  await Promise.all(browser.contexts().map((context) => context.close()));
  leave.abort();
  leave = new AbortController();
  await endAll();
});

interface Served {
  readonly program: Cli;
  /** With the token. */
  readonly address: string;
  readonly origin: string;
  readonly token: string;
}

async function serve(args: readonly string[] = [], as: string = url): Promise<Served> {
  const all = ["page", "--port", "0", "--interval", "50ms", ...args];
  const program = start(all, { url: as });
  await program.says("Ctrl-C");
  const [address = "", origin = "", token = ""] =
    /(http:\/\/127\.0\.0\.1:\d+)\/#token=([\w-]+)/.exec(program.stdout) ?? [];
  return { program, address, origin, token };
}

function holdBy(key: string, who: string, ...more: string[]): Cli {
  return start(["run", "--metadata", who, ...more, key, "--", ...untilTold], { url });
}

function rowOf(page: Page, key: string): Locator {
  return page.locator(".list .row").filter({ has: page.locator(`.key`, { hasText: key }) });
}

/** What the stream of a page says, message by message, and how many bytes each has. */
class Stream {
  readonly #leave = new AbortController();
  readonly messages: Json[] = [];
  readonly sizes: number[] = [];
  readonly ended: Promise<void>;
  text = "";

  constructor({ origin, token }: Served) {
    this.ended = this.#read(`${origin}/api/events`, token).catch((error: unknown) => {
      if (!this.#leave.signal.aborted) throw error;
    });
    this.ended.catch(() => {});
  }

  async #read(address: string, token: string): Promise<void> {
    const { signal } = this.#leave;
    const response = await fetch(address, {
      headers: { Authorization: `Bearer ${token}` },
      signal,
    });
    const decoder = new TextDecoder();
    let rest = "";
    for await (const chunk of response.body ?? []) {
      if (!(chunk instanceof Uint8Array)) throw new TypeError("not bytes");
      const text = decoder.decode(chunk, { stream: true });
      this.text += text;
      const events = (rest + text).split("\n\n");
      rest = events.pop() ?? "";
      for (const event of events) {
        this.messages.push(objectIn(event.replace(/^data: /, "")));
        this.sizes.push(Buffer.byteLength(event));
      }
    }
  }

  get looks(): number {
    return this.looksIn(-Infinity, Infinity);
  }

  /** Those that were told of between two moments. */
  looksIn(from: number, to: number): number {
    const moments = this.messages.flatMap(({ type, now }) => (type === "look" ? Number(now) : []));
    return moments.filter((now) => from <= now && now <= to).length;
  }

  /** When it has said all that was told until then. */
  async until(moment: number): Promise<void> {
    const isPast = (): boolean => this.looksIn(moment + 1, Infinity) > 0;
    await waitUntil(isPast, { what: "a look after that", timeout: PATIENCE });
  }

  /** After so many looks more. */
  async after(looks: number): Promise<void> {
    const until = this.looks + looks;
    await waitUntil(() => this.looks >= until, { what: "looks", timeout: PATIENCE });
  }

  async leave(): Promise<void> {
    this.#leave.abort();
    await this.ended;
  }
}

/** How often each command was sent. */
async function commands(): Promise<Map<string, number>> {
  const stats = String(await server.command("INFO", "commandstats"));
  // Without those that were refused.
  const calls = [...stats.matchAll(/^cmdstat_([^:]+):calls=([1-9]\d*)/gm)];
  return new Map(calls.map(([, name = "", number]) => [name, Number(number)]));
}

describe("page", () => {
  it("shows holders and lines of several processes, and a hand-off as it happens", async () => {
    const first = holdBy("order:42", "first");
    await first.says("begun");
    const later: Cli[] = [];
    for (const [i, who] of ["second", "third"].entries()) {
      later.push(holdBy("order:42", who));
      await untilInLine(server, "order:42", i + 1);
    }
    const { address } = await serve();
    const { page, wrongs } = await open(browser, address);
    const row = rowOf(page, "order:42");
    await row.filter({ hasText: "2 waiters for" }).filter({ hasText: "first" }).waitFor();
    const grows = async (wait: Locator): Promise<void> => {
      const before = await wait.innerText();
      await waitUntil(async () => (await wait.innerText()) !== before, { what: "a wait to grow" });
    };
    await grows(row.locator(".longest"));
    await row.click();
    const dialog = page.getByRole("dialog");
    await dialog.getByText("exclusive, held for").waitFor();
    await grows(dialog.locator(".line .time").first());
    expect(await dialog.locator(".line .who").allInnerTexts()).toEqual(["second", "third"]);
    const standsOut = page.locator(".list .row.fresh").waitFor();
    first.signal("SIGTERM");
    await dialog.getByText("passed on from first to second").waitFor();
    await standsOut;
    expect(await dialog.locator(".line .who").allInnerTexts()).toEqual(["third"]);
    await page.keyboard.press("Escape");
    await page.locator(".grants").getByText("passed on from first to second").waitFor();
    await row.filter({ hasText: "1 waiter for" }).filter({ hasText: "second" }).waitFor();
    await row.click();
    await dialog.getByText("exclusive, held for").waitFor();
    for (const one of later) one.signal("SIGTERM");
    await dialog.getByText("free", { exact: true }).waitFor();
    expect(await dialog.locator(".people li").count()).toBe(0);
    expect(await dialog.getByRole("button", { name: "Take away" }).count()).toBe(0);
    expect(wrongs).toEqual([]);
  });

  it("takes a lock away only after a yes that says whom it cuts off", async () => {
    const stuck = holdBy("k", "stuck", "--ttl", "6s");
    await stuck.says("begun");
    const next = holdBy("k", "next");
    await untilInLine(server, "k", 1);
    const { address } = await serve();
    const { page } = await open(browser, address);
    await rowOf(page, "k").click();
    const holder = await server.command("GET", "k");
    const question = page.locator("dialog.confirm");
    for (const no of ["Escape", "Leave it"]) {
      await page.getByRole("button", { name: "Take away" }).click();
      expect(await question.innerText()).toMatch(/cuts off[^]*stuck[^]*The next of 1 waiter.*next/);
      if (no === "Escape") await page.keyboard.press(no);
      else await question.getByRole("button", { name: no }).click();
      await question.waitFor({ state: "detached" });
      expect(await page.getByRole("dialog").count()).toBe(1);
    }
    expect(await server.command("GET", "k")).toBe(holder);
    await page.getByRole("button", { name: "Take away" }).click();
    await question.getByRole("button", { name: "Take it away" }).click();
    await page.getByText("Released. It went to next; 0 waiters left in line.").waitFor();
    // Its lease is gone, so its command is ended.
    expect((await stuck.ended).code).toBe(79);
    await next.says("begun");
  });

  it("narrows the list by key, holder and waiters, and sorts it", async () => {
    const { signal } = leave;
    const held: readonly (readonly [string, string, number])[] = [
      ["d", "Zoe", 3],
      ["c", "Yan", 5],
      ["a", "Zoe", 4],
      ["b", "Yan", 2],
    ];
    for (const [key, metadata, ttl] of held) await locker.obtain(key, ttl * 60_000, { metadata });
    for (const [key, place] of [
      ["b", 1],
      ["c", 1],
      ["c", 2],
    ] as const) {
      locker.obtain(key, 60_000, { wait: 60_000, signal }).catch(() => {});
      await untilInLine(server, key, place);
      // The next has waited for less, by what the page can tell: it reads a wait to 250 ms or so.
      if (key === "b") await sleep(500);
    }
    const { address } = await serve();
    const { page } = await open(browser, address);
    const shows = (keys: string): Promise<unknown> =>
      waitUntil(
        async () => (await page.locator(".list .key bdi").allInnerTexts()).join("") === keys,
        { what: keys },
      );
    await shows("abcd");
    for (const [order, keys] of [
      ["held longest", "dcab"],
      ["ends first", "bdac"],
      ["most waiters", "cbad"],
      ["longest wait", "bcad"],
      ["key", "abcd"],
    ] as const) {
      await page.getByLabel("Sort by").selectOption(order);
      await shows(keys);
    }
    const filter = page.getByRole("searchbox");
    await filter.fill("zoe");
    await shows("ad");
    await filter.fill("B");
    await shows("b");
    await filter.fill("");
    await page.getByLabel("Waited for").check();
    await shows("bc");
    await filter.fill("yan");
    await shows("bc");
    await page.getByLabel("Waited for").uncheck();
    await shows("bc");
  });

  it("shows leases that are renewed", async () => {
    await holdBy("k", "someone", "--ttl", "12s").says("begun");
    const { address } = await serve();
    const { page } = await open(browser, address);
    const left = rowOf(page, "k").locator(".left");
    await left.waitFor();
    let last = Infinity;
    const rose = async (): Promise<boolean> => {
      const before = last;
      last = Number.parseInt(await left.innerText());
      return last > before + 1;
    };
    await waitUntil(rose, { what: "a lease to begin anew", timeout: 15_000 });
  });

  it("connects again when redislock is there again", async () => {
    const REDISLOCK_PAGE_TOKEN = "a-token-that-stays-the-same";
    const began = async (port: string): Promise<Cli> => {
      const args = ["page", "--port", port, "--interval", "50ms"];
      const program = start(args, { url, env: { REDISLOCK_PAGE_TOKEN } });
      await program.says("Ctrl-C");
      return program;
    };
    const first = await began("0");
    const origin = /http:\/\/[\d.:]+/.exec(first.stdout)?.[0] ?? "";
    const { page } = await open(browser, `${origin}/#token=${REDISLOCK_PAGE_TOKEN}`);
    await page.getByText("0 locks held").waitFor();
    expect(page.url()).toBe(`${origin}/`);
    first.signal("SIGTERM");
    const lost = page.getByText("The connection to redislock is lost.");
    await lost.waitFor();
    await locker.obtain("k", 600_000);
    await began(new URL(origin).port);
    await rowOf(page, "k").waitFor();
    await lost.waitFor({ state: "detached" });
  });

  it("is open a hundred times at most", async () => {
    const served = await serve();
    const streams = Array.from({ length: 100 }, () => new Stream(served));
    for (const stream of streams) await waitUntil(() => stream.messages.length > 0);
    const headers = { Authorization: `Bearer ${served.token}` };
    const refused = await ask(`${served.origin}/api/events`, { headers });
    expect([refused.status, refused.text]).toEqual([503, expect.stringContaining("100 pages")]);
    await Promise.all(streams.map((stream) => stream.leave()));
    const { page } = await open(browser, served.address);
    await page.getByText("0 locks held").waitFor();
  });

  it("takes nothing away from one who was not shown", async () => {
    const first = await locker.obtain("k", 60_000);
    const { origin, token } = await serve();
    const second = first.release().then(() => locker.obtain("k", 60_000));
    const release = async (fencingToken: number): Promise<number> => {
      const headers = { Authorization: `Bearer ${token}`, Origin: origin };
      const body = JSON.stringify({ key: "k", fencingToken });
      return (await ask(`${origin}/api/release`, { method: "POST", headers, body })).status;
    };
    const { fencingToken } = await second;
    expect(await release(first.fencingToken)).toBe(409);
    expect(await (await second).ttl()).toBeGreaterThan(0);
    expect(await release(fencingToken)).toBe(200);
    expect(await server.command("EXISTS", "k")).toBe(0);
  });

  it("asks about the one who was shown, and takes nothing away if another has it by then", async () => {
    const first = await locker.obtain("k", 60_000, { metadata: "first" });
    const { address } = await serve();
    const { page } = await open(browser, address);
    await rowOf(page, "k").click();
    await page.getByRole("button", { name: "Take away" }).click();
    const victims = page.locator(".victims");
    expect(await victims.innerText()).toBe("first");
    await first.release();
    const second = await locker.obtain("k", 60_000, { metadata: "second" });
    await page.locator(".people .who", { hasText: "second" }).waitFor();
    expect(await victims.innerText()).toBe("first");
    await page.getByRole("button", { name: "Take it away" }).click();
    await page.getByText("It has changed hands meanwhile").waitFor();
    expect(await second.ttl()).toBeGreaterThan(0);
    await second.release();
  });

  it(
    "shows thousands of locks with few rows, and tells a change in few bytes",
    async () => {
      const many = amount(3_000, 10_000);
      for (let i = 0; i < many; i += 500) {
        const some = Array.from(
          { length: 500 },
          (_, n) => `many:${String(i + n).padStart(5, "0")}`,
        );
        await Promise.all(some.map((key) => locker.obtain(key, 600_000, { metadata: "someone" })));
      }
      const served = await serve();
      const { page, wrongs } = await open(browser, served.address);
      await page.getByText(`${many} locks held`).waitFor({ timeout: PATIENCE });
      const rows = page.locator(".list .row");
      expect(await rows.count()).toBeLessThan(60);
      await rowOf(page, "many:00000").focus();
      await page.keyboard.press("End");
      await rowOf(page, `many:0${many - 1}`)
        .and(page.locator(":focus"))
        .waitFor();
      expect(await rows.count()).toBeLessThan(60);
      await page.getByRole("searchbox").fill("MANY:0123");
      await page.getByText(`10 of ${many}`).waitFor();
      await rows.nth(9).waitFor();
      expect(await rows.count()).toBe(10);
      const stream = new Stream(served);
      await stream.after(2);
      const from = stream.messages.length;
      // A busy machine may tell of leases that seem to have moved; not each time.
      await waitUntil(() => (stream.sizes.at(-1) ?? Infinity) < 300, { timeout: PATIENCE });
      await locker.forceRelease("many:01234");
      await page.getByText(`9 of ${many - 1}`).waitFor({ timeout: PATIENCE });
      const told = stream.messages.slice(from);
      expect(told.flatMap(({ gone }) => gone ?? [])).toEqual(["many:01234"]);
      // All of them are hundreds of thousands.
      expect(Math.max(...stream.sizes.slice(from))).toBeLessThan(10_000);
      await stream.leave();
      expect(wrongs).toEqual([]);
    },
    4 * PATIENCE,
  );

  it(
    "is harmed by no key and no metadata",
    async () => {
      const bad = [
        "<img src=x onerror=alert(1)>",
        "</script><script>alert(1)</script>",
        "&lt;b&gt;",
        '"onfocus=alert(1) x="',
        "a\u202eb\u0007\u001b[2J",
        "שלום עולם",
        "🔒👩‍👩‍👧",
        "line\nbreak\u2028",
        "x".repeat(400),
        " ",
        "?key=1&k#%00",
      ];
      for (const key of bad) await locker.obtain(key, 600_000, { metadata: `of ${key}` });
      await redis.set(Buffer.from([0xff, 0xfe, ...Buffer.from(":redislock:grant")]), "\u0000");
      const { address } = await serve();
      for (const width of lastOrAll([1_280, 360])) {
        const viewport = { width, height: 700 };
        const { page, wrongs } = await open(browser, address, { viewport });
        await page.getByText(`${bad.length} locks held`).waitFor();
        const keys = await page.locator(".list .key bdi").allTextContents();
        expect(keys).toContain("<img src=x onerror=alert(1)>");
        expect(keys).toContain("a\\u{202e}b\\u{7}\\u{1b}[2J");
        expect(keys).toContain("line\\u{a}break\\u{2028}");
        expect(await page.locator("img, body script:not([src])").count()).toBe(0);
        const overflow = "document.documentElement.scrollWidth - innerWidth";
        expect(await page.evaluate(overflow)).toBeLessThanOrEqual(0);
        for (let i = 0; i < bad.length; i++) {
          await page.locator(".list .row").nth(i).click();
          await page.getByText("exclusive, held for").waitFor();
          expect(await page.locator("dialog h2").textContent()).toBe(keys[i]);
          await page.keyboard.press("Escape");
        }
        expect(await page.evaluate(overflow)).toBeLessThanOrEqual(0);
        expect(wrongs).toEqual([]);
      }
      const { page } = await open(browser, address);
      for (const key of bad) {
        const shown = (await server.command("EXISTS", key)) === 1;
        expect(shown).toBe(true);
      }
      await page.locator(".list .row").first().waitFor();
      for (let left = bad.length; left > 0; left--) {
        await page.locator(".list .row").first().click();
        await page.getByRole("button", { name: "Take away" }).click();
        await page.getByRole("button", { name: "Take it away" }).click();
        await page.getByText("Released. Nobody waits for it.").waitFor();
        await page.keyboard.press("Escape");
        await page.getByText(`${left - 1} lock${left === 2 ? "" : "s"} held`).waitFor();
      }
      for (const key of bad) expect(await server.command("EXISTS", key)).toBe(0);
    },
    4 * PATIENCE,
  );

  it("answers to its own page alone, and only to who has the token", async () => {
    await locker.obtain("k", 60_000);
    const { origin, token } = await serve();
    const port = new URL(origin).port;
    const auth = { Authorization: `Bearer ${token}` };
    const statusOf = async (path: string, headers: Record<string, string>): Promise<number> =>
      (await ask(`${origin}${path}`, { headers })).status;
    expect(await statusOf("/", {})).toBe(200);
    expect(await statusOf("/", { Host: `localhost:${port}` })).toBe(200);
    expect(await statusOf("/", { Host: `[::1]:${port}` })).toBe(200);
    expect(await statusOf("/", { "Sec-Fetch-Site": "cross-site" })).toBe(200);
    expect(await statusOf("/api/lock?key=k", auth)).toBe(200);
    expect(await statusOf("/api/lock?key=k", { ...auth, Origin: origin })).toBe(200);
    for (const host of ["evil.example", `evil.example:${port}`, "127.0.0.1.evil.example"]) {
      expect(await statusOf("/", { Host: host })).toBeGreaterThanOrEqual(400);
      expect(await statusOf("/api/lock?key=k", { ...auth, Host: host })).toBeGreaterThanOrEqual(
        400,
      );
    }
    for (const wrong of [
      "http://evil.example",
      "null",
      `http://127.0.0.1:1`,
      `${origin}.evil.example`,
    ]) {
      expect(await statusOf("/api/lock?key=k", { ...auth, Origin: wrong })).toBe(403);
    }
    const crossSite = { ...auth, "Sec-Fetch-Site": "cross-site" };
    expect(await statusOf("/api/lock?key=k", crossSite)).toBe(403);
    expect(await statusOf("/page.js", crossSite)).toBe(403);
    for (const path of ["/api/lock?key=k", "/api/events", "/api/other"]) {
      expect(await statusOf(path, {})).toBe(401);
      expect(await statusOf(path, { Authorization: `Bearer ${token}x` })).toBe(401);
      expect(await statusOf(path, { Authorization: `Bearer ${token.slice(1)}` })).toBe(401);
    }
    const inspected = await ask(`${origin}/api/lock?key=k`, { headers: auth });
    const fencingToken = /"fencingToken":(\d+)/.exec(inspected.text)?.[1] ?? "";
    const body = `{"key":"k","fencingToken":${fencingToken}}`;
    const release = async (headers: Record<string, string>, text = body): Promise<number> =>
      (await ask(`${origin}/api/release`, { method: "POST", headers, body: text })).status;
    const own = { ...auth, Origin: origin };
    expect(await release(auth)).toBe(403);
    expect(await release({ ...auth, Origin: "http://evil.example" })).toBe(403);
    expect(await release({ ...own, Host: "evil.example" })).toBe(403);
    expect(await release({ Origin: origin })).toBe(401);
    expect(await release({ ...own, Authorization: "Bearer no" })).toBe(401);
    expect(await release(own, "{}")).toBe(400);
    expect(await release(own, '{"key":"k","fencingToken":"1"}')).toBe(400);
    expect(await release(own, " ".repeat(20_000))).toBe(413);
    expect(await statusOf("/api/release?key=k", own)).toBe(404);
    expect(await server.command("EXISTS", "k")).toBe(1);
    expect(await release(own)).toBe(200);
    expect(await server.command("EXISTS", "k")).toBe(0);
    const { headers } = await ask(`${origin}/`);
    expect(headers["content-security-policy"]).toMatch(
      /default-src 'none'; script-src 'self'; style-src 'self'/,
    );
    for (const others of ["base-uri", "form-action", "frame-ancestors"]) {
      expect(headers["content-security-policy"]).toContain(`${others} 'none'`);
    }
    expect(headers["content-security-policy"]).not.toContain("unsafe");
    expect(headers).toMatchObject({
      "cache-control": "no-store",
      "x-content-type-options": "nosniff",
      "referrer-policy": "no-referrer",
      "x-frame-options": "DENY",
    });
  });

  it("asks for a token where it has none, or an old one", async () => {
    const { origin, token } = await serve();
    const { page } = await open(browser, `${origin}/#token=old-and-long-gone`);
    await page.getByText("not the token of this page").waitFor();
    await page.getByLabel(/Token/).fill(token);
    await page.keyboard.press("Enter");
    await page.getByText("0 locks held").waitFor();
    expect(page.url()).toBe(`${origin}/`);
    await page.reload();
    await page.getByText("0 locks held").waitFor();
  });

  it("sends no token of a lock, and no password", async () => {
    const tokens = ["token-of-the-holder-1", "token-of-the-waiter-2", "token-of-a-sharer-3"];
    for (const token of tokens) mustStaySecret(token);
    const [holder = "", waiter = "", sharer = ""] = tokens;
    await locker.obtain("k", 600_000, { token: holder, metadata: "holder" });
    const { signal } = leave;
    locker.obtain("k", 60_000, { token: waiter, wait: 60_000, signal }).catch(() => {});
    await untilInLine(server, "k", 1);
    await locker.obtain("s", 600_000, { token: sharer, mode: "shared" });
    const may = ["~*", "&*", "+@all"];
    await server.command("ACL", "SETUSER", "app", "reset", "on", `>${PASSWORD}`, ...may);
    const served = await serve([], `redis://app:${PASSWORD}@127.0.0.1:${server.port}`);
    const { origin, token } = served;
    const headers = { Authorization: `Bearer ${token}`, Origin: origin };
    const stream = new Stream(served);
    await stream.after(2);
    const texts: string[] = [];
    const get = async (path: string, options = {}): Promise<void> => {
      const answer = await ask(`${origin}${path}`, { headers, ...options });
      texts.push(JSON.stringify(answer.headers), answer.text);
    };
    const release = async (key: string): Promise<void> => {
      const opened = await ask(`${origin}/api/lock?key=${key}`, { headers });
      texts.push(opened.text);
      const fencingToken = /"fencingToken":(\d+)/.exec(opened.text)?.[1] ?? 1;
      const body = `{"key":"${key}","fencingToken":${fencingToken}}`;
      await get("/api/release", { method: "POST", body });
    };
    for (const path of [
      "/",
      "/page.js",
      "/page.css",
      "/api/lock?key=k",
      "/api/lock?key=s",
      "/no",
    ]) {
      await get(path);
    }
    await release("k");
    await stream.after(2);
    // Whatever it may not, it says so without them.
    await server.command("ACL", "SETUSER", "app", "-@all", "+ping");
    await release("s");
    await stream.after(2);
    await stream.leave();
    expect(stream.text).toContain("the user lacks a permission");
    const all = [...texts, stream.text].join("\n");
    for (const secret of [...tokens, PASSWORD, token]) expect(all).not.toContain(secret);
  });

  it("says what it may not see, and with --read-only takes nothing away", async () => {
    await locker.obtain("app:1", 600_000);
    await locker.obtain("other:1", 600_000);
    const rights = ["~app:*", "+scan", "+@read", "+evalsha_ro", "+eval_ro"];
    await server.command("ACL", "SETUSER", "reader", "reset", "on", `>${PASSWORD}`, ...rights);
    const as = `redis://reader:${PASSWORD}@127.0.0.1:${server.port}`;
    const served = await serve(["--read-only"], as);
    await server.command("CONFIG", "RESETSTAT");
    const { page } = await open(browser, served.address);
    await page.getByText("1 lock held").waitFor();
    await page.getByText(/1 more could not be read; the last: .*permission/i).waitFor();
    expect(await rowOf(page, "app:1").locator(".age").innerText()).toContain("–");
    await page.getByText("read-only").waitFor();
    await rowOf(page, "app:1").click();
    await page.getByText("Nobody waits").waitFor();
    expect(await page.getByRole("button", { name: "Take away" }).count()).toBe(0);
    const headers = { Authorization: `Bearer ${served.token}`, Origin: served.origin };
    const body = JSON.stringify({ key: "app:1", fencingToken: null });
    const asked = await ask(`${served.origin}/api/release`, { method: "POST", headers, body });
    expect(asked.status).toBe(404);
    const sent = [...(await commands()).keys()];
    const reads =
      /^(scan|time|evalsha_ro|eval_ro|get\w*|exists|pttl|z(card|range)|hmget|ping|client\|.*|acl\|.*|auth|hello|info|config\|.*|command|select)$/;
    expect(sent.filter((name) => !reads.test(name))).toEqual([]);
    await server.command("ACL", "SETUSER", "reader", "-scan");
    await page.keyboard.press("Escape");
    await page.getByText(/the user lacks a permission/).waitFor();
  });

  it("is said of a node of a cluster, which has its own locks only", async () => {
    const cluster = await startCluster(3);
    try {
      const { address } = await serve([], cluster.nodes[0]?.url);
      const { page } = await open(browser, address);
      await page.getByText(/locks of its 2 other masters are not shown: use redis/).waitFor();
    } finally {
      await endAll();
      await cluster.stop();
    }
  });

  it(
    "looks once for all pages, by SCAN, and not at all while none is seen",
    async () => {
      const locks = 5;
      for (let i = 0; i < locks; i++) await locker.obtain(`k:${i}`, 600_000);
      const served = await serve();
      const stream = new Stream(served);
      const load = async (): Promise<void> => {
        // How many looks there were, by when each was told of: those who count are not there at once.
        const before = Date.now();
        await server.command("CONFIG", "RESETSTAT");
        const from = Date.now();
        await stream.after(10);
        const to = Date.now();
        const sent = await commands();
        const after = Date.now();
        await stream.until(after);
        const [least, most] = [stream.looksIn(from, to) - 1, stream.looksIn(before, after) + 1];
        const scans = sent.get("scan");
        expect(scans).toBeGreaterThanOrEqual(least);
        expect(scans).toBeLessThanOrEqual(most);
        // One for each lock, and one for the lock that all pages have open, unless they are slow to ask.
        expect(sent.get("evalsha_ro")).toBeGreaterThanOrEqual(least * locks);
        expect(sent.get("evalsha_ro")).toBeLessThanOrEqual((most + 1) * (locks + 1));
        expect(sent.has("keys")).toBe(false);
      };
      const pages: Page[] = [];
      const more = async (): Promise<void> => {
        const { page } = await open(browser, served.address);
        await rowOf(page, "k:3").click();
        await page.getByText("Nobody waits").waitFor();
        pages.push(page);
      };
      await more();
      await load();
      while (pages.length < 5) await more();
      await load();
      await stream.leave();
      const isQuiet = async (): Promise<boolean> => {
        await server.command("CONFIG", "RESETSTAT");
        await sleep(300);
        return !(await commands()).has("scan");
      };
      await waitUntil(async () => !(await isQuiet()), { what: "looks" });
      // As when another tab is before it.
      for (const page of pages) {
        await page.evaluate(`
        Object.defineProperty(document, "hidden", { get: () => window.isHidden, configurable: true });
        window.isHidden = true;
        document.dispatchEvent(new Event("visibilitychange"));
      `);
      }
      await waitUntil(isQuiet, { what: "no looks" });
      const [page] = pages;
      await page?.evaluate(`
      window.isHidden = false;
      document.dispatchEvent(new Event("visibilitychange"));
    `);
      await waitUntil(async () => !(await isQuiet()), { what: "looks" });
      await page?.close();
      await waitUntil(isQuiet, { what: "no looks" });
    },
    4 * PATIENCE,
  );

  it(
    "tells all anew to a page that reads too slowly, instead of keeping all for it",
    async () => {
      const keys = Array.from({ length: 200 }, (_, i) => `${i}:${"k".repeat(1_000)}`);
      const metadata = "m".repeat(200);
      const obtain = (some: readonly string[]): Promise<unknown> =>
        Promise.all(some.map((key) => locker.obtain(key, 600_000, { metadata })));
      await obtain(keys);
      const served = await serve();
      const { host, hostname, port } = new URL(served.origin);
      const slow = connect({ host: hostname, port: Number(port) });
      let text = "";
      slow.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
      slow.write(
        `GET /api/events HTTP/1.1\r\nHost: ${host}\r\nAuthorization: Bearer ${served.token}\r\n\r\n`,
      );
      const timesTold = (): number => text.split('"type":"rows","first":true').length - 1;
      await waitUntil(() => timesTold() === 1, { what: "the rows" });
      slow.pause();
      const quick = new Stream(served);
      const change = async (some: readonly string[]): Promise<void> => {
        await Promise.all(some.map((key) => locker.forceRelease(key)));
        await obtain(some);
        await quick.after(1);
      };
      // A quarter of a megabyte each, until no buffer on the way takes more; then more than a page is kept.
      for (let i = 0; i < 32; i++) await change(keys);
      for (let i = 0; i < 40; i++) await change(keys.slice(0, 1));
      expect(timesTold()).toBe(1);
      slow.resume();
      const patient = { interval: 100, timeout: PATIENCE };
      await waitUntil(() => timesTold() === 2, { what: "all rows once more", ...patient });
      await locker.forceRelease(keys[0] ?? "");
      await waitUntil(() => text.includes('"gone":["0:'), { what: "news after them", ...patient });
      slow.destroy();
      await quick.leave();
      expect(quick.messages.filter(({ first }) => first === true)).toHaveLength(1);
    },
    4 * PATIENCE,
  );

  it(
    "can be used by keyboard alone, in the dark and in the light",
    async () => {
      for (const key of ["a", "b", "c"])
        await locker.obtain(key, 600_000, { metadata: `of ${key}` });
      const { address } = await serve();
      const backgrounds = new Set<unknown>();
      for (const colorScheme of ["light", "dark"] as const) {
        const { page } = await open(browser, address, { colorScheme });
        await page.getByText("3 locks held").waitFor();
        backgrounds.add(
          await page.evaluate("getComputedStyle(document.documentElement).backgroundColor"),
        );
        const focused = page.locator(":focus-visible");
        const isSeen = async (): Promise<void> => {
          const width = "parseFloat(getComputedStyle(document.activeElement).outlineWidth)";
          expect(await page.evaluate(width)).toBeGreaterThan(1);
        };
        await page.keyboard.press("/");
        expect(await focused.getAttribute("type")).toBe("search");
        await isSeen();
        await page.keyboard.type("zzz");
        await page.getByText("No lock is like that.").waitFor();
        await page.keyboard.press("Escape");
        await rowOf(page, "a").waitFor();
        // The check box, the order, the first row.
        for (let i = 0; i < 3; i++) await page.keyboard.press("Tab");
        await isSeen();
        for (const [key, row] of [
          ["PageDown", "c"],
          ["PageUp", "a"],
          ["End", "c"],
          ["Home", "a"],
          ["ArrowUp", "a"],
          ["ArrowDown", "b"],
        ] as const) {
          await page.keyboard.press(key);
          await waitUntil(async () => (await focused.innerText()).startsWith(row), { what: key });
        }
        await page.keyboard.press("Enter");
        const dialog = page.getByRole("dialog");
        await dialog.getByText("of b").waitFor();
        await isSeen();
        await page.keyboard.press("Tab");
        await waitUntil(async () => (await focused.innerText()) === "Take away …");
        await page.keyboard.press("Enter");
        // What does no harm has the focus.
        await waitUntil(async () => (await focused.innerText()) === "Leave it");
        await page.keyboard.press("Escape");
        await page.keyboard.press("Escape");
        await dialog.waitFor({ state: "detached" });
        await waitUntil(async () => (await focused.innerText()).startsWith("b"));
      }
      expect(backgrounds.size).toBe(2);
    },
    2 * PATIENCE,
  );

  it(
    "says that Redis is away, and ends all the same",
    async () => {
      const own = await startServer();
      try {
        const client = new Redis(own.url);
        const theirs = createLocker(client);
        await theirs.obtain("k", 600_000);
        const { address, program } = await serve([], own.url);
        const watching = start(["watch"], { url: own.url });
        await watching.says("held\tk");
        const { page } = await open(browser, address);
        await page.getByText("1 lock held").waitFor();
        await theirs.close();
        client.disconnect();
        await own.stop();
        await page.getByText(/Redis at .* is away/).waitFor({ timeout: PATIENCE });
        await watching.says("is away or hangs");
        // What was last seen is still there.
        await rowOf(page, "k").waitFor();
        for (const one of [program, watching]) {
          one.signal("SIGINT");
          expect((await one.ended).code).toBe(0);
        }
        expect(program.stderr).toBe("");
        expect(watching.stderr).toMatch(/^redislock: Redis at .* is away or hangs.*\n$/);
      } finally {
        await own.stop();
      }
    },
    2 * PATIENCE,
  );

  it(
    "says of no lock that it is not there before it has looked",
    async () => {
      const own = await startServer();
      const client = new Redis(own.url);
      const theirs = createLocker(client);
      try {
        await theirs.obtain("k", 600_000);
        const { address } = await serve([], own.url);
        own.pause();
        const { page } = await open(browser, address);
        await page.getByText(/Redis at .* is away/).waitFor({ timeout: PATIENCE });
        expect(await page.locator(".status").innerText()).toBe("looking …");
        expect(await page.getByText("No lock is held").count()).toBe(0);
        own.resume();
        await page.getByText("1 lock held").waitFor();
      } finally {
        own.resume();
        await theirs.close();
        client.disconnect();
        await own.stop();
      }
    },
    2 * PATIENCE,
  );

  it("ends by a signal and leaves nothing", async () => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      const { program, address, origin } = await serve();
      const { page } = await open(browser, address);
      await page.getByText("0 locks held").waitFor();
      const clients = async (): Promise<number> =>
        [...String(await server.command("CLIENT", "LIST")).matchAll(/name=redislock-cli/g)].length;
      expect(await clients()).toBe(1);
      program.signal(signal);
      expect(await program.ended).toMatchObject({ code: 0, stderr: "" });
      expect(await clients()).toBe(0);
      await expect(ask(origin)).rejects.toThrow("ECONNREFUSED");
      await page.getByText("The connection to redislock is lost.").waitFor();
    }
    expect(await server.command("DBSIZE")).toBe(0);
  });

  it("serves others only with a token that was given, and prints none of those", async () => {
    const mine = "a-token-of-my-own-choice";
    const run = (env: Record<string, string>): Cli =>
      start(["page", "--port", "0", "--host", "0.0.0.0"], { url, env });
    expect(await run({}).ended).toMatchObject({ code: 64 });
    expect((await run({ REDISLOCK_PAGE_TOKEN: "short" }).ended).code).toBe(64);
    const program = run({ REDISLOCK_PAGE_TOKEN: mine });
    await program.says("Ctrl-C");
    const port = /:(\d+)\//.exec(program.stdout)?.[1] ?? "";
    const headers = { Authorization: `Bearer ${mine}` };
    const asked = await ask(`http://127.0.0.1:${port}/api/lock?key=k`, { headers });
    expect(asked.status).toBe(200);
    program.signal("SIGINT");
    const { stdout, stderr, code } = await program.ended;
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).not.toContain(mine);
  });

  it("says which port is taken, and when Redis is not there", async () => {
    const { origin } = await serve();
    const { port } = new URL(origin);
    const taken = await cli(["page", "--port", port], { url });
    expect(taken).toMatchObject({ code: 64, stdout: "" });
    expect(taken.stderr).toContain("choose another with --port");
    expect((await cli(["page", "--port", "65536"], { url })).code).toBe(64);
    expect((await cli(["page"], { url: "redis://127.0.0.1:1" })).code).toBe(69);
  });

  it("is loaded by no other command", async () => {
    const folder = mkdtempSync(join(tmpdir(), "redislock-loaded-"));
    try {
      const env = { NODE_V8_COVERAGE: folder };
      expect((await cli(["run", "k", "--", "true"], { url, env })).code).toBe(0);
      const texts = readdirSync(folder).map((name) => readFileSync(join(folder, name), "utf8"));
      const loaded = texts.flatMap((text) =>
        objectsOf(objectIn(text)["result"]).map((script) => String(script["url"])),
      );
      expect(loaded.some((path) => path.endsWith("/commands/run.js"))).toBe(true);
      expect(loaded.filter((path) => /\/hono\/|node-server|\/page\/serve\.js/.test(path))).toEqual(
        [],
      );
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
