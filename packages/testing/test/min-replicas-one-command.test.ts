/**
 * With `minReplicas`, the connection on which replicas are asked for also takes locks, once it is known to
 * lead where the client's own does. What happens when it does not answer, or not in time.
 */
import { describe, expect, test } from "@jest/globals";
import { ServerError } from "@redislock/core/adapter";
import { failure } from "@redislock/test-kit";

import { Locker, MemoryServer, OutcomeUnknownError } from "../src/index.js";
import { isScript, NEVER, setUp } from "./two-connections.js";

describe("a lock is one command", () => {
  test("after one that was obtained by two", async () => {
    const { locker, sent, first } = setUp();
    await first();
    expect((await locker.obtain("k", 60_000)).held).toBe(true);
    expect(sent).toEqual({ own: [], beside: ["EVAL", "WAIT"] });
  });

  test("also one that is taken", async () => {
    const { locker, sent, first, forget } = setUp();
    await first();
    await locker.obtain("k", 60_000);
    forget();
    expect(await locker.tryObtain("k", 60_000)).toBeNull();
    expect(sent.own).toEqual([]);
  });

  test("whoever waits then, and gives up, leaves once: an answer leaves nothing to come", async () => {
    const { clock, locker, sent, first, forget } = setUp();
    await first();
    await locker.obtain("k", 60_000);
    forget();
    const waiting = failure(locker.obtain("k", 60_000, { wait: 10 }));
    await clock.advance(10);
    expect(await waiting).toMatchObject({ code: "NOT_OBTAINED" });
    expect(sent.own.filter((name) => name === "leave")).toHaveLength(1);
  });

  test("not after one whose first answer was lost", async () => {
    const { clock, inner, locker, sent, forget } = setUp();
    inner.loseNextReply();
    const obtained = locker.obtain("a", 60_000);
    await clock.advance(100);
    await obtained;
    forget();
    await locker.obtain("b", 60_000);
    expect(sent.own).toEqual(["obtain"]);
    forget();
    await locker.obtain("c", 60_000);
    expect(sent.own).toEqual([]);
  });

  test("not after one that was taken at first", async () => {
    const { clock, inner, locker, sent, forget } = setUp();
    const held = await new Locker(inner, { clock }).obtain("a", 60_000);
    const obtained = locker.obtain("a", 60_000, { retry: () => 100 });
    await clock.advance(50);
    await held.release();
    await clock.advance(100);
    await obtained;
    forget();
    await locker.obtain("b", 60_000);
    expect(sent.own).toEqual(["obtain"]);
  });
});

