import type { Locker } from "../../src/index.js";

// #region invoices
/** Takes money. Refuses a fencing token that is lower than one it has seen. */
export type Charge = (invoice: number, fencingToken: number) => Promise<void>;

/** Pays an invoice, unless somebody else is about to. */
export async function pay(invoice: number, locker: Locker, charge: Charge): Promise<boolean> {
  const lock = await locker.tryObtain(`invoice:${invoice}`, 10_000, { renew: true });
  if (!lock) return false;
  await using held = lock;
  await charge(invoice, held.fencingToken);
  held.signal.throwIfAborted();
  return true;
}
// #endregion
