/** `minReplicas`, where the number of replicas and the way to the master are at hand. */
import { describe, expect, test } from "@jest/globals";
import type { SideConnections } from "@redislock/core/adapter";
import { failure } from "@redislock/test-kit";

import {
  type Clock,
  type LockEvent,
  Locker,
  ManualClock,
  memoryClient,
  type MemoryClient,
  MemoryServer,
  type MemoryServerOptions,
  OutcomeUnknownError,
  RefusedError,
  type RedisClient,
} from "../src/index.js";

const FEW = { code: "REFUSED", reply: "NOREPLICAS", operation: "obtain" };

/** A server with replicas, on a clock that stands still. */
function setUp(options: MemoryServerOptions = {}) {
  const clock = new ManualClock();
  const server = new MemoryServer({ clock, replicas: 1, ...options });
  const client = memoryClient(server);
  const events: LockEvent[] = [];
  const locker = new Locker(client, {
    clock,
    minReplicas: 1,
    onEvent: (event) => events.push(event),
  });
  return { clock, server, client, events, locker };
}

/** A server that knows nothing of what another one granted, as after a failover that lost it. */
function another(server: MemoryServer): MemoryServer {
  return new MemoryServer({ clock: server.clock, replicas: 1 });
}

/** All keys but the fence. */
function left(server: MemoryServer): unknown[] {
  return [server.command("KEYS", "*")]
    .flat()
    .filter((key) => !String(key).startsWith("redislock{"));
}

/** Runs `during` at the moment at which the master has granted the lock, and its reply is on the way. */
function atGrant(client: MemoryClient, during: () => void): RedisClient {
  return {
    run: async (script, keys, args) => {
      const reply = await client.run(script, keys, args);
      if (script.name.startsWith("obtain")) during();
      return reply;
    },
    ...(client.subscribe && { subscribe: client.subscribe }),
    ...(client.side && { side: client.side }),
  };
}

const kinds = {
  exclusive: {},
  shared: { mode: "shared" },
  counted: { limit: 2 },
  "of an own token": { token: "a-token-of-my-own" },
} as const;

describe.each(Object.entries(kinds))("a lock that is %s", (_, options) => {
  test("is returned with one replica, and goes through its life", async () => {
    const { clock, locker, server } = setUp();
    const lock = await locker.obtain("k", 9_000, options);
    await clock.advance(5_000);
    const refreshed = lock.refresh(9_000);
    await clock.advance(0);
    await refreshed;
    expect(lock.remaining).toBeGreaterThan(8_000);
    await lock.refresh(1_000);
    expect(lock.remaining).toBeLessThan(1_000);
    await lock.refresh(9_000);
    expect(lock.remaining).toBeGreaterThan(8_000);
    await lock.release();
    expect(left(server)).toEqual([]);
  });

  test("is refused by too few, and given back", async () => {
    const { clock, locker, server } = setUp({ replicas: 0 });
    const refused = failure(locker.obtain("k", 9_000, options));
    await clock.advance(499);
    expect(left(server)).not.toEqual([]);
    await clock.advance(1);
    expect(await refused).toMatchObject(FEW);
    expect(await refused).toBeInstanceOf(RefusedError);
    expect(left(server)).toEqual([]);
  });

  test("is not returned if the master that is asked for replicas has not got it", async () => {
    const { client, server, clock } = setUp();
    const other = another(server);
    const locker = new Locker(
      atGrant(client, () => client.leadSidesTo(other)),
      { clock, minReplicas: 1 },
    );
    const error = await failure(locker.obtain("k", 9_000, options));
    expect(error).toBeInstanceOf(OutcomeUnknownError);
    expect(left(server)).toEqual([]);
    expect(left(other)).toEqual([]);
  });
});

test("several keys are confirmed together, and given back together", async () => {
  const { clock, locker, server } = setUp();
  await (await locker.obtain(["a", "b"], 9_000)).release();
  server.setReplicas(0);
  const refused = failure(locker.obtain(["a", "b"], 9_000));
  await clock.advance(500);
  expect(await refused).toMatchObject(FEW);
  expect(left(server)).toEqual([]);
});

