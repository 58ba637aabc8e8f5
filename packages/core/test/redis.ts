import { afterAll, afterEach } from "@jest/globals";
import {
  connect,
  loadScripts,
  startProxy,
  startServer,
  untilInLine as untilInLineAt,
  type FaultProxy,
  type RedisServer,
  type ServerOptions,
} from "@redislock/test-kit";

import { scripts as byName } from "../src/adapter.js";
import { Locker, type LockerOptions, type Script } from "../src/index.js";
import { RespClient } from "./resp-client.js";

export const scripts: readonly Script[] = Object.values(byName);

/** A server, and a proxy before it that sees every command. */
export interface Redis {
  readonly server: RedisServer;
  readonly proxy: FaultProxy;
  /** A client of its own, through the proxy; says `greeting` first on each connection. */
  readonly client: (greeting?: readonly string[]) => RespClient;
  /** A locker with a client of its own, through the proxy. */
  readonly locker: (options?: LockerOptions) => Locker;
  /** What was asked so far, by the names of the scripts; `text` for those that were sent as text. */
  readonly asked: () => string[];
  /** Resolves when so many stand in line for a key; with `told`, when all of them can be told. */
  readonly untilInLine: (key: string, count: number, how?: "told") => Promise<void>;
}

/** Starts them for the tests of one file; each test finds the server empty, but with all scripts known. */
export async function startRedis(options?: ServerOptions): Promise<Redis> {
  const server = await startServer(options);
  const proxy = await startProxy(server.port);
  const opened: (RespClient | Locker)[] = [];
  await loadScripts(server, scripts);

  afterEach(async () => {
    await proxy.heal();
    await Promise.all(opened.splice(0).map((one) => one.close()));
    // What was under way comes before the next test, not into it.
    for (let turn = 0; turn < 2; turn++) await server.command("PING");
    await server.command("FLUSHALL");
    await loadScripts(server, scripts);
    proxy.commands.clear();
  });

  afterAll(async () => {
    await proxy.stop();
    await server.stop();
  });

  function client(greeting: readonly string[] = []): RespClient {
    const one = new RespClient(async () => {
      const connection = await connect(proxy.port);
      if (greeting.length > 0) await connection.send(...greeting);
      return connection;
    });
    opened.push(one);
    return one;
  }

  function locker(lockerOptions?: LockerOptions): Locker {
    const one = new Locker(client(), lockerOptions);
    opened.push(one);
    return one;
  }

  function asked(): string[] {
    return proxy.commands.all.map(([command = "", what]) => nameOf(command, what));
  }

  function untilInLine(key: string, count: number, how?: "told"): Promise<void> {
    return untilInLineAt(server, key, count, { told: how === "told" });
  }

  return { server, proxy, client, locker, asked, untilInLine };
}

function nameOf(command: string, what: string | undefined): string {
  if (command === "EVALSHA") return scripts.find(({ sha1 }) => sha1 === what)?.name ?? "unknown";
  if (command === "EVAL") return "text";
  return command;
}
