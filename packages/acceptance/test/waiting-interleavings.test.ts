/**
 * No wake-up is lost and no lock is had by two, whatever the order of events: the real core and the real
 * scripts, run through all orders of a scenario, or through many where there are too many.
 */
import { describe, expect, test } from "@jest/globals";

import { explore, replay, sample } from "./waiting-explorer.js";
import { World, type Part, type Scenario } from "./waiting-world.js";

const holder: Part = { name: "holder", holds: true };
const ann: Part = { name: "Ann", subscribed: true };
const bob: Part = { name: "Bob", subscribed: true };

/** More steps than any schedule has. */
const TO_THE_END = 200;

interface Bounded extends Scenario {
  readonly name: string;
  /** After so many steps the rest comes in order. */
  readonly depth?: number;
}

describe("every order of events", () => {
  const scenarios: Bounded[] = [
    { name: "the holder releases, two wait", parts: [holder, ann, bob] },
    { name: "the waiter still has to subscribe", parts: [holder, { name: "Ann" }] },
    { name: "the waiter cannot subscribe", parts: [holder, { name: "Ann", deaf: true }, bob] },
    { name: "the waiter gives up", parts: [holder, { ...ann, givesUp: true }] },
    {
      name: "the first in line gives up, for 10 steps",
      parts: [holder, { ...ann, givesUp: true }, bob],
      depth: 10,
    },
    {
      name: "the first in line is killed, whose lease is short, for 12 steps",
      parts: [holder, { ...ann, dies: true, ttl: 200 }, { ...bob, ttl: 30_000 }],
      depth: 12,
    },
    {
      name: "the holder is killed, those in line want it for longer and shorter, for 11 steps",
      parts: [
        { ...holder, dies: true },
        { ...ann, ttl: 200 },
        { ...bob, ttl: 30_000 },
      ],
      depth: 11,
    },
    { name: "the lease ends, for 12 steps", parts: [holder, ann], leaps: 2, depth: 12 },
    { name: "one thing is lost", parts: [holder, ann], losses: 1 },
    {
      name: "two keys in either order, for 12 steps",
      depth: 12,
      parts: [
        { ...holder, keys: "a" },
        { ...ann, keys: ["a", "b"] },
        { ...bob, keys: ["b", "a"] },
      ],
    },
  ];

  test.each(scenarios)("$name", async (scenario) => {
    const { complete } = await explore(() => World.create(scenario), {
      depth: scenario.depth ?? TO_THE_END,
      most: 20_000,
    });
    expect(complete).toBe(true);
  });
});

describe("orders of events by chance", () => {
  const scenarios: (Scenario & { readonly name: string })[] = [
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

  test.each(scenarios)("$name", async (scenario) => {
    for (let seed = 1; seed <= 5; seed++) {
      await sample(() => World.create(scenario), { depth: 80, schedules: 200, seed });
    }
  });
});

describe("orders that once broke a promise", () => {
  const parts = [holder, ann, bob];

  test("a grant that is heard of twice does not give the lock back", async () => {
    await replay(await World.create({ parts, losses: 1, leaps: 4 }), [
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
    const operator: Part = { name: "operator", forces: true };
    await replay(await World.create({ parts: [...parts, operator], leaps: 2 }), [
      "Ann: request arrives",
      "Ann: reply arrives",
      "Bob: request arrives",
      "Bob: reply arrives",
      "holder: releases",
      "holder: request arrives", // Ann has it, and the message is on its way.
      "operator: forces the release",
      "operator: request arrives", // Bob has it.
      "time leaps",
      "time leaps",
      "Ann: request arrives",
      "Ann: reply arrives", // Wait.
      "Bob: push arrives",
      "Ann: push arrives", // You have it.
    ]);
  });
});
