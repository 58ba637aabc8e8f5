/** With `minReplicas`, the connection beside the client's own: when it is trusted, ended, and opened anew. */
import { describe, expect, test } from "@jest/globals";
import { ServerError } from "@redislock/core/adapter";
import { failure } from "@redislock/test-kit";

import {
  type Clock,
  Locker,
  ManualClock,
  memoryClient,
  MemoryServer,
  OutcomeUnknownError,
  type RedisClient,
  RefusedError,
} from "../src/index.js";
import { isScript, NEVER, setUp } from "./two-connections.js";

describe("it is opened", () => {
  test("anew within the same command, when it could not be opened", async () => {
    const { clock, locker, way, lives } = setUp();
    way.open = async () => {
      if (lives.length === 1) throw new Error("no such host");
    };
    const obtained = locker.obtain("k", 60_000);
    await clock.advance(100);
    expect((await obtained).held).toBe(true);
    expect(lives).toHaveLength(2);
  });

  test("once, if it opens within half the time of a command", async () => {
    const { clock, locker, way, lives } = setUp();
    way.open = () => new Promise<void>((resolve) => clock.after(999, resolve));
    const obtained = locker.obtain("k", 60_000);
    await clock.advance(999);
    expect((await obtained).held).toBe(true);
    expect(lives).toHaveLength(1);
  });

  test("anew if it does not, of which the caller hears", async () => {
    const { clock, locker, way, lives, ends } = setUp();
    way.open = () => (lives.length === 1 ? NEVER : Promise.resolve());
    way.beside = async () => {
      throw new ServerError("NOPERM this user may not");
    };
    const unknown = failure(locker.obtain("k", 60_000));
    await clock.advance(1_100);
    const reason = "no connection to ask for replicas in 1000 ms";
    expect(ends[0]).toMatchObject({ message: reason });
    expect(await unknown).toMatchObject({
      code: "UNKNOWN",
      message: expect.stringContaining(`${reason}; sent again, it was refused: NOPERM`),
    });
  });

  test("by a locker that never needed it, not at all, also when that is closed", async () => {
    const { locker, lives } = setUp();
    await locker.close();
    expect(lives).toEqual([]);
  });
});

describe("it is trusted to lead where the client's own does", () => {
  test("not when it was opened anew", async () => {
    const { clock, server, inner, locker, sent, first, forget, lives } = setUp();
    await first();
    const lock = await locker.obtain("a", 60_000);
    inner.leadSidesTo(server);
    await clock.advance(0);
    await lock.refresh();
    expect(lives).toHaveLength(2);
    forget();
    await locker.obtain("b", 60_000);
    expect(sent.own).toEqual(["obtain"]);
  });

  test("but not used for a lock while replicas are waited for", async () => {
    const { clock, server, locker, sent, first } = setUp();
    await first();
    server.setReplicas(0);
    const one = locker.obtain("a", 60_000);
    await clock.advance(100);
    const other = locker.obtain("b", 60_000);
    await clock.advance(100);
    expect(sent.own).toEqual(["obtain"]);
    server.setReplicas(1);
    await clock.advance(0);
    expect([(await one).held, (await other).held]).toEqual([true, true]);
    await locker.obtain("c", 60_000);
    expect(sent.own).toEqual(["obtain"]);
  });
});

describe("a script is sent", () => {
  test("as text once, then by its hash, and as text again when the server has forgotten it", async () => {
    const { server, locker, sent, forget, lives } = setUp();
    const lock = await locker.obtain("k", 60_000);
    expect(sent.beside).toEqual(["EVAL", "WAIT"]);
    forget();
    await lock.refresh();
    expect(sent.beside).toEqual(["EVALSHA", "WAIT"]);
    server.command("SCRIPT", "FLUSH");
    forget();
    await lock.refresh();
    expect(sent.beside).toEqual(["EVALSHA", "WAIT", "EVAL", "WAIT"]);
    expect(lives).toHaveLength(1);
  });

  test("once for many locks of one moment, and so are their replicas waited for", async () => {
    const { locker, sent, first } = setUp();
    await first();
    const keys = Array.from({ length: 64 }, (_, index) => `k${index}`);
    const locks = await Promise.all(keys.map((key) => locker.obtain(key, 60_000)));
    expect(sent).toEqual({ own: [], beside: ["EVAL", "WAIT"] });
    await Promise.all(locks.map((lock) => lock.refresh()));
    expect(sent.beside).toEqual(["EVAL", "WAIT", "EVAL", "WAIT"]);
  });

  test("with another that comes a turn later, and both share what waits for replicas", async () => {
    const { locker, sent, first } = setUp();
    await first();
    const one = locker.obtain("a", 60_000);
    await Promise.resolve();
    const other = locker.obtain("b", 60_000);
    await Promise.all([one, other]);
    expect(sent).toEqual({ own: [], beside: ["EVAL", "EVALSHA", "WAIT"] });
  });
});

