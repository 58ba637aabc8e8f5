/** A client in memory of which it is seen what it sends over which connection. */
import type { Life, Reply } from "@redislock/core/adapter";

import {
  Locker,
  ManualClock,
  memoryClient,
  type MemoryClientOptions,
  MemoryServer,
  type RedisClient,
} from "../src/index.js";

/** What happens to a command that is sent: by default, `go`. */
type Way = (name: string, go: () => Promise<Reply>) => Promise<Reply>;

/** No answer. */
export const NEVER = new Promise<never>(() => undefined);

/** All that takes a lock, or proves that it is there, is a script. */
export const isScript = (name: string): boolean => name.startsWith("EVAL");

/** A server with a replica, and what is sent to it: over the client's own connection, and beside it. */
export function setUp({
  closed,
  told = () => ({}),
  ...options
}: MemoryClientOptions & {
  closed?: () => boolean;
  /** What the client says of its own connection. */
  told?: () => Pick<RedisClient, "connection" | "epoch">;
} = {}) {
  const clock = new ManualClock();
  const server = new MemoryServer({ clock, replicas: 1 });
  const inner = memoryClient(server, options);
  const { subscribe, side } = inner;
  if (!subscribe || !side) throw new Error("a client in memory has both");
  const sent: { own: string[]; beside: string[] } = { own: [], beside: [] };
  const way: {
    own: Way;
    beside: Way;
    /** Before a connection beside the client's own is there. */
    open: () => Promise<unknown>;
  } = { own: (_, go) => go(), beside: (_, go) => go(), open: async () => undefined };
  /** Those beside, and why they ended. */
  const lives: Life[] = [];
  const ends: unknown[] = [];
  const client: RedisClient = {
    run: (script, keys, args) => {
      sent.own.push(script.name);
      return way.own(script.name, () => inner.run(script, keys, args));
    },
    subscribe,
    get closed() {
      return closed?.() === true;
    },
    get connection() {
      return told().connection;
    },
    get epoch() {
      return told().epoch;
    },
    side: {
      open: async (life) => {
        lives.push(life);
        void life.ended.then((reason) => ends.push(reason));
        const lost = life.ended.then(() => {
          throw new Error("the connection was lost");
        });
        lost.catch(() => undefined);
        await way.open();
        const connection = await side.open(life);
        return {
          send: (command) => {
            const [name = ""] = command;
            sent.beside.push(name);
            return Promise.race([lost, way.beside(name, () => connection.send(command))]);
          },
        };
      },
    },
  };
  const locker = new Locker(client, { clock, minReplicas: 1 });
  const forget = (): void => {
    sent.own = [];
    sent.beside = [];
  };
  /** After it, both connections are known to lead to one master. */
  const first = async (): Promise<void> => {
    await (await locker.obtain("first", 60_000)).release();
    forget();
  };
  /** All keys but the fence. */
  const left = (): unknown[] =>
    [server.command("KEYS", "*")].flat().filter((key) => !String(key).startsWith("redislock{"));
  /** When a call came to its end. */
  const endOf = (call: Promise<unknown>): Promise<number> => call.then(() => clock.now());
  return {
    clock,
    server,
    inner,
    client,
    locker,
    sent,
    way,
    lives,
    ends,
    first,
    forget,
    left,
    endOf,
  };
}