describe("when that is not answered", () => {
  test("for the connection is lost, the lock is obtained over the client's own", async () => {
    const { server, inner, locker, sent, way, first } = setUp();
    await first();
    way.beside = (name, go) => {
      way.beside = (_, next) => next();
      if (isScript(name)) inner.leadSidesTo(server);
      return go();
    };
    expect((await locker.obtain("k", 60_000)).held).toBe(true);
    expect(sent.own).toEqual(["obtain"]);
  });

  test("and is refused over the client's own, it is given back twice: the first may come yet", async () => {
    const { clock, server, inner, locker, sent, way, first, left } = setUp();
    await first();
    way.beside = (name, go) => {
      way.beside = (_, next) => next();
      if (!isScript(name)) return go();
      inner.leadSidesTo(server);
      return NEVER;
    };
    way.own = async (name, go) => {
      if (name === "obtain") throw new ServerError("OOM command not allowed");
      return go();
    };
    expect(await failure(locker.obtain("k", 60_000))).toBeInstanceOf(OutcomeUnknownError);
    await clock.advance(0);
    expect(sent.own).toEqual(["obtain", "leave", "leave"]);
    expect(left()).toEqual([]);
  });

  test("that has what is left of the time of the command", async () => {
    const { clock, server, inner, locker, sent, way, first, endOf } = setUp();
    await first();
    way.beside = () => NEVER;
    way.own = () => NEVER;
    const unknown = endOf(failure(locker.obtain("k", 60_000)));
    await clock.advance(500);
    inner.leadSidesTo(server);
    await clock.advance(2_000);
    expect(await unknown).toBe(2_000);
    expect(sent.own[0]).toBe("obtain");
  });

  test("in all that time, it is not sent again", async () => {
    const { clock, locker, sent, way, first, left } = setUp();
    await first();
    way.beside = (name, go) => (isScript(name) ? NEVER : go());
    const unknown = failure(locker.obtain("k", 60_000));
    await clock.advance(2_000);
    expect(await unknown).toBeInstanceOf(OutcomeUnknownError);
    expect(sent.own).not.toContain("obtain");
    expect(left()).toEqual([]);
  });

  test("before the lease would be over, it is sent again", async () => {
    const { clock, locker, sent, way, first } = setUp();
    await first();
    let scripts = 0;
    way.beside = (name, go) => (isScript(name) && scripts++ === 0 ? NEVER : go());
    const obtained = locker.obtain("k", 1_000);
    await clock.advance(1_000);
    expect(sent.own).toEqual(["obtain"]);
    expect((await obtained).held).toBe(true);
  });

  test("and the obtain was given up, it is not sent again", async () => {
    const { clock, server, inner, locker, sent, way, first } = setUp();
    await first();
    way.beside = () => NEVER;
    const stop = new AbortController();
    const stopped = failure(locker.obtain("k", 60_000, { signal: stop.signal }));
    await clock.advance(100);
    stop.abort(new Error("enough"));
    expect(await stopped).toMatchObject({ message: "enough" });
    inner.leadSidesTo(server);
    await clock.advance(0);
    expect(sent.own).not.toContain("obtain");
  });

  test("but done late by a server that hung, after it did what gives back, it is given back", async () => {
    const { clock, locker, sent, way, first, left } = setUp();
    await first();
    let takes = (): unknown => undefined;
    way.beside = (name, go) => {
      if (!isScript(name)) return go();
      takes = go;
      return NEVER;
    };
    way.own = async (_, go) => {
      const reply = await go();
      // It has read both connections by then, the client's own first.
      await takes();
      takes = () => undefined;
      return reply;
    };
    const unknown = failure(locker.obtain("k", 60_000));
    await clock.advance(2_000);
    expect(await unknown).toBeInstanceOf(OutcomeUnknownError);
    expect(sent.own).toEqual(["leave", "leave"]);
    expect(left()).toEqual([]);
  });

  test("and is answered late, it is given back once more", async () => {
    const { clock, locker, sent, way, first, left } = setUp();
    await first();
    let answer = (): void => undefined;
    way.beside = async (name, go) => {
      if (isScript(name)) await new Promise<void>((resolve) => (answer = resolve));
      return go();
    };
    const unknown = failure(locker.obtain("k", 60_000));
    await clock.advance(2_000);
    expect(await unknown).toBeInstanceOf(OutcomeUnknownError);
    expect(sent.own).toEqual(["leave", "leave"]);
    answer();
    await clock.advance(0);
    expect(sent.own).toEqual(["leave", "leave", "leave"]);
    expect(left()).toEqual([]);
  });

  test("and what gives back is answered late, it is given back again", async () => {
    const { clock, locker, way, first, left } = setUp();
    await first();
    let takes = (): unknown => undefined;
    way.beside = (name, go) => {
      if (!isScript(name)) return go();
      takes = go;
      return NEVER;
    };
    const answers: (() => void)[] = [];
    way.own = async (_, go) => {
      const reply = await go();
      if (answers.length < 8) await new Promise<void>((resolve) => answers.push(resolve));
      return reply;
    };
    const unknown = failure(locker.obtain("k", 60_000));
    await clock.advance(5_000);
    expect(await unknown).toBeInstanceOf(OutcomeUnknownError);
    await takes();
    expect(left()).not.toEqual([]);
    way.own = (_, go) => go();
    for (const answer of answers) answer();
    await clock.advance(0);
    expect(left()).toEqual([]);
  });
});

test("locks that are behind too few replicas of another are obtained over the client's own", async () => {
  const { clock, server, locker, way, first } = setUp();
  await first();
  const held = await locker.obtain("held", 60_000);
  server.setReplicas(0);
  let refuse = (): void => undefined;
  way.beside = (_, go) => {
    way.beside = (_, next) => next();
    return new Promise((_, reject) => {
      refuse = () => reject(new ServerError("OOM command not allowed"));
      void go();
    });
  };
  const obtained = Promise.all([locker.obtain("a", 60_000), locker.obtain("b", 60_000)]);
  await clock.advance(100);
  const refreshed = failure(held.refresh());
  await clock.advance(410);
  // Each is sent anew by itself, while replicas are waited for that are to have the refresh.
  refuse();
  await clock.advance(490);
  expect(await refreshed).toMatchObject({ reply: "NOREPLICAS" });
  server.setReplicas(1);
  await clock.advance(0);
  expect((await obtained).map((lock) => lock.held)).toEqual([true, true]);
});

