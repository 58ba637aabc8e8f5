import type { ScriptName } from "@redislock/core/adapter";

import { MINUTE, oneByOne, type Operation } from "./operations.js";

/** What a server answered: a reply as the clients give it, or the first word of an error. */
export type Answer = string | null | readonly Answer[] | { readonly error: string };

/** All that can be seen of a server while it does some operations. */
export interface Observation {
  /** What it answered to each operation. */
  readonly answers: readonly Answer[];
  /** What was heard on the channel that somebody listens to. */
  readonly messages: readonly string[];
}

/** A fencing token or a ticket that a server told, in microseconds. */
interface Moment {
  readonly kind: "fence" | "ticket";
  readonly keys: readonly string[];
  readonly time: number;
}

/** What stands at which place of a reply; a reply that is no list has but the first. */
const KINDS = ["fence", "fence", "ticket"] as const;

const MOMENT = /^\d{14,}$/;
const MARKED = /\d{14,}/;

/**
 * The same for two servers that did the same, at different times: a fencing token or a ticket is
 * replaced by how many earlier and how many equal ones of its lock there are, milliseconds by minutes.
 */
export function comparable(
  asked: readonly Operation[],
  { answers: given, messages }: Observation,
): unknown {
  const parts = asked.flatMap((operation, i) => apart(operation, given[i] ?? null));
  const operations = parts.map(({ operation }) => operation);
  const answers = parts.map(({ answer }) => answer);
  const moments = operations.flatMap((operation, i) => momentsIn(operation, answers[i] ?? null));
  return {
    answers: operations.map((operation, i) => {
      const text = (part: Answer, place: number): unknown => {
        // Those who share a lock, or how one would: no moments, but what is left of leases.
        if (isList(part)) return part.map((told) => minutes(told));
        // The marker of a shared lock holds the number of its phase.
        if (typeof part === "string" && part.startsWith("shared "))
          return part.replace(MARKED, "…");
        if (typeof part !== "string" || !/^\d+$/.test(part)) return part;
        if (isWaited(operation, place)) return "waited";
        if (MOMENT.test(part)) return rank(momentOf(operation, part, place), moments);
        return minutes(part);
      };
      const answer = answers[i] ?? null;
      return isList(answer) ? answer.map(text) : text(answer, 0);
    }),
    messages: inAnyOrder(messages).map((message) => message.replace(/\d{14,}/, "…")),
  };
}

function minutes(part: Answer): unknown {
  const milliseconds = Number(part);
  return milliseconds > MINUTE / 2 ? `${Math.round(milliseconds / MINUTE)} min` : part;
}

/** Those who are told to come in one go are told in no order: a hash has none. */
function inAnyOrder(messages: readonly string[]): string[] {
  const runs: string[][] = [];
  for (const message of messages) {
    const last = runs.at(-1);
    if (message.startsWith("come ") && last?.[0]?.startsWith("come ")) last.push(message);
    else runs.push([message]);
  }
  return runs.flatMap((run) => run.sort());
}

interface Part {
  readonly operation: Operation;
  readonly answer: Answer;
}

/** Many that were one command are as many operations. */
function apart(operation: Operation, answer: Answer): Part[] {
  const operations = oneByOne(operation);
  if (operations.length === 1 || !isList(answer)) return [{ operation, answer }];
  return operations.map((one, i) => ({ operation: one, answer: answer[i] ?? null }));
}

function momentsIn(operation: Operation, answer: Answer): Moment[] {
  const parts = isList(answer) ? answer : [answer];
  return parts.flatMap((part, place) =>
    typeof part === "string" && MOMENT.test(part) && !isWaited(operation, place)
      ? [momentOf(operation, part, place)]
      : [],
  );
}

function momentOf(operation: Operation, text: string, place: number): Moment {
  // Locks of one slot share their fence, the third of five names; tickets are those of a line, the fourth.
  const kind = KINDS[place];
  if (!kind) throw new Error(`No moment is expected at place ${place}`);
  const name = kind === "fence" ? 2 : 3;
  let keys =
    operation.kind === "run"
      ? operation.keys.filter((_, i) => i % namesOf(operation.script) === name)
      : [];
  // Of which of several locks a reply has the fencing token, it does not say.
  if (kind === "fence" && keys.length > 1) keys = [];
  return { kind, keys, time: Number(text) };
}

function namesOf(script: ScriptName): number {
  return script === "inspect" || script.includes("Shared") ? 7 : 5;
}

function rank(moment: Moment, all: readonly Moment[]): string {
  const like = all.filter(
    ({ kind, keys }) => kind === moment.kind && keys.some((key) => moment.keys.includes(key)),
  );
  const before = like.filter(({ time }) => time < moment.time).length;
  const same = like.filter(({ time }) => time === moment.time).length;
  return `${moment.kind} after ${before}, same as ${same}`;
}

/** How long the waiters that `inspect` tells of have waited is a matter of the machine's speed. */
function isWaited(operation: Operation, place: number): boolean {
  return operation.kind === "run" && operation.script === "inspect" && place >= 4;
}

function isList(answer: Answer): answer is readonly Answer[] {
  return Array.isArray(answer);
}
