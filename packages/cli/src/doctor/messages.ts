/** Whether messages arrive, by which waiters are woken. */
import { randomBytes } from "node:crypto";

import type { Redis } from "ioredis";

import { duration } from "../output/duration.js";

import { type Finding, finding } from "./check.js";
import { type Answer, answerOf } from "./permissions.js";

/** Milliseconds after which a message counts as lost. */
const PATIENCE = 2_000;

const WITHOUT = "waiters ask by themselves: up to half a ttl later, or 20 commands a second each";

export interface MessageCheck {
  readonly finding: Finding;
  readonly subscribing: Answer;
}

/** @param listener - From whose server messages are to come; another's in a cluster. */
export async function checkMessages(listener: Redis, sender: Redis): Promise<MessageCheck> {
  const check = "pub/sub";
  const channel = `redislock:inbox:${randomBytes(16).toString("base64url")}`;
  const connection = listener.duplicate({ retryStrategy: null, lazyConnect: true });
  connection.on("error", () => {});
  try {
    await connection.connect();
    const heard = new Promise<boolean>((resolve) => {
      connection.on("message", () => resolve(true));
      setTimeout(resolve, PATIENCE, false).unref();
    });
    await connection.subscribe(channel);
    const sent = performance.now();
    await sender.publish(channel, "doctor");
    if (!(await heard)) {
      const found = `not heard within ${duration(PATIENCE)}`;
      return { finding: finding(check, "warn", found, WITHOUT), subscribing: "yes" };
    }
    const found = `heard after ${(performance.now() - sent).toFixed(1)}ms`;
    const meaning = "waiters are told when it is their turn";
    return { finding: finding(check, "ok", found, meaning), subscribing: "yes" };
  } catch (error) {
    const forbidden = error instanceof Error && error.message.startsWith("NOPERM");
    const found = forbidden ? "not permitted to this user" : "could not be opened";
    const published = error instanceof Error && /publish/i.test(error.message);
    const subscribing = forbidden && !published ? answerOf(error) : "yes";
    return { finding: finding(check, "warn", found, WITHOUT), subscribing };
  } finally {
    connection.disconnect();
  }
}