describe("it is ended, and the next one opened,", () => {
  const doubts = [
    new ServerError("READONLY You can't write against a read only replica."),
    new ServerError("LOADING Redis is loading the dataset in memory"),
    new Error("a library gave up"),
  ];
  test.each(doubts)("after %p", async (error) => {
    const { clock, locker, way, lives } = setUp();
    way.beside = async (name, go) => {
      if (!isScript(name)) return go();
      way.beside = (_, next) => next();
      throw error;
    };
    const obtained = locker.obtain("k", 60_000);
    await clock.advance(100);
    expect((await obtained).held).toBe(true);
    expect(lives).toHaveLength(2);
  });

  test.each([
    new ServerError("UNBLOCKED force unblock from blocking operation, instance state changed"),
    new ServerError("ERR WAIT cannot be used with replica instances."),
  ])("when what it leads to has become a replica: %p", async (error) => {
    const { clock, locker, way, lives } = setUp();
    way.beside = async (name, go) => {
      if (name === "WAIT") throw error;
      return go();
    };
    const lock = locker.obtain("k", 60_000);
    await clock.advance(0);
    way.beside = async (name, go) => {
      if (name === "WAIT") throw new ServerError("ERR another thing");
      return go();
    };
    const unknown = failure(lock);
    await clock.advance(100);
    expect(lives).toHaveLength(2);
    expect(await unknown).toMatchObject({
      code: "UNKNOWN",
      message: expect.stringContaining(
        `replicas cannot be asked for: ${error.message}; sent again, it was refused: ` +
          "ERR minReplicas needs the command WAIT: ERR another thing",
      ),
    });
  });

  test.each([["OK"], ["x1"], ["1x"], [["1"]], [null]])(
    "when %j is said of replicas, which is no number",
    async (reply) => {
      const { clock, locker, way, ends } = setUp();
      way.beside = (name, go) => (name === "WAIT" ? Promise.resolve(reply) : go());
      const unknown = failure(locker.obtain("k", 60_000));
      await clock.advance(2_000);
      expect(await unknown).toBeInstanceOf(OutcomeUnknownError);
      expect(ends).not.toEqual([]);
    },
  );

  test("when replicas are waited for without an answer", async () => {
    const { clock, locker, way, first, lives, ends } = setUp();
    await first();
    way.beside = (_, go) => (lives.length === 1 ? NEVER : go());
    const obtained = locker.obtain("k", 60_000);
    await clock.advance(1_499);
    expect(ends).toEqual([]);
    await clock.advance(1);
    expect(ends[0]).toMatchObject({ message: "no answer while replicas were waited for" });
    expect((await obtained).held).toBe(true);
  });

  test("when the client has connected anew, perhaps to another master", async () => {
    let epoch = 1;
    const { locker, sent, first, lives, ends } = setUp({ told: () => ({ epoch }) });
    await first();
    epoch = 2;
    const lock = await locker.obtain("k", 60_000);
    expect(ends).toEqual([expect.objectContaining({ message: "the client has connected anew" })]);
    // Of the new one it is not known yet that it leads where the client's own does.
    expect(sent).toEqual({ own: ["obtain"], beside: ["EVAL", "WAIT"] });
    epoch = 3;
    await lock.refresh();
    await lock.refresh();
    expect([lives.length, ends.length]).toEqual([3, 2]);
  });

  test("not when the client gets to know its connection by its first answer", async () => {
    const told: { epoch?: number } = {};
    const { locker, first, lives } = setUp({ told: () => told });
    await first();
    told.epoch = 1;
    const lock = await locker.obtain("k", 60_000);
    await lock.refresh();
    expect(lives).toHaveLength(1);
  });

  test("not while the client connects anew, and stands for no connection", async () => {
    let connection: string | undefined;
    const { locker, first, lives } = setUp({
      told: () => ({ connection, epoch: connection ? Symbol(connection) : 1 }),
    });
    await first();
    const lock = await locker.obtain("k", 60_000);
    connection = "reconnecting";
    await Promise.all([lock.refresh(), lock.refresh()]);
    connection = undefined;
    await lock.refresh();
    expect(lives).toHaveLength(1);
  });

  test("not after a refusal that has nothing to do with where it leads", async () => {
    const { clock, locker, way, lives, first } = setUp();
    await first();
    const lock = await locker.obtain("k", 60_000);
    way.beside = async (name, go) => {
      if (!isScript(name)) return go();
      way.beside = (_, next) => next();
      throw new ServerError("NOPERM this user may not");
    };
    expect(await failure(lock.refresh())).toBeInstanceOf(RefusedError);
    await clock.advance(0);
    await lock.refresh();
    expect(lives).toHaveLength(1);
  });
});

