// A program that loads core as an ES module and as CommonJS: what either makes is what the other asks for.
import * as esm from "@redislock/core";
import cjs = require("@redislock/core");

const client: esm.RedisClient & cjs.RedisClient = {
  run() {
    return Promise.reject(new Error("nothing is sent here"));
  },
};

const options = { commandTimeout: 100 };
const ofEsm: cjs.Locker = new esm.Locker(client, options);
const ofCjs: esm.Locker = new cjs.Locker(client, options);

export const toCjs = (lock: esm.Lock): cjs.Lock => lock;
export const toEsm = (lock: cjs.Lock): esm.Lock => lock;

const notObtained = { holder: undefined, waited: 0, attempts: 1 };
const errorOfEsm: cjs.NotObtainedError = new esm.NotObtainedError(["key"], notObtained);
const errorOfCjs: esm.NotObtainedError = new cjs.NotObtainedError(["key"], notObtained);

const copies = [esm, cjs];

async function main(): Promise<void> {
  check(new Set<unknown>([esm.Locker, cjs.Locker]).size === 2, "there are two copies");
  for (const { Locker, NotObtainedError, OutcomeUnknownError, RedisLockError } of copies) {
    for (const locker of [ofEsm, ofCjs]) {
      check(locker instanceof Locker, "a locker is one for both");
      const error = await locker.obtain("key", 10_000).catch((reason: unknown) => reason);
      check(error instanceof OutcomeUnknownError, "an error is what it is for both");
      check(error instanceof RedisLockError, "and one of this library");
      check(!(error instanceof NotObtainedError), "and no other");
    }
    for (const error of [errorOfEsm, errorOfCjs]) {
      check(error instanceof NotObtainedError, "so is one that was made by hand");
    }
    check(!((client as object) instanceof Locker), "anything else is no locker");
  }
}

function check(holds: boolean, what: string): void {
  if (!holds) throw new Error(`not so: ${what}`);
}

void main();
