import { follow } from "./redis-replicas.js";
import { startServer, type RedisServer } from "./redis-server.js";
import { waitUntil } from "../promises/wait-until.js";

/** Milliseconds for a failover. */
const TIMEOUT = 60_000;
/** Milliseconds of silence after which the sentinel calls a master dead. */
const DOWN_AFTER = 500;

/** Starts two servers, of which the second follows the first, and a sentinel that watches over them. */
export async function startSentinel(): Promise<SentinelSet> {
  const args = ["--repl-diskless-sync-delay", "0"];
  const servers = await Promise.all([startServer({ args }), startServer({ args })]);
  const [master, replica] = servers;
  const stopAll = (): Promise<unknown> => Promise.all(servers.map((server) => server.stop()));
  try {
    await follow(replica, master);
    const set = new SentinelSet(await startSentinelOf(master), servers);
    await set.untilReady();
    return set;
  } catch (error) {
    await stopAll();
    throw error;
  }
}

/** Starts a sentinel alone, which watches over a master that is there. */
export function startSentinelOf(master: RedisServer): Promise<RedisServer> {
  const config = [
    `sentinel monitor ${SentinelSet.name} 127.0.0.1 ${master.port} 1`,
    `sentinel down-after-milliseconds ${SentinelSet.name} ${DOWN_AFTER}`,
    `sentinel failover-timeout ${SentinelSet.name} 5000`,
  ];
  return startServer({ args: ["--sentinel"], config: config.join("\n") });
}

/** Running servers with a sentinel. Only the tests that started them use them, as they like. */
export class SentinelSet {
  /** Under which the sentinel knows the servers. */
  static readonly name: string = "main";

  readonly sentinel: RedisServer;
  readonly servers: readonly RedisServer[];

  /** Use {@link startSentinel}. */
  constructor(sentinel: RedisServer, servers: readonly RedisServer[]) {
    this.sentinel = sentinel;
    this.servers = servers;
  }

  /** The server that the sentinel calls master. */
  async master(): Promise<RedisServer> {
    const address = await this.#ask("GET-MASTER-ADDR-BY-NAME");
    const port = Array.isArray(address) ? Number(address[1]) : NaN;
    const master = this.servers.find((server) => server.port === port);
    if (master === undefined) throw new Error(`The sentinel names a stranger: ${String(address)}`);
    return master;
  }

  /**
   * Has the other server take over, as before maintenance, and resolves with it once it has. The first one
   * goes on as a master for ten seconds more, until the sentinel makes it a replica.
   */
  async failOver(): Promise<RedisServer> {
    const before = await this.master();
    await this.#ask("FAILOVER");
    return this.untilAnother(before);
  }

  /** Has the master crash, and resolves with the new one. */
  async crash(): Promise<RedisServer> {
    const before = await this.master();
    await before.crash();
    return this.untilAnother(before);
  }

  /** Has the master hang, and resolves with the new one. */
  async hang(): Promise<RedisServer> {
    const before = await this.master();
    before.pause();
    return this.untilAnother(before);
  }

  /** Resolves with the new master once the sentinel has replaced that one. */
  async untilAnother(before: RedisServer): Promise<RedisServer> {
    await waitUntil(async () => (await this.master()) !== before, {
      what: "another master",
      timeout: TIMEOUT,
    });
    return this.master();
  }

  /** Resolves once the sentinel knows a replica that could take over. */
  async untilReady(): Promise<void> {
    const isReady = async (): Promise<boolean> => {
      const facts = [await this.#ask("REPLICAS")].flat(2).map(String);
      return facts[facts.indexOf("master-link-status") + 1] === "ok";
    };
    await waitUntil(isReady, { what: "the sentinel to know a replica", timeout: TIMEOUT });
  }

  async stop(): Promise<void> {
    await this.sentinel.stop();
    await Promise.all(this.servers.map((server) => server.stop()));
  }

  #ask(command: string): ReturnType<RedisServer["command"]> {
    return this.sentinel.command("SENTINEL", command, SentinelSet.name);
  }
}
