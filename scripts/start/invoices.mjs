/** Pays an invoice, unless somebody else is about to. */
export async function pay(invoice, locker, charge) {
  try {
    await locker.using(`invoice:${invoice}`, 10_000, (lock) => charge(invoice, lock.fencingToken));
    return true;
  } catch (error) {
    if (error.code === "NOT_OBTAINED") return false;
    throw error; // LOST, for one: somebody else may have paid, too.
  }
}
