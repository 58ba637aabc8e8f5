/** Runs a command while holding a lock: the command is over before the lease is. */
import { hostname } from "node:os";
import { basename } from "node:path";
import { stderr } from "node:process";

import {
  createLocker,
  type Lock,
  type LockEvent,
  LockerClosedError,
  type Locker,
  NotObtainedError,
  type ObtainOptions,
  RedisLockError,
} from "@redislock/ioredis";
import { type Command, Option } from "commander";

import { ending, exitCodes } from "../exit-codes.js";
import { Failure } from "../failure.js";
import {
  connectBy,
  parseCount,
  parseDuration,
  type ServerOptions,
  takesServer,
} from "../options.js";
import { duration } from "../output/duration.js";
import { complain } from "../output/out.js";
import { count, plain } from "../output/text.js";
import type { Connection } from "../redis/connection.js";
import { explain } from "../redis/explain.js";
import { codeOf, type Ended, ProcessGroup } from "../run/process-group.js";
import { onSignals } from "../run/signals.js";
import { superviseLease } from "../run/supervise.js";

interface RunOptions extends ServerOptions {
  readonly wait?: number | boolean;
  readonly ttl: number;
  readonly shared?: true;
  readonly limit?: number;
  readonly permits?: number;
  readonly holdAtLeast?: number;
  readonly metadata?: string;
  readonly grace?: number;
}

/** Milliseconds after which whoever looks on is told what it waits for. */
const SAY_AFTER = 1_000;

const EXAMPLES = `
Exit codes:
  the command's own; 128+n if signal n ended it; 126, 127 if it could not be started
  64 usage   69 Redis unreachable, or refuses   75 not obtained   79 lost, and the command ended

Examples:
  redislock run backup -- pg_dump shop -f shop.sql    wait for as long as it takes
  redislock run --no-wait report -- ./report.sh       not if another does it now
  redislock run --no-wait --hold-at-least 1m cron:report -- ./report.sh
                                                      once a minute, on whichever machine
  redislock run --limit 4 encode -- ffmpeg …          at most four at a time
  redislock run --shared index -- ./search            beside all others who share it`;

export function addRun(program: Command): void {
  takesServer(
    program
      .command("run")
      .summary("run a command while holding a lock")
      .description(
        "Runs a command while holding the lock, renewed for as long as it runs. The command has " +
          "REDISLOCK_KEY and REDISLOCK_FENCE, the fencing token, in its environment.",
      )
      .argument("<key>", "the lock")
      .argument("<command...>", "the command and its arguments, behind --")
      .usage("[options] <key> -- <command…>")
      .option(
        "--wait <time>",
        "stand in line for so long, default: as long as it takes",
        parseDuration,
      )
      .option("--no-wait", "give up at once if another has it")
      .addOption(
        new Option("--ttl <time>", "when the lock is free after a crash of this machine")
          .argParser(parseDuration)
          .default(30_000, "30s"),
      )
      .option("--shared", "hold it together with all others who share it")
      .option("--limit <n>", "hold it together with others, up to so many permits", parseCount)
      .option("--permits <n>", "how many of them it takes, default: 1", parseCount)
      .option(
        "--hold-at-least <time>",
        "keep it taken for so long, however soon the command ends",
        parseDuration,
      )
      .option("--metadata <text>", "what others see of the holder, default: host, pid and command")
      .option(
        "--grace <time>",
        "between TERM and KILL when the lease runs out, default: ttl / 3",
        parseDuration,
      ),
  )
    .addHelpText("after", EXAMPLES)
    .action(ending(run));
}

async function run(key: string, command: string[], options: RunOptions): Promise<number> {
  const [program = ""] = command;
  const grace = graceOf(options);
  const signals = onSignals();
  const connection = await connected(options, signals);
  if (!connection) return exitCodes.signal + signals.number;
  const locker = createLocker(connection.redis, {
    namespace: options.namespace,
    onEvent: teller(connection),
  });
  try {
    const lock = await obtain(locker, connection, key, program, options, signals);
    if (!lock) return exitCodes.signal + signals.number;
    return await runWith(lock, command, grace, signals);
  } finally {
    signals.stop();
    await locker.close();
    connection.close();
  }
}

function graceOf({ ttl, grace = Math.floor(ttl / 3) }: RunOptions): number {
  // A renewal is due when two thirds are left: a grace above that would end every command.
  if (grace <= ttl / 2) return grace;
  throw new Failure(
    `--grace ${duration(grace)} is more than half of --ttl ${duration(ttl)}: lower it, or raise --ttl`,
    exitCodes.usage,
  );
}

type Signals = ReturnType<typeof onSignals>;

/** Undefined if a signal came first. */
async function connected(options: RunOptions, signals: Signals): Promise<Connection | undefined> {
  try {
    return await connectBy(options, signals.ended);
  } catch (error) {
    signals.stop();
    if (signals.ended.aborted) return undefined;
    throw error;
  }
}

