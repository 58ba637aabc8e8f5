import { type Reply } from "@redislock/core";
import { scripts, ServerError, toReply } from "@redislock/core/adapter";
import { connect, RespError, startServer } from "@redislock/test-kit";

import { MemoryServer } from "../../src/index.js";
import type { Answer, Observation } from "./observation.js";
import { HEARD_CHANNEL, oneByOne, type Operation } from "./operations.js";

/** A server that can be tried out. */
export interface Subject {
  /** What an empty one does, asked for these operations one after the other. */
  observe(operations: readonly Operation[]): Promise<Observation>;
  stop(): Promise<void>;
}

export function memorySubject(): Subject {
  return {
    async observe(operations) {
      // A millisecond apart: at what was forgotten, two fencing tokens must not be equal by coincidence.
      const server = new MemoryServer();
      const messages: string[] = [];
      server.subscribe(HEARD_CHANNEL, (message) => messages.push(message));
      const answers = operations.map((operation) =>
        orError(() => {
          server.moveClock(1);
          if (operation.kind === "command") return server.command(...operation.command);
          const { script, keys, args } = operation;
          return server.run(scripts[script], keys, args);
        }),
      );
      return { answers, messages };
    },
    stop: () => Promise.resolve(),
  };
}

function orError(ask: () => Reply): Answer {
  try {
    return ask();
  } catch (error) {
    if (error instanceof ServerError) return { error: error.reply };
    throw error;
  }
}

export async function redisSubject(): Promise<Subject> {
  const server = await startServer();
  const connection = await connect(server.port);
  const listening = await connect(server.port);
  let messages: string[] = [];
  let atEnd = (): void => undefined;
  await listening.subscribe(HEARD_CHANNEL, (message) => {
    if (message === "end") atEnd();
    else messages.push(message);
  });

  const ask = async (...command: readonly string[]): Promise<Answer> => {
    try {
      return toReply(await connection.send(...command));
    } catch (error) {
      if (error instanceof RespError) return { error: error.code };
      throw error;
    }
  };
  return {
    // Sent all at once: the answers come in order, and one by one they would take too long.
    async observe(operations) {
      messages = [];
      const end = new Promise<void>((resolve) => (atEnd = resolve));
      const flushed = ask("FLUSHALL");
      const answers = operations.map((operation) => ask(...commandOf(operation)));
      await ask("PUBLISH", HEARD_CHANNEL, "end");
      await Promise.all([flushed, end]);
      return { answers: await Promise.all(answers), messages };
    },
    async stop() {
      await Promise.all([connection.close(), listening.close()]);
      await server.stop();
    },
  };
}

/** A server that is sent one by one what other servers are sent as commands for many. */
export async function redisOneByOne(): Promise<Subject> {
  const redis = await redisSubject();
  return {
    async observe(operations) {
      const { answers, messages } = await redis.observe(operations.flatMap(oneByOne));
      const left = answers.values();
      const next = (): Answer => left.next().value ?? null;
      return {
        answers: operations.map((operation) => {
          const parts = oneByOne(operation);
          const [first] = parts;
          if (first === operation) return next();
          // Of what is refused to one, a command for many says that it must be sent alone.
          return parts.map(next).map((answer) => (isError(answer) ? "alone" : answer));
        }),
        messages,
      };
    },
    stop: () => redis.stop(),
  };
}

function isError(answer: Answer): boolean {
  return typeof answer === "object" && answer !== null && "error" in answer;
}

function commandOf(operation: Operation): readonly string[] {
  if (operation.kind === "command") return operation.command;
  const { script, keys, args } = operation;
  return ["EVAL", scripts[script].source, String(keys.length), ...keys, ...args];
}
