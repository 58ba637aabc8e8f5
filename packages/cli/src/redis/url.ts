/** Where Redis is, in one text. */
import { exitCodes } from "../exit-codes.js";
import { Failure } from "../failure.js";
import { keepSecret } from "../output/text.js";

interface Address {
  readonly host: string;
  readonly port: number;
}

export interface Target {
  readonly kind: "single" | "cluster" | "sentinel";
  readonly addresses: readonly Address[];
  readonly tls: boolean;
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly db: number;
  /** What the sentinels call the master; "" unless there are sentinels. */
  readonly master: string;
  readonly sentinelUsername: string | undefined;
  readonly sentinelPassword: string | undefined;
  /** For people: what it is and where, without the password. */
  readonly shown: string;
}

export const DEFAULT_URL = "redis://127.0.0.1:6379";

const FORMS =
  "redis://[user:password@]host[:port][/db], redis+cluster://host:port,host:port or " +
  "redis+sentinel://host:port,host:port/master (rediss… for TLS)";

/** @throws Failure that shows nothing of the URL, as a password may be in it. */
export function parseUrl(url: string): Target {
  const parts =
    /^(redis|rediss)(?:\+(cluster|sentinel))?:\/\/(?:([^@/]*)@)?([^@/?#]*)(?:\/([^@?#]*))?(?:\?([^@#]*))?$/.exec(
      url,
    );
  if (!parts) throw badUrl();
  const [, scheme, kind = "single", login, hosts = "", path = "", query = ""] = parts;
  if (kind !== "single" && kind !== "cluster" && kind !== "sentinel") throw badUrl();
  const [username, password] = readLogin(login);
  const port = kind === "sentinel" ? 26379 : 6379;
  const addresses = hosts.split(",").map((host) => readAddress(host, port));
  const [master, db] = readPath(kind, path);
  const options = new URLSearchParams(query);
  const sentinelUsername = options.get("sentinel-username") ?? undefined;
  const sentinelPassword = options.get("sentinel-password") ?? undefined;
  keepSecret(password);
  keepSecret(sentinelPassword);
  const where = addresses.map(({ host, port }) => `${host}:${port}`).join(", ");
  const names = { single: "Redis", cluster: "the cluster", sentinel: `the sentinels of ${master}` };
  return {
    kind,
    addresses,
    tls: scheme === "rediss",
    username,
    password,
    db,
    master,
    sentinelUsername,
    sentinelPassword,
    shown: `${names[kind]} at ${where}`,
  };
}

function badUrl(): Failure {
  return new Failure(
    `the URL of Redis (--url or REDIS_URL) is of no known form: it must be ${FORMS}`,
    exitCodes.usage,
  );
}

function readLogin(login: string | undefined): [string | undefined, string | undefined] {
  if (login === undefined) return [undefined, undefined];
  const colon = login.indexOf(":");
  if (colon < 0) return [decode(login) || undefined, undefined];
  return [decode(login.slice(0, colon)) || undefined, decode(login.slice(colon + 1)) || undefined];
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw badUrl();
  }
}

function readAddress(text: string, standard: number): Address {
  const [, six, host, port] =
    /^(?:\[([\da-fA-F:.]+)\]|([^:[\]]*))(?::(\d{1,5}))?$/.exec(text) ?? [];
  const name = six ?? host;
  const number = Number(port ?? standard);
  if (name === undefined || number > 65_535) throw badUrl();
  return { host: name || "127.0.0.1", port: number };
}

function readPath(kind: Target["kind"], path: string): [master: string, db: number] {
  const [master = "", number = "", ...more] = kind === "sentinel" ? path.split("/") : ["", path];
  if (kind === "sentinel" && !master) throw badUrl();
  if (kind === "cluster" && path !== "") throw badUrl();
  if (!/^\d*$/.test(number) || more.length > 0) throw badUrl();
  return [decode(master), Number(number)];
}
