/** A real browser, and what a page in it must never do. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { type IncomingHttpHeaders, request } from "node:http";

import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";

const list = new URL("../../../scripts/browsers.json", import.meta.url);

export function launch(): Promise<Browser> {
  const isRoot = process.getuid?.() === 0;
  const args = isRoot ? ["--no-sandbox"] : [];
  return chromium.launch({ executablePath: findBrowser(), args });
}

/** @throws if there is none: the set-up of the project's tests brings one */
function findBrowser(): string {
  const chosen = process.env["CHROMIUM"];
  const names: unknown = chosen ? [chosen] : JSON.parse(readFileSync(list, "utf8"));
  for (const name of Array.isArray(names) ? names.map(String) : []) {
    const path = pathOf(name);
    if (path !== "") return path;
  }
  throw new Error("no Chromium is there: `npm test` installs it, CHROMIUM=/path/to/it names one");
}

function pathOf(name: string): string {
  try {
    return execFileSync("sh", ["-c", 'command -v "$0"', name], { encoding: "utf8" }).trim();
  } catch {
    return "";
  }
}

export interface Opened {
  readonly page: Page;
  /** What it complained of, and what it tried to load from elsewhere. */
  readonly wrongs: string[];
}

export async function open(
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
): Promise<Opened> {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  const wrongs: string[] = [];
  page.on("pageerror", (error) => wrongs.push(error.message));
  page.on("dialog", (dialog) => wrongs.push(`dialog: ${dialog.message()}`));
  page.on("console", (message) => {
    if (message.type() === "error") wrongs.push(message.text());
  });
  page.on("request", (asked) => {
    if (new URL(asked.url()).origin !== new URL(url).origin) wrongs.push(`asked ${asked.url()}`);
  });
  await page.goto(url);
  return { page, wrongs };
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

/** Sends what a browser would not let a script send, as another Host. */
export function ask(
  url: string,
  { method = "GET", headers = {}, body = "" }: AskOptions = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asked = request(url, { method, headers, agent: false }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => (text += chunk));
      response.on("error", reject);
      response.on("end", () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text }),
      );
    });
    asked.on("error", reject);
    asked.end(body);
  });
}

interface AskOptions {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}
