/** A program in which many listen to the signal of one lock. */
import { createLocker } from "@redislock/testing";

const lock = await createLocker().obtain("k", 60_000);
let heard = 0;
for (let i = 0; i < 50; i++) lock.signal.addEventListener("abort", () => heard++);
AbortSignal.any([lock.signal]);
await lock.release();
console.log(`heard: ${heard}`);
