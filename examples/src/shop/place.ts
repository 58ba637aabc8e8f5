/** Where the demo plays: on the server of REDIS_URL, or on one of its own. */
import { randomBytes } from "node:crypto";
import { startServer } from "@redislock/test-kit";
import { connect } from "./connection.js";
import { keysOf } from "./stock.js";

export interface Place {
  readonly url: string;
  /** Where that is, for people to read. */
  readonly description: string;
  /** The command that shows its locks in a browser. */
  readonly page: string;
  /** What all keys begin with, for a server of the user's holds other keys too. */
  readonly shop: string;
  /** Leaves nothing behind. */
  leave(): Promise<void>;
}

const PAGE = "  node packages/cli/dist/bin.js page";

export async function findPlace(): Promise<Place> {
  // In braces, so that all its keys have one hash slot, and plain names.
  const shop = `{redislock-demo:${randomBytes(6).toString("hex")}}:`;
  const given = process.env["REDIS_URL"];
  if (given) {
    const description = withoutPassword(given);
    const page = `${PAGE}   (with the same REDIS_URL)`;
    return { url: given, description, page, shop, leave: () => removeShop(given, shop) };
  }
  const server = await startServer();
  const description = `${server.url}, started for this demo`;
  const page = `${PAGE} --url ${server.url}`;
  return { url: server.url, description, page, shop, leave: () => server.stop() };
}

async function removeShop(url: string, shop: string): Promise<void> {
  const connection = await connect("node-redis", url, shop);
  await connection.command(["DEL", ...keysOf(shop)]);
  await connection.close();
}

/** @throws Error without the text itself, which may hold a password. */
function withoutPassword(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== "redis:" && url?.protocol !== "rediss:") {
    throw new Error("REDIS_URL must look like redis://localhost:6379");
  }
  const { protocol, username, password, host, pathname } = url;
  const user = username || password ? `${username}${password && ":***"}@` : "";
  return `${protocol}//${user}${host}${pathname}`;
}
