/** The user's own client is closed while locks are taken, held or given back through it. */
import { expect, test } from "@jest/globals";
import { OutcomeUnknownError } from "@redislock/core";
import { scripts } from "@redislock/core/adapter";
import { failure, waitUntil } from "@redislock/test-kit";

import { cast, kinds, type Kind, type User } from "./clients.js";
import { end, settlesWithin } from "./proof.js";
import { runs, startStage } from "./scenes.js";

const stage = await startStage();

/** Longer than anything takes that does not wait, on a busy machine; shorter than any deadline. */
const AT_ONCE = 5_000;

const ways = [
  { way: "quit", close: (user: User) => user.quit() },
  {
    way: "destroyed",
    close: async (user: User) => {
      user.destroy();
    },
  },
];

/** Each way, with the kinds that a scenario is run with. */
function eachWay(): readonly (Kind & (typeof ways)[number])[] {
  return ways.flatMap((way) => cast(kinds).map((kind) => ({ ...kind, ...way })));
}

test.concurrent.each(eachWay())(
  "$name: to obtain through a client that was $way is an error at once",
  async ({ close, ...kind }) => {
    await using scene = await stage.open(kind, { commandTimeout: 60_000 });
    const { key, locker, user, value } = scene;
    await close(user);
    const obtaining = failure(locker.obtain(key, 60_000));
    expect(await settlesWithin(AT_ONCE, obtaining)).toBe(true);
    const error = await obtaining;
    if (!(error instanceof OutcomeUnknownError)) {
      expect(error).toBeInstanceOf(TypeError);
      expect(error).toMatchObject({ message: expect.stringContaining("client is closed") });
    }
    expect(await value()).toBeNull();
  },
);

test.concurrent.each(eachWay())(
  "$name: to refresh or release through a client that was $way is unknown, at once",
  async ({ close, ...kind }) => {
    await using scene = await stage.open(kind, { commandTimeout: 60_000 });
    const { key, locker, user, events } = scene;
    const lock = await locker.obtain(key, 60_000);
    const other = await locker.obtain(`${key} b`, 60_000);
    await close(user);
    const calls = [failure(lock.refresh()), failure(lock.ttl()), failure(lock.release())];
    expect(await settlesWithin(AT_ONCE, Promise.all(calls))).toBe(true);
    for (const error of await Promise.all(calls)) expect(error).toBeInstanceOf(OutcomeUnknownError);
    // Who disposes of it hears of it as an event.
    expect(await settlesWithin(AT_ONCE, other[Symbol.asyncDispose]())).toBe(true);
    expect(events.at(-1)).toMatchObject({ type: "releaseFailed", error: { code: "UNKNOWN" } });
  },
);

test.concurrent.each(eachWay())(
  "$name: a lock that is renewed through a client that was $way is lost at its deadline",
  async ({ close, ...kind }) => {
    await using scene = await stage.open(kind);
    const { key, locker, user, proxy } = scene;
    const lock = await locker.obtain(key, 4_500, { renew: true });
    proxy.commands.clear();
    await close(user);
    const { reason, early } = await end(lock);
    expect(reason).toMatchObject({ code: "LOST", reason: "unreachable" });
    expect(early).toBe(false);
    expect(proxy.commands.count(runs(scripts.refresh))).toBe(0);
  },
);

test.concurrent.each(cast(kinds))(
  "$name: an obtain that is under way when its client is destroyed is unknown",
  async (kind) => {
    await using scene = await stage.open(kind, { commandTimeout: 1_000 });
    const { key, locker, user, proxy } = scene;
    const held = proxy.silence();
    const obtaining = failure(locker.obtain(key, 60_000));
    await held.happened;
    user.destroy();
    expect(await obtaining).toBeInstanceOf(OutcomeUnknownError);
  },
);

test.concurrent.each(cast(kinds))(
  "$name: a waiter whose client is destroyed comes to an end",
  async (kind) => {
    await using scene = await stage.open(kind);
    const { key, locker, user } = scene;
    const rival = await scene.rival();
    await using _ = await rival.obtain(key, 60_000);
    const obtaining = failure(locker.obtain(key, 1_000, { wait: Infinity }));
    const stands = async (): Promise<boolean> => (await rival.inspect(key)).waiters === 1;
    await waitUntil(stands, { what: "it to stand in line" });
    user.destroy();
    expect(await obtaining).toMatchObject({ code: "UNKNOWN" });
  },
);
