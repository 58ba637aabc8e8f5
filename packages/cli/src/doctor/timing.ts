/** How far the server is, and what its clock says. */
import type { Redis } from "ioredis";

import { duration } from "../output/duration.js";

import { type Finding, finding, unseen } from "./check.js";

const TRIPS = 5;
/** Milliseconds above which a round trip is worth a word. */
const SLOW = 100;
const CLOCKS_APART = 1_000;

export async function checkTiming(redis: Redis): Promise<Finding[]> {
  const trips: { readonly took: number; readonly apart: number }[] = [];
  try {
    for (let i = 0; i < TRIPS; i++) {
      const [sent, before] = [performance.now(), Date.now()];
      const [seconds, micros] = await redis.time();
      const took = performance.now() - sent;
      const apart = Number(seconds) * 1_000 + Number(micros) / 1_000 - (before + took / 2);
      trips.push({ took, apart });
    }
  } catch (error) {
    return ["round trip", "clock"].map((check) => unseen(check, "TIME", error));
  }
  trips.sort((a, b) => a.took - b.took);
  // The quickest trip tells the server's clock best.
  return [roundTrip(trips[Math.floor(TRIPS / 2)]?.took ?? 0), clock(trips[0]?.apart ?? 0)];
}

function roundTrip(ms: number): Finding {
  const found = `${ms.toFixed(1)}ms`;
  return ms < SLOW
    ? finding("round trip", "ok", found, "each obtain and release takes one")
    : finding(
        "round trip",
        "warn",
        found,
        "each obtain and release takes one: choose ttls far above",
      );
}

function clock(ms: number): Finding {
  const found =
    Math.abs(ms) < 1
      ? "the same as here"
      : `${duration(Math.abs(ms))} ${ms > 0 ? "ahead of" : "behind"} this machine's`;
  const meaning = "leases go by the server's clock alone";
  if (Math.abs(ms) < CLOCKS_APART) return finding("clock", "ok", found, meaning);
  return finding("clock", "warn", found, `${meaning}; but slew the clocks, and never set one back`);
}