test("ten or more replicas are a number, too", async () => {
  const { locker, way } = setUp();
  way.beside = async (name, go) => (name === "WAIT" ? "12" : go());
  expect((await locker.obtain("k", 60_000)).held).toBe(true);
});

test("a refusal of this moment is waited out", async () => {
  const { clock, locker, way } = setUp();
  way.beside = async (name, go) => {
    if (!isScript(name)) return go();
    way.beside = (_, next) => next();
    throw new ServerError("BUSY Redis is busy running a script.");
  };
  const obtained = locker.obtain("k", 60_000);
  await clock.advance(10);
  expect((await obtained).held).toBe(true);
});

test("who was behind too few replicas is asked for anew", async () => {
  const { clock, server, locker } = setUp();
  const one = await locker.obtain("a", 60_000);
  const other = await locker.obtain("b", 60_000);
  server.setReplicas(0);
  const first = failure(one.refresh());
  await clock.advance(100);
  const second = other.refresh();
  await clock.advance(400);
  expect(await first).toMatchObject({ reply: "NOREPLICAS" });
  server.setReplicas(1);
  await clock.advance(10);
  await second;
  expect(other.remaining).toBeGreaterThan(59_000);
});

describe("once the client is closed, nothing is sent again", () => {
  test.each([
    [new Error("the connection was lost"), "UNKNOWN"],
    [new ServerError("READONLY You can't write against a read only replica."), "REFUSED"],
  ])("after %p", async (error, code) => {
    const client = { closed: false };
    const { clock, locker, sent, way, lives, first } = setUp({ closed: () => client.closed });
    await first();
    const one = await locker.obtain("a", 60_000);
    const other = await locker.obtain("b", 60_000);
    let fail = (): void => undefined;
    way.beside = () => new Promise((_, reject) => (fail = () => reject(error)));
    const refused = failure(one.refresh());
    await clock.advance(10);
    const scripts = (): number => sent.beside.filter(isScript).length;
    const before = scripts();
    way.beside = () => NEVER;
    const behind = failure(other.refresh());
    await clock.advance(10);
    client.closed = true;
    fail();
    await clock.advance(0);
    expect(await refused).toMatchObject({ code });
    // The connection ended, which says nothing of replicas.
    expect(await behind).toMatchObject({ code: "UNKNOWN" });
    expect([scripts(), lives.length]).toEqual([before + 1, 1]);
  });
});

