/**
 * No wake-up is lost and no lock is had by two, whatever the order of events: the real core and the real
 * scripts, run through all orders of a scenario, or through many where there are too many.
 */
import { describe, expect, test } from "@jest/globals";
import { amount, someOrAll } from "@redislock/test-kit";
import { library } from "../src/library.js";

import { allBugs, type Bug } from "../src/bugs.js";
import { Counterexample, explore, replay, sample } from "../src/interleavings/explorer.js";
import { type Cast, ScenarioModel, type Scenario } from "../src/interleavings/model.js";
import type { Part } from "../src/interleavings/peer.js";
import { buggyLibrary } from "../src/library.js";
import { Violation, type Wrong } from "../src/violation.js";

const holder: Part = { name: "holder", holds: true };
const reader: Part = { ...holder, shares: { mode: "shared" } };
const ann: Part = { name: "Ann", subscribed: true };
const bob: Part = { name: "Bob", subscribed: true };
const foreign: Part = { name: "other program", foreign: true };
/** Two calls with one token, which are one holder. */
const token = "one-token-for-both";
const twins: readonly Part[] = [
  { ...ann, token },
  { name: "Ann's twin", subscribed: true, givesUp: true, token },
];

const annReads: Part = { ...ann, shares: { mode: "shared" } };
const bobReads: Part = { ...bob, shares: { mode: "shared" } };
/** Of two permits. */
const onePermit = { limit: 2 } as const;
const bothPermits = { limit: 2, permits: 2 } as const;

/** More steps than any schedule has. */
const TO_THE_END = 200;
/** Of scenarios that say nothing else. */
const MOST_DEPTH = amount(6, TO_THE_END);
/** Much longer than it takes, unless the machine is busy with other things. */
const PATIENCE = 1_200_000;

interface Bounded extends Scenario {
  readonly name: string;
  /** After so many steps the rest comes in order. */
  readonly depth?: number;
}

/** A bug, and the scenario some order of which shows it. */
interface Planted {
  readonly bug: string;
  readonly scenario: Scenario;
  readonly depth?: number;
  /** So many orders are picked by chance, instead of trying all one after the other. */
  readonly picked?: number;
}

/** The holder's lock is renewed, and its holder refreshes it besides. */
const keeper: Part = { name: "holder", holds: true, keeps: true, commandTimeout: 500 };
/** A command is not answered, and nobody notices that: what it did then is heard of by message alone. */
const silence: Scenario = {
  parts: [holder, { ...ann, givesUp: true, overtaken: true }, bob],
  losses: 1,
  silent: true,
};
/** In so many orders by chance, both of its bugs show. */
const ORDERS_OF_SILENCE = 2_000;

/** One of the keys beside the lock is deleted, alone. */
function without(part: NonNullable<Part["deletes"]>, ...waiters: readonly Part[]): Scenario {
  return { parts: [holder, ...waiters, { name: "operator", deletes: part }] };
}

/** A waiter that nobody can tell anything is killed, and then the server's clock set back by an hour. */
const deadInTheFuture: Scenario = {
  parts: [
    holder,
    { name: "Ann", deaf: true, dies: true },
    bob,
    { name: "operator", setsBack: 3_600_000 },
  ],
};

/** Ann hears that she has the lock when she was told already that it is taken. */
const grantAfterForce: { readonly scenario: Scenario; readonly order: readonly string[] } = {
  scenario: { parts: [holder, ann, bob, { name: "operator", forces: true }], leaps: 3 },
  order: [
    "Ann: request arrives",
    "Ann: reply arrives",
    "Bob: request arrives",
    "Bob: reply arrives",
    "holder: releases",
    "holder: request arrives", // Ann has it, and the message is on its way.
    "operator: forces the release",
    "operator: request arrives", // Bob has it.
    ...Array<string>(3).fill("time leaps"), // To where Ann asks again, past timers of calls before.
    "Ann: request arrives",
    "Ann: reply arrives", // Wait.
    "Bob: push arrives",
    "Ann: push arrives", // You have it.
  ],
};