/** Undefined if a signal came first. */
async function obtain(
  locker: Locker,
  connection: Connection,
  key: string,
  program: string,
  options: RunOptions,
  signals: Signals,
): Promise<Lock | undefined> {
  const { wait = Infinity, shared, limit, permits, holdAtLeast } = options;
  const metadata = options.metadata ?? `${basename(program)} on ${hostname()}, pid ${process.pid}`;
  const manner: ObtainOptions = {
    wait: wait === false ? undefined : wait === true ? Infinity : wait,
    mode: shared ? "shared" : undefined,
    renew: true,
    signal: signals.ended,
    limit,
    permits,
    holdAtLeast,
    metadata,
  };
  const silent = sayIfItWaits(locker, connection, key, options.ttl, manner);
  try {
    return await locker.obtain(key, options.ttl, manner);
  } catch (error) {
    if (signals.ended.aborted) return undefined;
    throw failureOf(error, connection);
  } finally {
    silent();
  }
}

/** Tells whoever looks at a terminal why nothing happens, and everybody if it is not that another has it. */
function sayIfItWaits(
  locker: Locker,
  { target }: Connection,
  key: string,
  ttl: number,
  { wait, mode, limit, permits, metadata }: ObtainOptions,
): () => void {
  if (wait === undefined) return () => {};
  let over = false;
  const why = async (): Promise<string> => {
    try {
      const { holder, waiters, line } = await locker.inspect(key);
      const isInLine = waiters > line.length || line.some((one) => one.metadata === metadata);
      // Who is not let into the line is refused, as by a replica. A try is told why.
      if (!isInLine) await (await locker.tryObtain(key, ttl, { mode, limit, permits }))?.release();
      if (!stderr.isTTY) return "";
      const who = holder?.metadata ? `, held by ${plain(holder.metadata)}` : "";
      return `${who}, ${count(waiters, "waiter")} in line`;
    } catch (error) {
      return `: ${explain([error], target)}`;
    }
  };
  const say = async (): Promise<void> => {
    const text = await why();
    if (!over && text !== "") complain(`waiting for ${JSON.stringify(key)}${text}`);
  };
  const timer = setTimeout(() => void say(), SAY_AFTER);
  return () => {
    over = true;
    clearTimeout(timer);
  };
}

function failureOf(error: unknown, connection: Connection): unknown {
  if (error instanceof NotObtainedError) {
    return new Failure(whyNot(error), exitCodes.notObtained);
  }
  if (error instanceof TypeError || error instanceof RangeError) {
    return new Failure(error.message, exitCodes.usage);
  }
  if (error instanceof RedisLockError) {
    return new Failure(explain([error], connection.target), exitCodes.redis);
  }
  return error;
}

function whyNot({ key, holder, position }: NotObtainedError): string {
  const not = `${JSON.stringify(key)} not obtained`;
  if (!holder) return `${not}: it is kept for those who stand in line`;
  const left = holder.remaining === Infinity ? "for ever" : `${duration(holder.remaining)} more`;
  const place = position === undefined ? "" : `; our place in line was ${position}`;
  return `${not}: held by ${plain(holder.metadata || "another")}, ${left}${place}`;
}

async function runWith(
  lock: Lock,
  command: readonly string[],
  grace: number,
  signals: Signals,
): Promise<number> {
  const [program = ""] = command;
  const group = new ProcessGroup(command, {
    REDISLOCK_KEY: lock.key,
    REDISLOCK_FENCE: String(lock.fencingToken),
  });
  signals.passOn((signal) => group.send(signal));
  const lease = superviseLease(lock, group, grace, (what) =>
    complain(`the lock ${JSON.stringify(lock.key)} ${what}`),
  );
  const ended = await group.ended;
  await lease.over(ended);
  const lost = lease.failed || !lock.held || (await isGone(lock));
  // What is lost is not ours to release.
  if (lock.held) await lock[Symbol.asyncDispose]();
  if ("error" in ended) return notStarted(program, ended);
  return lost ? exitCodes.lost : codeOf(ended);
}

/** Whether another took it away since the last renewal. What is not known is no loss. */
async function isGone(lock: Lock): Promise<boolean> {
  try {
    return (await lock.ttl()) === 0;
  } catch {
    return false;
  }
}

function notStarted(program: string, { error }: Extract<Ended, { error: unknown }>): number {
  if (error.code === "ENOENT") {
    complain(`${program}: command not found`);
    return exitCodes.notFound;
  }
  complain(`${program}: cannot be executed (${error.code ?? error.message})`);
  return exitCodes.notExecutable;
}

/** Tells what a person or a log should know of, in the words of the errors, which hold no token. */
function teller(connection: Connection): (event: LockEvent) => void {
  let failing = false;
  return (event) => {
    if (event.type === "renewed") failing = false;
    if (event.type === "lost") {
      complain(event.error.message);
    } else if (event.type === "renewalFailed" && !failing) {
      failing = true;
      const left = duration(event.remaining);
      complain(`not renewed, ${left} left: ${explain([event.error], connection.target)}`);
    }
    if (event.type === "releaseFailed" && !(event.error instanceof LockerClosedError)) {
      complain(
        `not released, free when its lease ends: ${explain([event.error], connection.target)}`,
      );
    }
  };
}
