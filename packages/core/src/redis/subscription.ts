import type { ChannelListener, Subscription } from "./client.js";
import { asServerError } from "./run-script.js";
import { systemClock } from "../time/clock.js";

/** Milliseconds for a connection to be open and subscribed. */
const PATIENCE = 10_000;
/** Milliseconds before a lost connection is replaced: twice as many after each failure. */
const FIRST_PAUSE = 50;
const LAST_PAUSE = 5_000;

/** A connection that was opened to listen to one channel, and dies when it is lost. */
export interface Listening {
  /** Resolves when the server has confirmed the subscription, rejects when it refused. */
  readonly confirmed: Promise<unknown>;
  /** Resolves with the reason as soon as the connection is lost or was ended. */
  readonly ended: Promise<unknown>;
  /** Ends the connection. */
  readonly end: (reason: unknown) => void;
}

/**
 * For the `subscribe` of an adapter: listens, and when the connection is lost, listens again on a new
 * one, until it is closed. The first connection must succeed. No timer of it keeps the process alive.
 *
 * @param listen - Opens a connection that listens. It should neither reconnect by itself nor keep the
 *   process alive.
 */
export async function staySubscribed(
  listen: () => Listening,
  listener: Pick<ChannelListener, "resumed" | "lost">,
): Promise<Subscription> {
  let closed = false;
  let current = listen();
  await confirmation(current);
  void replaceWhenLost();
  return {
    close() {
      closed = true;
      current.end(new Error("The subscription was closed"));
      return Promise.resolve();
    },
  };

  async function replaceWhenLost(): Promise<void> {
    for (let failures = 0; ;) {
      await current.ended;
      await pause(failures);
      if (closed) return;
      try {
        current = listen();
        await confirmation(current);
      } catch (error) {
        // A loss that the first new connection mends is no news: `resumed` says all of it.
        if (failures++ === 0 && !closed) listener.lost?.(asServerError(error));
        continue;
      }
      failures = 0;
      if (!closed) listener.resumed();
    }
  }
}

async function confirmation({ confirmed, ended, end }: Listening): Promise<void> {
  const forget = systemClock.after(PATIENCE, () => {
    end(new Error(`Not subscribed in ${PATIENCE} ms`));
  });
  try {
    await Promise.race([confirmed, ended.then(fail)]);
  } catch (error) {
    end(error);
    throw error;
  } finally {
    forget.cancel();
  }
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
