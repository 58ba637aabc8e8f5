/** What is served, to whom: requests of other sites and of other names than ours are turned away. */
import { readFileSync } from "node:fs";
import { isIP } from "node:net";

import { type Context, Hono, type MiddlewareHandler } from "hono";
import { bearerAuth } from "hono/bearer-auth";
import { bodyLimit } from "hono/body-limit";
import { secureHeaders } from "hono/secure-headers";
import { streamSSE } from "hono/streaming";

import { Failure } from "../failure.js";
import { CHANGED_HANDS } from "../locks/taking-away.js";
import { withoutSecrets } from "../output/text.js";

import { page } from "./document.js";
import type { Feed } from "./feed.js";
import type { Opened, Problem, Released } from "./messages.js";

/** Pages that are open at a time. */
const MOST_PAGES = 100;
/** Bytes of a request, a key of any length that core takes. */
const MOST_BYTES = 16 * 1024;

/** Undefined if the lock has changed hands since it was shown. */
export type Release = (key: string, fencingToken: number | null) => Promise<Released | undefined>;

export interface AppOptions {
  readonly token: string;
  /** Where it listens, which may be a name. */
  readonly host: string;
  readonly feed: Feed;
  /** None if nothing may be written. */
  readonly release: Release | undefined;
}

export function createApp({ token, host, feed, release }: AppOptions): Hono {
  const app = new Hono();
  app.use(headers, onlyFor(host));
  app.get("/", (c) => c.html(page));
  for (const { path, type, text } of files) {
    app.get(path, (c) => c.body(text, 200, { "Content-Type": type }));
  }
  app.use("/api/*", bearerAuth({ token }));
  app.get("/api/events", (c) => events(c, feed));
  app.get("/api/lock", async (c) => c.json<Opened>(await feed.open(c.req.query("key") ?? "")));
  if (release) {
    app.post("/api/release", bodyLimit({ maxSize: MOST_BYTES }), async (c) => {
      const asked = readAsked(await c.req.json().catch(() => undefined));
      if (!asked) return c.json<Problem>({ problem: "a key and a fencing token are needed" }, 400);
      const released = await release(asked.key, asked.fencingToken).finally(() =>
        feed.forget(asked.key),
      );
      if (released) return c.json<Released>(released);
      return c.json<Problem>({ problem: CHANGED_HANDS }, 409);
    });
  }
  app.onError((error, c) => {
    if ("getResponse" in error) return error.getResponse();
    const problem = error instanceof Failure ? withoutSecrets(error.message) : "it failed";
    return c.json<Problem>({ problem }, 502);
  });
  return app;
}

const headers = secureHeaders({
  contentSecurityPolicy: {
    defaultSrc: ["'none'"],
    scriptSrc: ["'self'"],
    styleSrc: ["'self'"],
    imgSrc: ["'self'"],
    connectSrc: ["'self'"],
    baseUri: ["'none'"],
    formAction: ["'none'"],
    frameAncestors: ["'none'"],
    requireTrustedTypesFor: ["'script'"],
  },
  // There is no TLS here that could be promised.
  strictTransportSecurity: false,
  xFrameOptions: "DENY",
});

/**
 * A site whose name was made to lead here (DNS rebinding) still sends its own name as Host, and any site
 * sends its own as Origin.
 */
function onlyFor(host: string): MiddlewareHandler {
  return (c, next) => {
    const asked = c.req.header("Host") ?? "";
    const name = asked.replace(/:\d+$/, "").replace(/^\[(.*)\]$/, "$1");
    if (isIP(name) === 0 && name !== "localhost" && name !== host) return refuse(c);
    const origin = c.req.header("Origin");
    const site = c.req.header("Sec-Fetch-Site") ?? "none";
    if (origin === undefined ? c.req.method !== "GET" : hostOf(origin) !== asked) return refuse(c);
    // A link from elsewhere may lead to the page itself, and to nothing else.
    if (site !== "same-origin" && site !== "none" && c.req.path !== "/") return refuse(c);
    c.header("Cache-Control", "no-store");
    return next();
  };
}

function hostOf(origin: string): string | undefined {
  return /^https?:\/\/(.+)$/.exec(origin)?.[1];
}

async function refuse(c: Context): Promise<Response> {
  return c.json<Problem>({ problem: "this page answers to itself alone" }, 403);
}

function events(c: Context, feed: Feed): Response {
  if (feed.pages >= MOST_PAGES) {
    return c.json<Problem>({ problem: `${MOST_PAGES} pages are open already` }, 503);
  }
  return streamSSE(c, async (stream) => {
    const left = new AbortController();
    stream.onAbort(() => left.abort());
    for await (const message of feed.messages(left.signal)) {
      await stream.writeSSE({ data: JSON.stringify(message) });
    }
  });
}

function readAsked(
  body: unknown,
): { readonly key: string; readonly fencingToken: number | null } | undefined {
  if (typeof body !== "object" || body === null) return undefined;
  if (!("key" in body) || !("fencingToken" in body)) return undefined;
  const { key, fencingToken } = body;
  if (typeof key !== "string") return undefined;
  if (typeof fencingToken !== "number" && fencingToken !== null) return undefined;
  return { key, fencingToken };
}

const files = [
  { path: "/page.js", type: "text/javascript; charset=utf-8", text: beside("page.js") },
  { path: "/page.css", type: "text/css; charset=utf-8", text: beside("page.css") },
  { path: "/icon.svg", type: "image/svg+xml", text: beside("icon.svg") },
];

function beside(name: string): string {
  return readFileSync(new URL(`browser/${name}`, import.meta.url), "utf8");
}
