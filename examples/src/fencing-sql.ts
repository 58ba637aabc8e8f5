/** Keeps a holder out that was paused past its lease, where the data is in a SQL database. */
import { createLocker } from "@redislock/ioredis";
import { Redis } from "ioredis";
import sqlite from "node-sqlite3-wasm";

const redis = new Redis();
const locker = createLocker(redis);
const db = new sqlite.Database();
db.exec(
  "CREATE TABLE invoice (id INTEGER PRIMARY KEY, state TEXT, fence INTEGER NOT NULL DEFAULT 0)",
);
db.exec("INSERT INTO invoice (id, state) VALUES (42, 'open')");

// #region guarded-update
/** Changes nothing if a holder that came later has written before. */
function setState(id: number, state: string, fence: number): boolean {
  const { changes } = db.run(
    "UPDATE invoice SET state = ?, fence = ? WHERE id = ? AND fence <= ?",
    [state, fence, id, fence],
  );
  return changes === 1;
}
// #endregion

const slow = await locker.obtain("invoice:42", 1_000);
// Its process is paused here, by garbage collection or a suspended machine, past its lease…
const quick = await locker.obtain("invoice:42", 10_000, { wait: 5_000 });
console.log(`quick writes: ${setState(42, "paid", quick.fencingToken)}`);
// …and wakes up in the middle of its write.
console.log(`slow writes: ${setState(42, "cancelled", slow.fencingToken)}`);
console.log(`state: ${JSON.stringify(db.get("SELECT state FROM invoice WHERE id = 42"))}`);

await quick.release();
await locker.close();
redis.disconnect();
db.close();