function create(scenario: Scenario, cast: Cast = { library }): Promise<ScenarioModel> {
  return ScenarioModel.create(scenario, cast);
}

function bugNamed(name: string): Bug {
  const bug = allBugs.find((one) => one.name === name);
  if (!bug) throw new Error(`no bug is called "${name}"`);
  return bug;
}

async function castWith(bug: Bug): Promise<Cast> {
  return {
    library: bug.library ? await buggyLibrary(bug.library) : library,
    ...(bug.server && { serverBug: bug.server }),
  };
}

/** What went wrong in the order of events that was found. */
async function wrongIn(run: Promise<unknown>): Promise<Wrong | undefined> {
  try {
    await run;
    return undefined;
  } catch (error) {
    if (error instanceof Counterexample && error.cause instanceof Violation) {
      return error.cause.wrong;
    }
    throw error;
  }
}

describe("every order of events", () => {
  const scenarios: Bounded[] = [
    { name: "the holder releases, two wait", parts: [holder, ann, bob] },
    { name: "the waiter still has to subscribe", parts: [holder, { name: "Ann" }] },
    { name: "the waiter cannot subscribe", parts: [holder, { name: "Ann", deaf: true }, bob] },
    { name: "the waiter gives up", parts: [holder, { ...ann, givesUp: true }] },
    {
      name: "the waiter gives up, and what it sends last may come first",
      parts: [holder, { ...ann, givesUp: true, overtaken: true }],
    },
    {
      name: "the first in line gives up",
      parts: [holder, { ...ann, givesUp: true }, bob],
      depth: amount(6, 10),
    },
    {
      name: "the first in line is killed, whose lease is short",
      parts: [holder, { ...ann, dies: true, ttl: 200 }, { ...bob, ttl: 30_000 }],
      depth: amount(7, 12),
    },
    {
      name: "the holder is killed, those in line want it for longer and shorter",
      parts: [
        { ...holder, dies: true },
        { ...ann, ttl: 200 },
        { ...bob, ttl: 30_000 },
      ],
      depth: amount(7, 11),
    },
    { name: "the lease ends", parts: [holder, ann], leaps: 2, depth: amount(7, 12) },
    { name: "one thing is lost", parts: [holder, ann], losses: 1 },
    {
      name: "the first in line listens to a replica",
      parts: [holder, { ...ann, replica: true }, bob],
    },
    { name: "the last in line listens to one", parts: [holder, bob, { ...ann, replica: true }] },
    {
      name: "who listens to a replica gives up",
      parts: [holder, { ...ann, replica: true, givesUp: true }, bob],
      depth: amount(6, 10),
    },
    {
      name: "who listens to a replica loses something",
      parts: [holder, { ...ann, replica: true }],
      losses: 1,
    },
    { name: "the server always says that nobody hears", parts: [holder, ann, bob], miscount: 0 },
    { name: "the server always says that one hears", parts: [holder, ann, bob], miscount: 1 },
    {
      name: "one of two calls with one token gives up",
      parts: [holder, ...twins, bob],
      depth: amount(4, 7),
    },
    { name: "the line is lost alone", ...without("line", ann) },
    { name: "the waiters' records are lost alone", ...without("waiters", ann) },
    { name: "the grant is lost alone", ...without("grant", ann) },
    { name: "the fence is lost alone", ...without("fence", ann) },
    {
      name: "the line is lost alone, and two wait",
      ...without("line", ann, bob),
      depth: amount(6, 10),
    },
    {
      name: "the waiters' records are lost alone, and two wait",
      ...without("waiters", ann, bob),
      depth: amount(6, 10),
    },
    {
      name: "the first in line is killed, and the clock is set back",
      ...deadInTheFuture,
      depth: amount(6, 10),
    },
    {
      name: "the holder refreshes a lock that is renewed, and one thing is lost",
      parts: [keeper],
      losses: 1,
      silent: true,
      leaps: 1,
    },
    {
      name: "two wait to read what is written",
      parts: [holder, annReads, bobReads],
    },
    { name: "one waits to write, another to read", parts: [reader, ann, bobReads] },
    {
      name: "who waits to write gives up before one who waits to read",
      parts: [reader, { ...ann, givesUp: true }, bobReads],
      depth: amount(6, 10),
    },
    {
      name: "who waits to read is killed, and another waits to write",
      parts: [holder, { ...annReads, dies: true, ttl: 200 }, bob],
      depth: amount(7, 12),
    },
    {
      name: "who reads is killed, beside another",
      parts: [{ ...reader, dies: true, ttl: 200 }, annReads, bob],
      depth: amount(7, 11),
    },
    {
      name: "one waits for two permits before one who wants one",
      parts: [
        { ...holder, shares: onePermit },
        { ...ann, shares: bothPermits },
        { ...bob, shares: onePermit },
      ],
    },
    {
      name: "who waits to read listens to a replica",
      parts: [holder, { ...annReads, replica: true }, bob],
    },
    { name: "who waits to read loses something", parts: [holder, annReads], losses: 1 },
    {
      name: "one of two calls with one token that wait to read gives up",
      parts: [holder, ...twins.map((twin): Part => ({ ...twin, shares: { mode: "shared" } })), bob],
      depth: amount(4, 7),
    },
    {
      name: "those who share a lock are lost alone",
      parts: [reader, annReads, bob, { name: "operator", deletes: "holders" }],
      depth: amount(6, 10),
    },
    { name: "a foreign program takes the lock", parts: [holder, ann, foreign] },
    {
      name: "a foreign program takes the lock, and its lease ends",
      parts: [holder, ann, foreign],
      leaps: 2,
      depth: amount(6, 10),
    },
    { name: "a foreign program takes the lock that is shared", parts: [reader, ann, foreign] },
    {
      name: "a foreign program takes the lock, for which a reader and a writer wait",
      parts: [reader, annReads, bob, foreign],
      depth: amount(6, 10),
    },
    {
      name: "a foreign program takes the lock, for whose permits two wait",
      parts: [
        { ...holder, shares: onePermit },
        { ...ann, shares: bothPermits },
        { ...bob, shares: onePermit, givesUp: true },
        foreign,
      ],
      depth: amount(6, 8),
    },
    {
      name: "two keys in either order",
      depth: amount(7, 12),
      parts: [
        { ...holder, keys: "a" },
        { ...ann, keys: ["a", "b"] },
        { ...bob, keys: ["b", "a"] },
      ],
    },
  ];

  test.each(scenarios)(
    "$name",
    async (scenario) => {
      const { complete } = await explore(() => create(scenario), {
        depth: scenario.depth ?? MOST_DEPTH,
        most: 20_000,
      });
      expect(complete).toBe(true);
    },
    PATIENCE,
  );
});

