import { type ChannelListener, type Life, newLife, type Subscription } from "./client.js";
import { asServerError } from "./run-script.js";
import { systemClock } from "../time/clock.js";

/** Milliseconds for a connection to be open and subscribed. */
const PATIENCE = 10_000;
/** Milliseconds before a lost connection is replaced: twice as many after each failure. */
const FIRST_PAUSE = 50;
const LAST_PAUSE = 5_000;

/** The life of one connection that listens to one channel. Its functions can be handed on as they are. */
export interface Listening extends Life {
  /** Passes on a message. What a client still reads after the end is heard by nobody. */
  readonly message: (text: string) => void;
}

/**
 * For the `subscribe` of an adapter: listens, and when the connection is lost, listens again on a new
 * one, until it is closed. The first connection must succeed. No timer of it keeps the process alive.
 *
 * @param listen - Opens a connection that listens. Resolves when the server has confirmed it, rejects when
 *   it refused. The connection should neither reconnect by itself nor keep the process alive.
 * @example
 * const subscribe: RedisClient["subscribe"] = (channel, listener) =>
 *   staySubscribed(async ({ message, end, ended }) => {
 *     const connection = redis.duplicate({ reconnect: false });
 *     connection.on("close", end);
 *     void ended.then(() => connection.close());
 *     await connection.subscribe(channel, message);
 *   }, listener);
 * @throws ServerError for an error that the server answered with; the client's own error for all else.
 */
export async function staySubscribed(
  listen: (listening: Listening) => Promise<unknown>,
  listener: ChannelListener,
): Promise<Subscription> {
  let closed = false;
  let current = newListening(listener);
  await open();
  void replaceWhenLost();
  return {
    close() {
      closed = true;
      current.end(new Error("The subscription was closed"));
      return Promise.resolve();
    },
  };

  async function open(): Promise<void> {
    const { end, ended } = current;
    const forget = systemClock.after(PATIENCE, () => {
      end(new Error(`Not subscribed in ${PATIENCE} ms`));
    });
    try {
      await Promise.race([listen(current), ended.then(fail)]);
    } catch (error) {
      end(error);
      throw asServerError(error);
    } finally {
      forget.cancel();
    }
  }

  async function replaceWhenLost(): Promise<void> {
    for (let failures = 0; ;) {
      await current.ended;
      await pause(failures);
      if (closed) return;
      current = newListening(listener);
      try {
        await open();
      } catch (error) {
        // A loss that the first new connection mends is no news: `resumed` says all of it.
        if (failures++ === 0 && !closed) listener.lost?.(error);
        continue;
      }
      failures = 0;
      if (!closed) listener.resumed();
    }
  }
}

function newListening(listener: ChannelListener): Listening {
  let listening = true;
  const life = newLife();
  return {
    message: (text) => {
      if (listening) listener.message(text);
    },
    end: (reason) => {
      listening = false;
      life.end(reason);
    },
    ended: life.ended,
  };
}

/** At random between half and all of the time, for the connections of all processes are lost at once. */
function pause(failures: number): Promise<void> {
  const longest = Math.min(FIRST_PAUSE * 2 ** failures, LAST_PAUSE);
  return new Promise((resolve) => {
    systemClock.after(longest * (0.5 + 0.5 * Math.random()), resolve);
  });
}

function fail(reason: unknown): never {
  throw reason;
}