describe("it is closed", () => {
  test("half a minute and a second after the last command", async () => {
    const { clock, locker, inner, lives, ends, first } = setUp();
    await first();
    await clock.advance(25_000);
    await (await locker.obtain("k", 60_000)).release();
    await clock.advance(30_999);
    expect(inner.openSides).toBe(1);
    await clock.advance(1);
    expect(inner.openSides).toBe(0);
    expect(lives).toHaveLength(1);
    expect(ends).toMatchObject([{ message: "nobody needs it any more" }]);
  });

  test("with the locker, but not before what is under way is answered", async () => {
    const { clock, server, locker, inner, lives } = setUp();
    const lock = await locker.obtain("k", 60_000);
    server.setReplicas(0);
    const refreshed = lock.refresh();
    await clock.advance(100);
    await locker.close();
    expect(inner.openSides).toBe(1);
    server.setReplicas(1);
    await clock.advance(0);
    await refreshed;
    expect([inner.openSides, lives.length]).toEqual([0, 1]);
  });

  test("with the locker, whose clock has nothing more to do then", async () => {
    const clock = new ManualClock();
    const set = new Set<object>();
    const counting: Clock = {
      now: () => clock.now(),
      after: (ms, run) => {
        const mark = {};
        set.add(mark);
        const timer = clock.after(ms, () => {
          set.delete(mark);
          run();
        });
        return {
          cancel: () => {
            set.delete(mark);
            timer.cancel();
          },
        };
      },
    };
    const client = memoryClient(new MemoryServer({ clock, replicas: 1 }));
    const locker = new Locker(client, { clock: counting, minReplicas: 1 });
    await (await locker.obtain("k", 60_000)).release();
    await locker.close();
    // A timer that is called off may ring once more.
    await clock.advance(1_000);
    expect(set.size).toBe(0);
  });
});

describe("in a cluster, there is one to each master", () => {
  /** Two masters, which have every other slot. */
  function cluster() {
    const clock = new ManualClock();
    const inner = memoryClient(new MemoryServer({ clock, replicas: 1 }), { cluster: true });
    const { side } = inner;
    if (!side) throw new Error("a client in memory has it");
    const known = { masterOf: (slot: number): string => `master${slot % 2}` };
    const sent: Record<string, string[]> = {};
    const own: string[] = [];
    const client: RedisClient = {
      run: (script, keys, args) => {
        own.push(script.name);
        return inner.run(script, keys, args);
      },
      cluster: true,
      side: {
        masterOf: (slot) => known.masterOf(slot),
        open: async (life, master = "") => {
          const connection = await side.open(life);
          return {
            send: (command) => {
              const [name = "", , count, ...rest] = command;
              const keys = isScript(name) ? rest.slice(0, Number(count)) : [];
              (sent[master] ??= []).push(...keys);
              return connection.send(command);
            },
          };
        },
      },
    };
    return { clock, own, sent, known, locker: new Locker(client, { clock, minReplicas: 1 }) };
  }

  test("which is asked for what it has", async () => {
    const { locker, own, sent } = cluster();
    // The slots of these tags are 12182 and 5061.
    const names = Array.from({ length: 10 }, (_, index) => [`{foo}${index}`, `{bar}${index}`]);
    const locks = await Promise.all(names.flat().map((name) => locker.obtain(name, 60_000)));
    await Promise.all(locks.map((lock) => lock.refresh()));
    own.length = 0;
    for (const name of ["{foo}", "{bar}"]) await locker.obtain(name, 60_000);
    expect(own).toEqual([]);
    expect(Object.keys(sent).sort()).toEqual(["master0", "master1"]);
    expect(sent["master0"]?.filter((key) => key.includes("{bar}"))).toEqual([]);
    expect(sent["master1"]?.filter((key) => key.includes("{foo}"))).toEqual([]);
  });

  test("unless the client does not know it: then it is asked again", async () => {
    const { clock, locker, known, own } = cluster();
    const { masterOf } = known;
    let asked = 0;
    known.masterOf = (slot) => {
      if (++asked <= 2) throw new Error(`no node has slot ${slot}`);
      return masterOf(slot);
    };
    const obtained = locker.obtain("k", 60_000);
    await clock.advance(100);
    expect((await obtained).held).toBe(true);
    expect(own).toEqual(["obtain"]);
  });

  test("also when the slot is another's by the time that replicas have the lock", async () => {
    const { locker, known, own } = cluster();
    let asked = 0;
    // The second look is for the connection, the third once it has answered.
    known.masterOf = () => (++asked <= 2 ? "here" : "there");
    expect((await locker.obtain("k", 60_000)).held).toBe(true);
    expect(asked).toBe(3);
    await locker.obtain("l", 60_000);
    expect(own).toEqual(["obtain", "obtain"]);
  });
});