test("tryObtain tells too few replicas from a lock that is taken", async () => {
  const { clock, locker, server } = setUp();
  const lock = await locker.obtain("k", 9_000);
  expect(await locker.tryObtain("k", 9_000)).toBeNull();
  await lock.release();
  server.setReplicas(0);
  const refused = failure(locker.tryObtain("k", 9_000));
  await clock.advance(500);
  expect(await refused).toMatchObject(FEW);
});

test("who is behind too few replicas is told of too few, too", async () => {
  const { clock, locker, server } = setUp({ replicas: 0 });
  const first = failure(locker.obtain("a", 9_000));
  await clock.advance(100);
  const second = failure(locker.obtain("b", 9_000));
  await clock.advance(2_000);
  expect(await first).toMatchObject(FEW);
  expect(await second).toMatchObject(FEW);
  expect(left(server)).toEqual([]);
});

test("a lock whose lease is over by the time that replicas have it is none, and given back", async () => {
  const { clock, client, server } = setUp();
  let paused = 0;
  const own: Clock = {
    now: () => clock.now() + paused,
    after: (ms, run) => clock.after(ms, run),
  };
  const side: SideConnections = {
    open: async (life, master) => {
      const connection = await openSide(client, life, master);
      return {
        send: async (command) => {
          const reply = await connection.send(command);
          // The process stands still when the answer is there, and nobody has looked at it.
          if (command[0] === "WAIT") paused = 10_000;
          return reply;
        },
      };
    },
  };
  const locker = new Locker(
    { run: (...command) => client.run(...command), side },
    { clock: own, minReplicas: 1 },
  );
  expect(await failure(locker.obtain("k", 9_000))).toBeInstanceOf(OutcomeUnknownError);
  expect(left(server)).toEqual([]);
});

function openSide(client: MemoryClient, ...of: Parameters<SideConnections["open"]>) {
  if (!client.side) throw new Error("the client has no connections beside its own");
  return client.side.open(...of);
}

describe("renewal", () => {
  test("moves the lease only once replicas have it, and the holder is told at its deadline", async () => {
    const { clock, locker, server, events } = setUp();
    const lock = await locker.obtain("k", 9_000, { renew: true });
    await clock.advance(3_000);
    expect(events.at(-1)).toMatchObject({ type: "renewed" });
    server.setReplicas(0);
    const end = lock.remaining;
    await clock.advance(end - 1);
    expect(lock.held).toBe(true);
    expect(lock.remaining).toBeLessThanOrEqual(1);
    // The master itself has a longer lease: it renewed, and counts for nothing.
    expect(Number(server.command("PTTL", "k"))).toBeGreaterThan(1_000);
    const failed = events.filter(({ type }) => type === "renewalFailed");
    expect(failed[0]).toMatchObject({ error: { code: "REFUSED", reply: "NOREPLICAS" } });
    await clock.advance(2);
    expect(lock.held).toBe(false);
    expect(lock.signal.reason).toMatchObject({
      reason: "unreachable",
      cause: { code: "REFUSED", reply: "NOREPLICAS" },
    });
  });

  test("goes on when replicas are back in time", async () => {
    const { clock, locker, server, events } = setUp();
    const lock = await locker.obtain("k", 9_000, { renew: true });
    server.setReplicas(0);
    await clock.advance(5_000);
    server.setReplicas(1);
    await clock.advance(1_000);
    expect(events.at(-1)).toMatchObject({ type: "renewed" });
    expect(lock.remaining).toBeGreaterThan(5_000);
    await clock.advance(20_000);
    expect(lock.held).toBe(true);
    await lock.release();
  });

  test("follows the master to which the lock came, and tells of a loss where it did not", async () => {
    const { clock, locker, client, server } = setUp();
    const lock = await locker.obtain("k", 9_000, { renew: true });
    client.leadSidesTo(another(server));
    await clock.advance(3_100);
    expect(lock.signal.reason).toMatchObject({ reason: "deleted" });
  });
});

