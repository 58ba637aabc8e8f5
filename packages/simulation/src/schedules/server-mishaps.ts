/** What happens to the server of a schedule, and to everybody with it. */
import { deadWaiter, type LockNames, mostGone, namesOf } from "../protocol.js";
import { happens, type Trouble, type World } from "./world.js";

/** How many dead waiters a script drops at most where they come in crowds. */
const FEW = 8;
/** Milliseconds in which a calm lock has to do with a crowd, and with memory that is full. */
const SOMETIME = 3_000;

/** Some servers say of every message, or channel, or both, that so many listen. */
export function miscount({ troubles, chance, server, history }: World): void {
  const count = troubles.has("countZero") ? 0 : troubles.has("countOne") ? 1 : undefined;
  if (count === undefined) return;
  const ways = [{ publish: count, numsub: count }, { publish: count }, { numsub: count }] as const;
  const counts = chance.pick("miscounts", ways);
  history.note("server", () => `says always: ${JSON.stringify(counts)}`);
  server.memory.miscount(counts);
}

/** @param cut - Breaks all connections. */
export function planServerMishaps(world: World, storm: number, cut: () => void): void {
  const { timeline, chance, server, watch, history, troubles } = world;
  const plan = (trouble: Trouble, run: () => void): void => {
    for (let i = 0; i < 3; i++) {
      const at = chance.between(`${trouble} at`, 0, storm);
      if (happens(world, trouble, "server", 0.7)) timeline.at(at, run);
    }
  };
  plan("restartEmpty", () => {
    history.note("server", () => "restarts, and has forgotten everything");
    server.memory.command("FLUSHALL");
    cut();
  });
  for (const [trouble, sign] of [
    ["clockForward", 1],
    ["clockBack", -1],
  ] as const) {
    plan(trouble, () => {
      const by = sign * chance.between(trouble, 100, 2_000);
      history.note("server", () => `its clock jumps by ${by.toFixed(0)} ms`);
      server.memory.moveClock(by);
    });
  }
  // Without the fence, only the clock makes fencing tokens rise.
  const keepsTime = !troubles.has("clockBack");
  plan("evict", () => {
    evict(world, ({ line, waiters, grant, holders, shares, fence }) => [
      line,
      waiters,
      grant,
      holders,
      shares,
      ...(keepsTime ? [fence] : []),
    ]);
  });
  plan("evictLock", () => evict(world, ({ key }) => [key]));
  plan("full", () => fill(world));
  if (bringsCrowds(world)) {
    server.mostDropped = FEW;
    watch.mostGone = mostGone(FEW);
  }
  plan("crowd", () => crowd(world));
}

/** What the lock stands without anybody being hindered. */
export function planCalmMishaps(world: World): void {
  const { timeline, chance, troubles } = world;
  const plan = (trouble: Trouble, run: () => void): void => {
    if (!troubles.has(trouble)) return;
    for (let i = 0; i < 3; i++) {
      timeline.at(timeline.now + chance.between(`calm ${trouble} at`, 0, SOMETIME), run);
    }
  };
  plan("full", () => fill(world));
  plan("crowd", () => crowd(world));
}

/** Deletes one key of one lock. */
function evict(
  { chance, server, watch, history }: World,
  choices: (names: LockNames) => string[],
): void {
  const there = watch.locks
    .flatMap(choices)
    .filter((key) => server.memory.command("EXISTS", key) !== "0");
  const key = there[Math.floor(chance.draw("evicted") * there.length)];
  if (key === undefined) return;
  history.note("server", () => `evicts ${key}`);
  server.memory.command("DEL", key);
}

/** For a while, nothing that takes memory can be begun. */
function fill({ chance, server, timeline, history }: World): void {
  history.note("server", () => "has no memory left");
  server.full = true;
  timeline.at(timeline.now + chance.between("full for", 20, 800), () => {
    history.note("server", () => "has memory again");
    server.full = false;
  });
}

/** Many who died at once stand in line for a lock that somebody has. */
function crowd(world: World): void {
  const { chance, server, watch, history } = world;
  if (!bringsCrowds(world)) return;
  const held = watch.locks.filter(({ key }) => server.memory.command("EXISTS", key) !== "0");
  const lock = held[Math.floor(chance.draw("crowded") * held.length)];
  if (!lock) return;
  const size = Math.floor(chance.between("crowd", 2, 8 * FEW));
  history.note("server", () => `${size} dead waiters stand in line for ${lock.key}`);
  for (let i = 0; i < size; i++) {
    const { script, args } = deadWaiter(++world.dead);
    server.memory.run(script, namesOf(lock), args);
  }
}

/** Where the server says of the dead that they hear, each of them has the lock for a while. */
function bringsCrowds({ troubles }: World): boolean {
  return troubles.has("crowd") && !troubles.has("countOne");
}
