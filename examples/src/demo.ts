/**
 * Several processes sell a limited stock of tickets: without a lock, with one, and with one while a
 * seller is killed. Then some read prices while one changes them. Ends with 0 only if they oversold
 * without the lock, did not with it, and nobody read half a change.
 */
import { parseArgs } from "node:util";
import { Account } from "./shop/account.js";
import { type Act, play, type Scale } from "./shop/act.js";
import { findPlace, type Place } from "./shop/place.js";
import { playPrices } from "./shop/prices-act.js";
import { type Result, summaryOf } from "./shop/summary.js";
import { fold, paintFor, seconds } from "./shop/terminal.js";

const unlocked: Act = {
  title: "no lock",
  story: "Two who read the same number sell the same ticket.",
  adapter: "ioredis",
  lock: false,
  kill: false,
};
const locked: Act = {
  title: "lock, by ioredis",
  story: "The same sale inside locker.using(...): one at a time, the others stand in line.",
  adapter: "ioredis",
  lock: true,
  kill: false,
};
const killed: Act = {
  title: "lock, by node-redis, one killed",
  story: "One seller dies while it holds the lock. The line goes on when its lease is over.",
  adapter: "node-redis",
  lock: true,
  kill: true,
};

/** How often the first act is played at most, if by luck nothing goes wrong in it. */
const TRIES = 3;

const paint = paintFor(process.stdout);
const account = new Account(console.log, paint);

const interrupted = new AbortController();
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
  process.once(signal, () => interrupted.abort(new Error(`ended by ${signal}`)));
}
// Whoever read what it writes is gone: a pager that was closed, a terminal.
process.stdout.on("error", () => interrupted.abort(new Error("nobody reads this any more")));
process.stderr.on("error", () => {});
try {
  const scale = scaleFromArguments();
  const place = await findPlace();
  try {
    process.exitCode = (await show(place, scale)) ? 0 : 1;
  } finally {
    await place.leave();
  }
} catch (error) {
  const text = `demo: ${error instanceof Error ? error.message : String(error)}`;
  for (const line of fold(text)) console.error(paint.bad(line));
  process.exitCode = 1;
}

/** Plays the acts, and says whether they showed what they should. */
async function show(place: Place, scale: Scale): Promise<boolean> {
  const { sellers, tickets, pause, lease } = scale;
  account.says(
    `${sellers} sellers, each a process of its own, sell ${tickets} tickets. For each buyer, a ` +
      `seller reads in Redis how many are left, takes the money (${seconds(pause)} or so), and ` +
      `writes one less. The lease of their lock is ${seconds(lease)}.`,
    `Redis: ${place.description}`,
  );
  account.says("To see the locks live in a browser, run this in a second terminal:", place.page);
  const results: Result[] = [];
  const perform = async (act: Act): Promise<Result> => {
    const outcome = await play(act, scale, place, account, interrupted.signal);
    account.closes(outcome, tickets);
    return { ...act, ...outcome };
  };

  let first = await perform(unlocked);
  for (let tries = 1; first.oversold === 0 && tries < TRIES; tries++) {
    account.says("That went well by luck. Once more.");
    first = await perform(unlocked);
  }
  results.push(first, await perform(locked), await perform(killed));
  await playPrices(scale, place, account, interrupted.signal);
  const whole = account.closesPrices();
  account.says(...summaryOf(results, paint));

  const worst = Math.max(
    ...results.slice(1).map(({ sold, left }) => Math.abs(sold + left - tickets)),
  );
  if (worst > 0) account.says(paint.bad("WITH THE LOCK the tickets sold and left do not add up"));
  else if (first.oversold === 0)
    account.says("Nothing was oversold without the lock: nothing shown");
  else console.log(paint.good("oversold 0 with the lock"));
  return worst === 0 && first.oversold > 0 && whole;
}

/** @throws Error for what is no whole number within bounds. */
function scaleFromArguments(): Scale {
  const { values } = parseArgs({
    options: {
      sellers: { type: "string", default: "4" },
      tickets: { type: "string", default: "8" },
      pause: { type: "string", default: "250" },
      lease: { type: "string", default: "3000" },
    },
  });
  const whole = (name: keyof typeof values, least: number, most: number): number => {
    const value = Number(values[name]);
    if (Number.isInteger(value) && value >= least && value <= most) return value;
    throw new Error(`--${name} must be a whole number of ${least} to ${most}, got ${values[name]}`);
  };
  return {
    sellers: whole("sellers", 2, 26),
    tickets: whole("tickets", 4, 1_000),
    pause: whole("pause", 1, 60_000),
    lease: whole("lease", 100, 600_000),
  };
}