describe("who waits", () => {
  test("is told by a message, and has the lock only once replicas have it", async () => {
    const { clock, locker, server, client, events } = setUp();
    const held = await new Locker(client, { clock }).obtain("k", 60_000);
    const waiting = locker.obtain("k", 60_000, { wait: 60_000 });
    await clock.advance(100);
    server.setReplicas(0);
    await held.release();
    await clock.advance(100);
    expect(events.map(({ type }) => type)).not.toContain("obtained");
    server.setReplicas(1);
    await clock.advance(0);
    const lock = await waiting;
    expect(events.at(-1)).toMatchObject({ type: "obtained" });
    expect(lock.remaining).toBeGreaterThan(59_000);
    await lock.release();
    expect(left(server)).toEqual([]);
  });

  test("asks again when too few replicas have what a message told", async () => {
    const { clock, locker, server, client, events } = setUp();
    const held = await new Locker(client, { clock }).obtain("k", 60_000);
    const waiting = locker.obtain("k", 60_000, { wait: 60_000 });
    await clock.advance(100);
    server.setReplicas(0);
    await held.release();
    await clock.advance(5_000);
    expect(events.map(({ type }) => type)).not.toContain("obtained");
    server.setReplicas(1);
    await clock.advance(1_000);
    const lock = await waiting;
    expect(lock.remaining).toBeGreaterThan(58_000);
    await lock.release();
    expect(left(server)).toEqual([]);
  });

  test("is told of too few replicas when its time is over while they are waited for", async () => {
    const { clock, locker, server, client } = setUp();
    const held = await new Locker(client, { clock }).obtain("k", 60_000);
    const refused = failure(locker.obtain("k", 60_000, { wait: 200 }));
    await clock.advance(100);
    server.setReplicas(0);
    await held.release();
    await clock.advance(1_000);
    expect(await refused).toMatchObject(FEW);
    expect(left(server)).toEqual([]);
  });

  test("has the lock that was granted in time, also if replicas have it a moment later", async () => {
    const { clock, locker, server, client } = setUp();
    const held = await new Locker(client, { clock }).obtain("k", 60_000);
    const waiting = locker.obtain("k", 60_000, { wait: 200 });
    await clock.advance(100);
    server.setReplicas(0);
    await held.release();
    await clock.advance(200);
    server.setReplicas(1);
    await clock.advance(0);
    expect((await waiting).held).toBe(true);
  });

  test("no more, and hears that it was granted the lock, gives it back and asks no replicas", async () => {
    const { clock, client, server } = setUp();
    const { client: counting, waits } = counted(client);
    let leaves = 0;
    const mute: RedisClient = {
      ...counting,
      run: (script, keys, args) =>
        // The first is lost, and nobody is told.
        script.name === "leave" && leaves++ === 0
          ? new Promise(() => undefined)
          : client.run(script, keys, args),
      ...(client.subscribe && { subscribe: client.subscribe }),
    };
    const held = await new Locker(client, { clock }).obtain("k", 60_000);
    const stop = new AbortController();
    const { signal } = stop;
    const waiting = failure(
      new Locker(mute, { clock, minReplicas: 1 }).obtain("k", 60_000, { wait: 60_000, signal }),
    );
    await clock.advance(100);
    stop.abort(new Error("enough"));
    expect(await waiting).toMatchObject({ message: "enough" });
    await held.release();
    await clock.advance(0);
    expect([leaves, waits()]).toEqual([2, 0]);
    expect(left(server)).toEqual([]);
  });

  test("keeps trying until its time is over, and then leaves nothing", async () => {
    const { clock, locker, server } = setUp({ replicas: 0 });
    const refused = failure(locker.obtain("k", 60_000, { wait: 5_000 }));
    await clock.advance(7_000);
    expect(await refused).toMatchObject(FEW);
    expect(left(server)).toEqual([]);
  });

  test("gets the lock when replicas come back meanwhile; so does who tries again", async () => {
    const { clock, locker, server } = setUp({ replicas: 0 });
    const waiting = locker.obtain("a", 60_000, { wait: 60_000 });
    const polling = locker.obtain("b", 60_000, { retry: () => 100 });
    await clock.advance(5_000);
    server.setReplicas(1);
    await clock.advance(1_000);
    expect((await waiting).held).toBe(true);
    expect((await polling).held).toBe(true);
  });

  test("who aborts while replicas are waited for gives the lock back at once", async () => {
    const { clock, locker, server } = setUp({ replicas: 0 });
    const stop = new AbortController();
    const refused = failure(locker.obtain("k", 60_000, { signal: stop.signal }));
    await clock.advance(100);
    expect(left(server)).not.toEqual([]);
    stop.abort(new Error("enough"));
    await clock.advance(0);
    expect(await refused).toMatchObject({ message: "enough" });
    expect(left(server)).toEqual([]);
  });

  test("a lock whose replicas are waited for is given back when the locker closes", async () => {
    const { clock, locker, server } = setUp({ replicas: 0 });
    const refused = failure(locker.obtain("k", 60_000, { wait: Infinity }));
    await clock.advance(100);
    await locker.close();
    expect(await refused).toMatchObject({ code: "CLOSED" });
    expect(left(server)).toEqual([]);
  });
});