describe("orders of events by chance", () => {
  const scenarios: (Scenario & { readonly name: string; readonly schedules?: number })[] = [
    {
      name: "one of two gives up, and nobody notices what is lost",
      schedules: amount(50, ORDERS_OF_SILENCE),
      ...silence,
    },
    {
      name: "some read, some write, and things are lost",
      parts: [
        { ...reader, dies: true },
        { ...annReads, givesUp: true },
        bob,
        { name: "Cid", subscribed: true, shares: { mode: "shared" } },
      ],
      losses: 2,
      leaps: 4,
    },
    {
      name: "permits of two limits, one killed, one alone",
      parts: [
        { ...holder, shares: onePermit },
        { ...ann, shares: bothPermits, dies: true },
        { ...bob, shares: { limit: 3, permits: 2 }, givesUp: true },
        { name: "Cid", subscribed: true },
        { name: "Dan", shares: onePermit },
      ],
      losses: 1,
      leaps: 3,
    },
    {
      name: "a foreign program takes the lock among some who read, write and die",
      parts: [
        { ...reader, dies: true },
        { ...annReads, givesUp: true },
        { name: "Bob", deaf: true },
        { name: "Cid", subscribed: true, shares: bothPermits, dies: true },
        foreign,
      ],
      losses: 1,
      leaps: 4,
    },
    { name: "both still have to subscribe", parts: [holder, { name: "Ann" }, { name: "Bob" }] },
    {
      name: "any of three may be killed, with other ttls",
      parts: [
        { ...holder, dies: true },
        { ...ann, dies: true, ttl: 200 },
        { ...bob, dies: true, ttl: 30_000 },
        { name: "Cid", subscribed: true, ttl: 30_000 },
      ],
    },
    {
      name: "a cluster, where Redis cannot tell who is dead",
      parts: [holder, { ...ann, dies: true }, { ...bob, givesUp: true }, { name: "Cid" }],
      cluster: true,
      losses: 1,
      leaps: 3,
    },
    {
      name: "one of two gives up, and things are lost",
      parts: [holder, { ...ann, givesUp: true }, bob],
      losses: 2,
      leaps: 4,
    },
    {
      name: "the holder is killed, one waiter too, and things are lost",
      parts: [{ ...holder, dies: true }, { ...ann, dies: true }, bob],
      losses: 2,
      leaps: 6,
    },
    {
      name: "two keys crosswise, single keys among them",
      parts: [
        { ...holder, keys: ["a", "b"] },
        { ...ann, keys: ["a", "b"] },
        { ...bob, keys: ["b", "a"] },
        { name: "Cid", keys: "a", subscribed: true },
        { name: "Dan", keys: "b", subscribed: true, givesUp: true },
      ],
      losses: 1,
      leaps: 3,
    },
  ];

  test.each(scenarios)(
    "$name",
    async (scenario) => {
      for (let seed = 1; seed <= amount(1, 5); seed++) {
        const { schedules = amount(25, 200) } = scenario;
        await sample(() => create(scenario), { depth: 80, schedules, seed });
      }
    },
    PATIENCE,
  );
});

