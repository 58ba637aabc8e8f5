/** What every adapter of ours does on a single server, beyond what the conformance kit asks of any adapter. */
import { afterEach, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";

import { failure } from "../promises/failure.js";
import { waitUntil } from "../promises/wait-until.js";
import type { ProxiedServer } from "../proxy/proxied-server.js";
import { startServer } from "../servers/redis-server.js";
import { serverError, type AdapterClient, type AdapterReply, type Connect } from "./adapter.js";
import { run } from "./script.js";
import { Subscriptions } from "./subscriptions.js";

/** Replies of every type, alone and within others, and what becomes of them; of a key that is not there. */
const SHAPES: readonly (readonly [string, (arg: string) => AdapterReply])[] = [
  ["return -7", () => "-7"],
  ["return 1795435353768901", () => "1795435353768901"],
  ["return ARGV[1]", (arg) => arg],
  ["return redis.call('GET', KEYS[1])", () => null],
  ["return redis.status_reply('DONE')", () => "DONE"],
  ["return {}", () => []],
  [
    "return {1, '7', '', true, false, ARGV[1], {redis.status_reply('DONE'), {2}, {}}}",
    (arg) => ["1", "7", "", "1", null, arg, ["DONE", ["2"], []]],
  ],
];

/** A kind of client. */
export interface AdapterKind {
  readonly name: string;
  readonly connect: Connect;
  /** Connects, with its password "any", a user who may do everything but subscribe. */
  readonly connectDeaf: (port: number, username: string) => Promise<AdapterClient>;
  /** Connects a client that, once it has lost its connection, stays without. */
  readonly connectOnce: Connect;
  /** The same client, set in other ways, by what is special about each. */
  readonly settings: Readonly<Record<string, Connect>>;
  /** What its error says when the server is not there. Default: the code `ECONNREFUSED`. */
  readonly unreachable?: Readonly<Record<string, unknown>>;
  /** Whether the library itself tries again to open a connection that fails while it is greeted. */
  readonly insists?: boolean;
}

const ECONNREFUSED = { code: "ECONNREFUSED" };

/** @param closeClients - Closes what the kinds have connected. */
export function singleServerTests(
  { server, proxy }: ProxiedServer,
  kinds: readonly AdapterKind[],
  closeClients: () => void,
): void {
  const subscriptions = new Subscriptions();

  beforeAll(async () => {
    await server.command("ACL", "SETUSER", "deaf", "on", "nopass", "~*", "+@all", "-subscribe");
  });

  beforeEach(async () => {
    subscriptions.begin();
    await server.command("FLUSHALL");
    await server.command("SCRIPT", "FLUSH");
  });

  afterEach(async () => {
    await subscriptions.closeAll();
    closeClients();
    await proxy.heal();
    await untilSubscribers(0);
    await waitUntil(() => proxy.connections === 0, { what: "no connection" });
    proxy.commands.clear();
  });

  async function untilSubscribers(count: number): Promise<void> {
    await waitUntil(async () => (await subscriptions.countAt(server)) === count, {
      what: `${count} subscribers`,
    });
  }

  describe.each(kinds)("$name", (kind) => {
    const { connect, connectDeaf, connectOnce, settings } = kind;
    const { unreachable = ECONNREFUSED, insists = false } = kind;

    describe("a script is sent by its hash", () => {
      const sent = (): string[] =>
        proxy.commands.all.map(([name = ""]) => name).filter((name) => name.startsWith("EVAL"));

      test("and as text, once, only when the server does not know it", async () => {
        const client = await connect(proxy.port);
        proxy.commands.clear();
        for (const word of ["1", "2", "3"]) {
          await expect(run(client, "return ARGV[1]", [], [word])).resolves.toBe(word);
        }
        expect(sent()).toEqual(["EVALSHA", "EVAL", "EVALSHA", "EVALSHA"]);
        await server.command("SCRIPT", "FLUSH");
        await expect(run(client, "return ARGV[1]", [], ["4"])).resolves.toBe("4");
        expect(sent().slice(4)).toEqual(["EVALSHA", "EVAL"]);
      });

      test("not as text after any other error", async () => {
        const client = await connect(proxy.port);
        await server.command("LPUSH", "list", "1");
        await run(client, "return redis.call('GET', KEYS[1])", ["text"]);
        proxy.commands.clear();
        await failure(run(client, "return redis.call('GET', KEYS[1])", ["list"]));
        expect(sent()).toEqual(["EVALSHA"]);
      });
    });

    test.each(Object.entries(settings))(
      "with %s: runs scripts, hears, and hears again after a loss",
      async (_, connectSo) => {
        const client = await connectSo(proxy.port);
        for (const sent of ["as text", "by hash"]) {
          const replies = SHAPES.map(([source]) =>
            run(client, source, ["key"], [`${sent}, é🔒\r\n`]),
          );
          await expect(Promise.all(replies)).resolves.toEqual(
            SHAPES.map(([, shape]) => shape(`${sent}, é🔒\r\n`)),
          );
        }
        const refused = await failure(run(client, "return {err = 'MINE is broken'}"));
        expect(refused).toMatchObject(serverError("MINE"));
        const { heard } = await subscriptions.open(client);
        await subscriptions.publish(server, "one");
        expect(await heard.next()).toBe("message: one");
        await proxy.cutAll();
        expect(await heard.next()).toBe("resumed");
        await subscriptions.publish(server, "two");
        expect(await heard.next()).toBe("message: two");
      },
    );

    describe("a subscription", () => {
      test("has one connection of its own", async () => {
        const client = await connect(proxy.port);
        const { heard } = await subscriptions.open(client);
        await expect(subscriptions.publish(server, "one")).resolves.toBe(1);
        expect(await heard.next()).toBe("message: one");
        const listening = await server.command("CLIENT", "LIST", "TYPE", "pubsub");
        expect(String(listening).trim().split("\n")).toHaveLength(1);
      });

      test("that is not permitted is asked for once, and leaves nothing behind", async () => {
        // No other error than the one it is about: the client may be set to do something about any.
        await server.command("SCRIPT", "LOAD", "return 1");
        const client = await connectDeaf(proxy.port, "deaf");
        await run(client, "return 1");
        const before = proxy.connections;
        const error = await failure(subscriptions.open(client));
        expect(error).toMatchObject(serverError("NOPERM"));
        await waitUntil(() => proxy.connections === before, { what: "the user's alone" });
        expect(proxy.commands.count("SUBSCRIBE")).toBe(1);
      });

      test("fails with the client's own error when the server is not there", async () => {
        const client = await connect(proxy.port);
        await run(client, "return 1");
        proxy.refuse();
        const error = await failure(subscriptions.open(client));
        expect(error).toMatchObject(unreachable);
      });

      if (insists)
        test("is open after all when the server hangs up while it is greeted", async () => {
          const client = await connect(proxy.port);
          await run(client, "return 1");
          const swallowed = proxy.swallowNextRequest();
          const { heard } = await subscriptions.open(client);
          await swallowed.happened;
          await subscriptions.publish(server, "one");
          expect(await heard.next()).toBe("message: one");
        });

      test.each([
        ["instead of an answer", "SUBSCRIBE"],
        ...(insists ? [] : [["while it is greeted", undefined] as const]),
      ])("fails when the server hangs up %s, and leaves nothing behind", async (_, command) => {
        const client = await connect(proxy.port);
        await run(client, "return 1");
        const before = proxy.connections;
        const swallowed = proxy.swallowNextRequest(command);
        const error = await failure(subscriptions.open(client));
        await swallowed.happened;
        expect(error).toBeDefined();
        expect(error).not.toMatchObject({ code: "SERVER" });
        await waitUntil(() => proxy.connections === before, { what: "the user's alone" });
      });

      test("tries again when the new connection is lost, too", async () => {
        const { heard } = await subscriptions.open(await connect(proxy.port));
        const swallowed = proxy.swallowNextRequest("SUBSCRIBE");
        await proxy.cutAll();
        await swallowed.happened;
        expect(await heard.next()).toBe("resumed");
        await subscriptions.publish(server, "one");
        expect(await heard.next()).toBe("message: one");
        await untilSubscribers(1);
      });

      test("tries until the server is back, and says once that it resumed", async () => {
        const other = await startServer();
        try {
          const { heard } = await subscriptions.open(await connect(other.port));
          await other.crash();
          await other.restart();
          expect(await heard.next()).toBe("resumed");
          await subscriptions.publish(other, "one");
          expect(await heard.next()).toBe("message: one");
        } finally {
          await other.stop();
        }
      });

      test("that is closed while it reconnects has no connection left", async () => {
        const subscription = await subscriptions.open(await connectOnce(proxy.port));
        // The new connection is open, its subscription not confirmed.
        const silent = proxy.silence();
        await proxy.cutAll();
        await silent.happened;
        await subscription.close();
        proxy.speak({ deliver: true });
        await waitUntil(() => proxy.connections === 0, { what: "no connection" });
        await untilSubscribers(0);
        expect(subscription.heard.rest).toEqual([]);
      });
    });
  });
}
