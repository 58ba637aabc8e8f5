/** What every adapter of ours does on a cluster. */
import { afterEach, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";

import { failure } from "../promises/failure.js";
import { waitUntil } from "../promises/wait-until.js";
import type { RedisCluster } from "../servers/redis-cluster.js";
import { serverError, type AdapterClient, type AdapterLife, type Connect } from "./adapter.js";
import { run } from "./script.js";
import { Subscriptions } from "./subscriptions.js";

/** One on each node, in their order. */
const KEYS = ["b", "c", "a"];

const APPEND = "return {redis.call('APPEND', KEYS[1], ARGV[1]), KEYS[1]}";

/** What opens connections beside a client of several masters; undefined if nothing does. */
function sidesOf({ side }: AdapterClient): AdapterClient["side"] {
  if (side && !side.masterOf) throw new Error("a cluster has several masters");
  return side;
}

/** A kind of cluster client. */
export interface ClusterKind {
  readonly name: string;
  readonly connect: Connect;
  /** The same, not connected; undefined if there is no such thing. */
  readonly create?: (port: number) => AdapterClient;
  /** The same client, set in other ways, by what is special about each; and the prefix of its keys. */
  readonly settings: Readonly<
    Record<string, { readonly connect: Connect; readonly keyPrefix?: string }>
  >;
  /** What one that is not connected says when no node is known to listen to. */
  readonly noNode?: string;
}

/**
 * @param cluster - Of three nodes.
 * @param closeClients - Closes what the kinds have connected.
 */
export function clusterTests(
  cluster: RedisCluster,
  kinds: readonly ClusterKind[],
  closeClients: () => void,
): void {
  const port = Number(cluster.nodes[0]?.port);
  const subscriptions = new Subscriptions();

  beforeAll(async () => {
    const owners = await Promise.all(
      KEYS.map(async (key) => cluster.nodeOfSlot(await cluster.slotOf(key))),
    );
    expect(owners).toEqual(cluster.nodes);
  });

  beforeEach(async () => {
    subscriptions.begin();
    for (const node of cluster.nodes) {
      await node.command("FLUSHALL");
      await node.command("SCRIPT", "FLUSH");
    }
  });

  afterEach(async () => {
    await subscriptions.closeAll();
    closeClients();
    await untilNobodyListens();
  });

  const subscribers = (): Promise<number[]> =>
    Promise.all(cluster.nodes.map((node) => subscriptions.countAt(node)));

  async function untilNobodyListens(): Promise<void> {
    await waitUntil(async () => (await subscribers()).every((count) => count === 0), {
      what: "no subscribers",
    });
  }

  describe.each(kinds)("$name", ({ connect, create, settings, noNode }) => {
    test("says that it is a cluster", async () => {
      expect((await connect(port)).cluster).toBe(true);
    });

    test("runs each script at the node of its keys, as text where it is not known", async () => {
      const client = await connect(port);
      for (const length of ["1", "2"]) {
        for (const key of KEYS) {
          await expect(run(client, APPEND, [key], ["x"])).resolves.toEqual([length, key]);
        }
      }
      for (const [index, node] of cluster.nodes.entries()) {
        await expect(node.command("GET", String(KEYS[index]))).resolves.toBe("xx");
      }
    });

    test.each(Object.entries(settings))(
      "works with %s, for keys of several nodes at once",
      async (_, { connect: connectSo, keyPrefix = "" }) => {
        const client = await connectSo(port);
        expect(client.keyPrefix ?? "").toBe(keyPrefix);
        for (const length of ["1", "2"]) {
          const replies = KEYS.map((key) => run(client, APPEND, [key], ["x"]));
          await expect(Promise.all(replies)).resolves.toEqual(
            KEYS.map((key) => [length, `${keyPrefix}${key}`]),
          );
        }
        const { heard } = await subscriptions.open(client);
        await subscriptions.publish(cluster.nodeOfSlot(0), "hello");
        expect(await heard.next()).toBe("message: hello");
      },
    );

    test("finds a key that has moved", async () => {
      const client = await connect(port);
      await run(client, APPEND, ["a"], ["x"]);
      const slot = await cluster.slotOf("a");
      const home = cluster.nodes.indexOf(cluster.nodeOfSlot(slot));
      await cluster.moveSlot(slot, (home + 1) % cluster.nodes.length);
      try {
        await expect(run(client, APPEND, ["a"], ["x"])).resolves.toEqual(["2", "a"]);
      } finally {
        await cluster.moveSlot(slot, home);
      }
    });

    test("says by a ServerError that keys do not belong together", async () => {
      const client = await connect(port);
      const error = await failure(run(client, APPEND, ["a", "b"], ["x"]));
      expect(error).toMatchObject(serverError("CROSSSLOT"));
    });

    describe("a connection beside it", () => {
      const lives: AdapterLife[] = [];
      afterEach(() => {
        for (const { end } of lives.splice(0)) end(new Error("the test is over"));
      });

      function newLife(): AdapterLife {
        let end: AdapterLife["end"] = () => undefined;
        const ended = new Promise<unknown>((resolve) => (end = resolve));
        const life = { end, ended };
        lives.push(life);
        return life;
      }

      test("leads to the master of a slot, which it is told by", async () => {
        const client = await connect(port);
        // Some know the nodes from their first command on.
        await run(client, APPEND, ["a"], ["x"]);
        const side = sidesOf(client);
        if (!side) return;
        const masters = new Set<string>();
        for (const [index, key] of KEYS.entries()) {
          const master = side.masterOf?.(await cluster.slotOf(key)) ?? "";
          masters.add(master);
          const connection = await side.open(newLife(), master);
          expect(await connection.send(["SET", key, "here"])).toBe("OK");
          await expect(cluster.nodes[index]?.command("GET", key)).resolves.toBe("here");
        }
        expect(masters.size).toBe(KEYS.length);
      });

      test("cannot be opened to what is no master, nor is there one of what is no slot", async () => {
        const client = await connect(port);
        await run(client, APPEND, ["a"], ["x"]);
        const side = sidesOf(client);
        if (!side) return;
        expect(() => side.masterOf?.(16_384)).toThrow("has slot 16384");
        const opening = (async () => side.open(newLife(), "nowhere:1"))();
        expect(await failure(opening)).toMatchObject({
          message: expect.stringMatching(/^The cluster .* nowhere:1$/),
        });
      });
    });

    describe("a subscription", () => {
      test("hears what is published at any node", async () => {
        const client = await connect(port);
        await run(client, APPEND, ["a"], ["x"]);
        const { heard } = await subscriptions.open(client);
        for (const [index, node] of cluster.nodes.entries()) {
          await subscriptions.publish(node, `at ${index}`);
          expect(await heard.next()).toBe(`message: at ${index}`);
        }
      });

      test("has a connection of its own, and closes it", async () => {
        const client = await connect(port);
        await run(client, APPEND, ["a"], ["x"]);
        const subscription = await subscriptions.open(client);
        expect((await subscribers()).sort()).toEqual([0, 0, 1]);
        await subscription.close();
        await untilNobodyListens();
        await expect(run(client, APPEND, ["a"], ["x"])).resolves.toEqual(["2", "a"]);
      });

      test("goes on at another node when the one it listens to is gone", async () => {
        const client = await connect(port);
        await run(client, APPEND, ["a"], ["x"]);
        const { heard } = await subscriptions.open(client);
        const listenedTo = cluster.nodes[(await subscribers()).indexOf(1)];
        const other = cluster.nodes.find((node) => node !== listenedTo);
        await listenedTo?.crash();
        try {
          expect(await heard.next()).toBe("resumed");
          if (other) await subscriptions.publish(other, "still here");
          expect(await heard.nextMessage()).toBe("message: still here");
        } finally {
          await listenedTo?.restart();
          await cluster.untilServing();
        }
      });

      if (!create || noNode === undefined) return;
      test("fails while no node is known", async () => {
        expect(await failure(subscriptions.open(create(port)))).toMatchObject({ message: noNode });
      });
    });
  });
}