describe("finds", () => {
  const planted: readonly Planted[] = [
    {
      bug: "a fencing token that is not raised above the last one",
      scenario: { parts: [holder, ann, bob] },
    },
    {
      bug: "a grant that is kept after giving up",
      scenario: { parts: [holder, { name: "Ann", givesUp: true }] },
    },
    {
      bug: "a published grant that is taken back because nobody was counted, with a replica",
      scenario: { parts: [holder, { ...ann, replica: true }, bob] },
    },
    {
      bug: "a published grant that is taken back because nobody was counted, with a count that lies",
      scenario: { parts: [holder, ann, bob], miscount: 0 },
    },
    {
      bug: "an obtain with somebody else's equal token that frees the lock when it is given up",
      scenario: { parts: [holder, ...twins, bob] },
      depth: 8,
    },
    {
      bug: "a lock that two calls were told they have, and that one of them frees by giving up",
      scenario: { parts: [holder, ...twins, bob] },
      depth: 8,
    },
    {
      bug: "a subscription that is open without anybody asking again",
      scenario: { parts: [holder, { name: "Ann" }] },
    },
    {
      bug: "a subscription that is there again without anybody asking again",
      scenario: { parts: [holder, ann], losses: 1 },
    },
    {
      bug: "a grant that comes after giving up, and is not given back",
      scenario: { parts: [holder, { ...ann, givesUp: true, overtaken: true }] },
    },
    {
      bug: "a message to come that is not heeded",
      scenario: {
        parts: [
          { ...holder, keys: "a" },
          { ...ann, keys: ["a", "b"] },
          { ...bob, keys: ["b", "a"] },
        ],
      },
    },
    {
      bug: "a line that was lost alone, and whose waiters are not called back",
      scenario: without("line", ann, bob),
      depth: 8,
    },
    {
      bug: "a waiter whose record was lost, and who is dropped without being told",
      scenario: without("waiters", ann),
    },
    {
      bug: "a waiter who is not counted, and who is dropped without being told",
      scenario: { parts: [holder, { ...ann, replica: true }, bob] },
    },
    {
      bug: "a dead waiter who asked in the future, and is waited for until that comes",
      scenario: deadInTheFuture,
      depth: 10,
    },
    {
      bug: "a waiter that asks only when the lease ends that it knows of",
      scenario: { parts: [holder, ann, foreign] },
    },
    {
      bug: "a foreign lock that is handed to the next in line by who leaves it",
      scenario: { parts: [holder, { ...ann, givesUp: true }, bob, foreign] },
      depth: 7,
    },
    {
      bug: "a lock without a grant that is taken for one that nobody has, and shared",
      scenario: { parts: [reader, annReads, foreign] },
    },
    {
      bug: "one permit too many",
      scenario: {
        parts: [
          { ...holder, shares: onePermit },
          { ...ann, shares: onePermit },
          { ...bob, shares: onePermit },
        ],
      },
    },
    {
      bug: "a writer let in beside readers, when one of them gives back its share",
      scenario: { parts: [reader, { ...annReads, givesUp: true }, bob] },
      depth: 10,
    },
    {
      bug: "a share that is not given back by who gave up",
      scenario: { parts: [holder, { ...annReads, givesUp: true }] },
    },
    {
      bug: "a last reader whose end no writer is told of",
      scenario: { parts: [reader, ann] },
    },
    {
      bug: "a renewal that came due during a refresh without a reply, and is dropped for ever",
      scenario: { parts: [keeper], losses: 1, silent: true, leaps: 1 },
    },
    {
      bug: "a grant that is heard after giving up, and is not given back",
      scenario: silence,
      picked: ORDERS_OF_SILENCE,
    },
    {
      bug: "a mailbox that is left while a command may still put its waiter in line",
      scenario: silence,
      picked: ORDERS_OF_SILENCE,
    },
  ];

  test.each(someOrAll(planted))(
    "$bug",
    async ({ bug: name, scenario, depth = TO_THE_END, picked }) => {
      const bug = bugNamed(name);
      const cast = await castWith(bug);
      const model = (): Promise<ScenarioModel> => create(scenario, cast);
      const exploring = picked
        ? sample(model, { depth: 80, schedules: picked, seed: 1 })
        : explore(model, { depth, most: 20_000 });
      expect(bug.shows).toContain(await wrongIn(exploring));
    },
    PATIENCE,
  );

  test("a grant that is believed although its lock may be another's by now", async () => {
    const bug = bugNamed("a grant that is believed although its lock may be another's by now");
    const cast = await castWith(bug);
    const replaying = replay(await create(grantAfterForce.scenario, cast), grantAfterForce.order);
    expect(await wrongIn(replaying)).toBe("two holders at once");
  });
});

describe("orders that once broke a promise", () => {
  test("a grant that is heard of twice does not give the lock back", async () => {
    await replay(await create({ parts: [holder, ann, bob], losses: 1, leaps: 4 }), [
      "Ann: request arrives",
      "Ann: reply is lost",
      "Bob: request arrives",
      "Bob: reply arrives",
      "time leaps",
      "time leaps",
      "Ann: request arrives", // Asked again: Ann is in line, and may be twice.
      "Ann: reply arrives",
      "time leaps",
      "time leaps",
      "holder: releases",
      "holder: request arrives", // Ann has it, and is told.
      "Ann: request arrives", // Ann asks, and is told so as well.
      "Ann: reply arrives",
      "Ann: push arrives",
    ]);
  });

  test("a grant that comes after its lock is another's is not believed", async () => {
    await replay(await create(grantAfterForce.scenario), grantAfterForce.order);
  });
});