describe("when that is refused", () => {
  test("by too few replicas, it is not sent again, and the caller is told once it is given back", async () => {
    const { clock, server, locker, sent, way, first, left, endOf } = setUp();
    await first();
    server.setReplicas(0);
    way.own = async (_, go) => {
      const reply = await go();
      await new Promise<void>((resolve) => clock.after(20, resolve));
      return reply;
    };
    const refused = failure(locker.obtain("k", 60_000));
    const end = endOf(refused);
    await clock.advance(600);
    expect(await refused).toMatchObject({ code: "REFUSED", reply: "NOREPLICAS" });
    expect(await end).toBe(520);
    expect(sent.own).toEqual(["leave"]);
    expect(left()).toEqual([]);
  });

  test("for another reason, the lock is obtained over the client's own connection", async () => {
    const { locker, sent, way, first } = setUp();
    await first();
    way.beside = async (name, go) => {
      if (!isScript(name)) return go();
      way.beside = (_, next) => next();
      throw new ServerError("NOPERM this user may not");
    };
    expect((await locker.obtain("k", 60_000)).held).toBe(true);
    expect(sent.own).toEqual(["obtain"]);
  });
});

describe("a lock that was granted, and replicas are asked for", () => {
  test("is none when its lease would be over", async () => {
    const { clock, locker, way, endOf } = setUp();
    way.beside = (name, go) => (isScript(name) ? NEVER : go());
    const unknown = failure(locker.obtain("k", 1_000));
    const end = endOf(unknown);
    await clock.advance(3_000);
    expect(await unknown).toBeInstanceOf(OutcomeUnknownError);
    expect(await end).toBeLessThan(1_000);
  });

  test("is none when the master is another by then; whoever waits asks again", async () => {
    const { clock, server, inner, locker, way } = setUp();
    const other = new MemoryServer({ clock, replicas: 1 });
    way.own = async (name, go) => {
      const reply = await go();
      if (name === "obtain") inner.leadSidesTo(other);
      return reply;
    };
    expect(await failure(locker.obtain("k", 60_000))).toMatchObject({
      code: "UNKNOWN",
      operation: "obtain",
      message: expect.stringContaining("it was granted, and gone before replicas could have it"),
    });
    const waiting = locker.obtain("k", 60_000, { wait: 10_000 });
    await clock.advance(0);
    way.own = (_, go) => go();
    inner.leadSidesTo(server);
    await clock.advance(10_000);
    expect((await waiting).held).toBe(true);
  });

  test("is there for whoever is told of it by a message, who asks no more", async () => {
    const { clock, server, inner, locker, sent, forget } = setUp();
    const held = await new Locker(inner, { clock }).obtain("k", 60_000);
    const waiting = locker.obtain("k", 60_000, { wait: 60_000 });
    await clock.advance(100);
    forget();
    server.setReplicas(0);
    await held.release();
    await clock.advance(100);
    server.setReplicas(1);
    await clock.advance(0);
    expect((await waiting).held).toBe(true);
    expect(sent).toEqual({ own: [], beside: ["EVAL", "WAIT"] });
  });

  test("is asked for again by whoever waits, when nothing can be said of replicas", async () => {
    const { clock, locker, way } = setUp();
    way.beside = () => NEVER;
    const waiting = locker.obtain("k", 60_000, { wait: 20_000 });
    await clock.advance(3_000);
    way.beside = (_, go) => go();
    await clock.advance(17_000);
    expect((await waiting).held).toBe(true);
  });

  test("is waited for no more, when replicas may not be asked for", async () => {
    const { clock, locker, way, left, endOf } = setUp();
    way.beside = async (name, go) => {
      if (name === "WAIT") throw new ServerError("NOPERM this user may not");
      return go();
    };
    const refused = failure(locker.obtain("k", 60_000, { wait: 20_000 }));
    const end = endOf(refused);
    await clock.advance(20_000);
    expect(await refused).toMatchObject({
      code: "REFUSED",
      reply: "NOPERM",
      message: expect.stringContaining("minReplicas needs the command WAIT"),
    });
    expect(await end).toBe(0);
    expect(left()).toEqual([]);
  });
});

test("a refresh that a server that hung does after the release leaves the lock taken no longer", async () => {
  const { clock, server, locker, way, first } = setUp();
  await first();
  const lock = await locker.obtain("k", 60_000, { holdAtLeast: 10_000 });
  let refreshes = (): unknown => undefined;
  way.beside = (name, go) => {
    if (isScript(name)) refreshes = go;
    return NEVER;
  };
  const unknown = failure(lock.refresh());
  await clock.advance(2_000);
  expect(await unknown).toBeInstanceOf(OutcomeUnknownError);
  way.own = async (_, go) => {
    const reply = await go();
    // It has read both connections by then, the client's own first.
    await refreshes();
    refreshes = () => undefined;
    return reply;
  };
  await lock.release();
  expect(server.command("PTTL", "k")).toBe("8000");
});
