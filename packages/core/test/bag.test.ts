import { expect, test } from "@jest/globals";
import { seededRandom } from "@redislock/test-kit";

import { Bag, type Placed } from "../src/lease/bag.js";

test("a bag has what a set would have, whatever is put in and taken out", () => {
  for (let seed = 1; seed <= 50; seed++) {
    const random = seededRandom(seed);
    const things: Placed[] = Array.from({ length: 8 }, () => ({ place: -1 }));
    const [bag, set] = [new Bag<Placed>(), new Set<Placed>()];
    for (let step = 0; step < 60; step++) {
      const thing = things[random(things.length)];
      if (!thing) continue;
      if (set.has(thing) || random(3) === 0) {
        bag.remove(thing);
        set.delete(thing);
      } else {
        bag.add(thing);
        set.add(thing);
      }
      expect(bag.size).toBe(set.size);
      expect(new Set(bag.all())).toEqual(set);
      for (const each of things) expect(bag.all().includes(each)).toBe(set.has(each));
    }
  }
});

test("what was in it stays as it was when it changes", () => {
  const bag = new Bag<Placed>();
  const [first, second] = [{ place: -1 }, { place: -1 }];
  bag.add(first);
  const before = bag.all();
  bag.add(second);
  expect(before).toEqual([first]);
});
