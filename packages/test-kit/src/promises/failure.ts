import { inspect } from "node:util";

/** What the promise is rejected with. Rejects if it is not. */
export async function failure(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    (value) => {
      throw new Error(`resolved to ${inspect(value)}`);
    },
    (error: unknown) => error,
  );
}