test("no answer where replicas are asked for is unknown, and the lock given back", async () => {
  const { clock, client, server } = setUp();
  const silent: RedisClient = {
    run: (script, keys, args) => client.run(script, keys, args),
    side: { open: async () => ({ send: () => new Promise(() => undefined) }) },
  };
  const refused = failure(new Locker(silent, { clock, minReplicas: 1 }).obtain("k", 60_000));
  await clock.advance(2_000);
  expect(await refused).toBeInstanceOf(OutcomeUnknownError);
  expect(left(server)).toEqual([]);
});

test("a connection that is lost is opened anew within the same command", async () => {
  const { clock, locker, client, server } = setUp();
  const lock = await locker.obtain("k", 60_000);
  server.setReplicas(0);
  const refreshed = lock.refresh();
  await clock.advance(10);
  client.leadSidesTo(server);
  server.setReplicas(1);
  await clock.advance(100);
  await refreshed;
  await lock.release();
});

describe("the connection to ask on", () => {
  test("is opened when first needed, once, and closed with the locker", async () => {
    const { locker, client } = setUp();
    expect(client.openSides).toBe(0);
    const locks = await Promise.all(["a", "b", "c"].map((key) => locker.obtain(key, 60_000)));
    expect(client.openSides).toBe(1);
    await locker.close();
    await Promise.resolve();
    expect(client.openSides).toBe(0);
    // What is held on goes on.
    await locks[0]?.refresh();
    await Promise.resolve();
    expect(client.openSides).toBe(0);
  });

  test("is closed after half a minute without a command, or once the client is closed", async () => {
    const { clock, locker, client } = setUp();
    await (await locker.obtain("k", 60_000)).release();
    await clock.advance(20_000);
    expect(client.openSides).toBe(1);
    await clock.advance(12_000);
    expect(client.openSides).toBe(0);
    await (await locker.obtain("k", 60_000)).release();
    expect(client.openSides).toBe(1);
    client.close();
    await clock.advance(1_000);
    expect(client.openSides).toBe(0);
  });

  test("is closed a second after its client said that it is closed, also if that leaves it open", async () => {
    const { clock, client } = setUp();
    const closing = { over: false };
    const closable: RedisClient = {
      run: (script, keys, args) => client.run(script, keys, args),
      ...(client.side && { side: client.side }),
      get closed() {
        return closing.over;
      },
    };
    const locker = new Locker(closable, { clock, minReplicas: 1 });
    await (await locker.obtain("k", 60_000)).release();
    closing.over = true;
    await clock.advance(1_000);
    expect(client.openSides).toBe(0);
  });

  test("is closed by doubt: after too few replicas, it may lead to what was the master", async () => {
    const { clock, locker, server, client } = setUp({ replicas: 0 });
    const refused = failure(locker.obtain("k", 60_000));
    await clock.advance(500);
    expect(await refused).toMatchObject(FEW);
    expect(client.openSides).toBe(0);
    server.setReplicas(1);
    await (await locker.obtain("k", 60_000)).release();
    expect(client.openSides).toBe(1);
  });

  test("puts the client's prefix before the keys", async () => {
    const { clock, server } = setUp();
    const client = memoryClient(server, { keyPrefix: "app:" });
    const locker = new Locker(client, { clock, minReplicas: 1, namespace: "lock:" });
    const lock = await locker.obtain("k", 60_000);
    expect(server.command("GET", "app:lock:k")).toBe(lock.token);
    await lock.refresh();
    await lock.release();
  });

  test("without minReplicas, there is none", async () => {
    const { clock, client, server } = setUp({ replicas: 0 });
    const lock = await new Locker(client, { clock }).obtain("k", 60_000);
    await lock.refresh();
    await lock.release();
    expect(client.openSides).toBe(0);
    expect(left(server)).toEqual([]);
  });
});

describe("options", () => {
  const client = memoryClient();
  const cases: readonly (readonly [object, typeof TypeError | typeof RangeError, string])[] = [
    [{ minReplicas: 0 }, RangeError, "minReplicas must be a whole number from 1 to"],
    [
      { minReplicas: 2 ** 31 },
      RangeError,
      "minReplicas must be a whole number from 1 to 2147483647",
    ],
    [{ minReplicas: 1.5 }, RangeError, "minReplicas must be"],
    [{ minReplicas: "1" }, TypeError, "minReplicas must be"],
    [{ minReplicas: 1, replicaTimeout: 0 }, RangeError, "replicaTimeout must be"],
    [{ minReplicas: 1, replicaTimeout: 2_001 }, RangeError, "from 1 to 2000"],
    [{ minReplicas: 1, replicaTimeout: "1" }, TypeError, "replicaTimeout must be"],
    [{ replicaTimeout: 100 }, TypeError, "replicaTimeout needs minReplicas"],
    [{ minreplicas: 1 }, TypeError, 'did you mean "minReplicas"?'],
  ];
  test.each(cases)("%j is refused", (options, kind, text) => {
    const make = (): unknown => new Locker(client, options);
    expect(make).toThrow(kind);
    expect(make).toThrow(text);
  });

  test.each([
    { minReplicas: 1, replicaTimeout: 1 },
    { minReplicas: 2 ** 31 - 1, replicaTimeout: 2_000 },
  ])("%j is just allowed", (options) => {
    expect(() => new Locker(client, options)).not.toThrow();
  });

  test("minReplicas is refused with a client that cannot have connections beside its own", () => {
    const lonely = memoryClient(undefined, { sides: false });
    expect(() => new Locker(lonely, { minReplicas: 1 })).toThrow(TypeError);
    expect(() => new Locker(lonely, { minReplicas: 1 })).toThrow("beside its own");
  });

  test("replicaTimeout is a quarter of commandTimeout if not given", async () => {
    const clock = new ManualClock();
    const server = new MemoryServer({ clock });
    for (const [options, ms] of [
      [{ commandTimeout: 1_000 }, 250],
      [{ replicaTimeout: 70 }, 70],
    ] as const) {
      const locker = new Locker(memoryClient(server), { clock, minReplicas: 1, ...options });
      const started = clock.now();
      const refused = failure(locker.obtain("k", 60_000)).then(() => clock.now() - started);
      await clock.advance(1_000);
      expect(await refused).toBe(ms);
    }
  });
});

/** A client that tells what is sent beside it. */
function counted(client: MemoryClient): {
  readonly client: RedisClient;
  readonly waits: () => number;
} {
  const sent: string[] = [];
  const { side } = client;
  if (!side) throw new Error("never");
  const counting: RedisClient = {
    run: (script, keys, args) => client.run(script, keys, args),
    side: {
      open: async (life) => {
        const connection = await side.open(life);
        return {
          send: (command) => {
            sent.push(command[0] ?? "");
            return connection.send(command);
          },
        };
      },
    },
  };
  return { client: counting, waits: () => sent.filter((name) => name === "WAIT").length };
}

test("many locks at once wait for replicas with few commands", async () => {
  const { clock, client } = setUp();
  const { client: counting, waits } = counted(client);
  const locker = new Locker(counting, { clock, minReplicas: 1 });
  const locks = await Promise.all(
    Array.from({ length: 64 }, (_, index) => locker.obtain(`k${index}`, 60_000)),
  );
  expect(locks.every(({ held }) => held)).toBe(true);
  expect(waits()).toBeLessThanOrEqual(3);
});

test("what comes while replicas are waited for shares the next command that does", async () => {
  const { clock, client, server } = setUp({ replicas: 0 });
  const { client: counting, waits } = counted(client);
  const locker = new Locker(counting, { clock, minReplicas: 1 });
  const locks = [locker.obtain("first", 60_000)];
  for (let index = 0; index < 10; index++) {
    await clock.advance(1);
    locks.push(locker.obtain(`k${index}`, 60_000));
  }
  await clock.advance(1);
  expect(waits()).toBe(1);
  server.setReplicas(1);
  expect((await Promise.all(locks)).every(({ held }) => held)).toBe(true);
  expect(waits()).toBe(2);
});
