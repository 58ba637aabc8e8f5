import { afterEach, beforeEach, describe, expect, jest, test } from "@jest/globals";

import { staySubscribed, type Listening } from "../src/redis/subscription.js";

/** A connection that does what the test tells it to. */
class Connection implements Listening {
  confirm!: () => void;
  refuse!: (reason: unknown) => void;
  end!: (reason: unknown) => void;
  readonly confirmed = new Promise<void>((resolve, reject) => {
    this.confirm = resolve;
    this.refuse = reject;
  });
  readonly ended = new Promise<unknown>((resolve) => {
    this.end = resolve;
  });
}

let connections: Connection[] = [];
const listen = jest.fn((): Listening => {
  const connection = new Connection();
  connections.push(connection);
  return connection;
});
const listener = { resumed: jest.fn() };

beforeEach(() => {
  // The longest of all possible pauses.
  jest.spyOn(Math, "random").mockReturnValue(1);
  jest.useFakeTimers();
});

afterEach(() => {
  jest.useRealTimers();
  jest.restoreAllMocks();
  listen.mockClear();
  listener.resumed.mockClear();
  connections = [];
});

function last(): Connection {
  const connection = connections.at(-1);
  if (connection === undefined) throw new Error("there is no connection");
  return connection;
}

async function subscribed(): ReturnType<typeof staySubscribed> {
  const subscription = staySubscribed(listen, listener);
  last().confirm();
  return subscription;
}

describe("the first connection", () => {
  test("gets ten seconds", async () => {
    const subscription = staySubscribed(listen, listener);
    const rejection = expect(subscription).rejects.toThrow("Not subscribed in 10000 ms");
    await jest.advanceTimersByTimeAsync(10_000);
    await rejection;
    await expect(last().ended).resolves.toMatchObject({ message: "Not subscribed in 10000 ms" });
    expect(jest.getTimerCount()).toBe(0);
  });

  test("must succeed, and is ended otherwise", async () => {
    const subscription = staySubscribed(listen, listener);
    const refusal = new Error("refused");
    last().refuse(refusal);
    await expect(subscription).rejects.toBe(refusal);
    await expect(last().ended).resolves.toBe(refusal);
    expect(jest.getTimerCount()).toBe(0);
    expect(listen).toHaveBeenCalledTimes(1);
  });

  test("must not be lost before it is confirmed", async () => {
    const subscription = staySubscribed(listen, listener);
    const loss = new Error("lost");
    last().end(loss);
    await expect(subscription).rejects.toBe(loss);
  });

  test("leaves no timer when it is confirmed", async () => {
    await subscribed();
    expect(jest.getTimerCount()).toBe(0);
  });
});

describe("a lost connection is replaced", () => {
  test("after pauses that get longer, up to five seconds", async () => {
    await subscribed();
    for (const pause of [50, 100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000]) {
      last().end(new Error("lost"));
      listen.mockClear();
      await jest.advanceTimersByTimeAsync(pause - 1);
      expect(listen).not.toHaveBeenCalled();
      await jest.advanceTimersByTimeAsync(1);
      expect(listen).toHaveBeenCalledTimes(1);
    }
    expect(listener.resumed).not.toHaveBeenCalled();
  });

  test("after no less than half the pause, so that not all processes come at once", async () => {
    jest.spyOn(Math, "random").mockReturnValue(0);
    await subscribed();
    last().end(new Error("lost"));
    listen.mockClear();
    await jest.advanceTimersByTimeAsync(24);
    expect(listen).not.toHaveBeenCalled();
    await jest.advanceTimersByTimeAsync(1);
    expect(listen).toHaveBeenCalledTimes(1);
  });

  test("and the listener told once the new one is confirmed", async () => {
    await subscribed();
    last().end(new Error("lost"));
    await jest.advanceTimersByTimeAsync(50);
    expect(listener.resumed).not.toHaveBeenCalled();
    last().confirm();
    await jest.advanceTimersByTimeAsync(0);
    expect(listener.resumed).toHaveBeenCalledTimes(1);
  });

  test("with short pauses again after a success", async () => {
    await subscribed();
    for (const pause of [50, 100, 200]) {
      last().end(new Error("lost"));
      await jest.advanceTimersByTimeAsync(pause);
    }
    last().confirm();
    await jest.advanceTimersByTimeAsync(0);
    last().end(new Error("lost"));
    listen.mockClear();
    await jest.advanceTimersByTimeAsync(50);
    expect(listen).toHaveBeenCalledTimes(1);
  });

  test("when it is not confirmed in ten seconds", async () => {
    await subscribed();
    last().end(new Error("lost"));
    await jest.advanceTimersByTimeAsync(50);
    listen.mockClear();
    await jest.advanceTimersByTimeAsync(10_000 + 100);
    expect(listen).toHaveBeenCalledTimes(1);
  });

  test("even when there is nothing to connect to for a while", async () => {
    await subscribed();
    last().end(new Error("lost"));
    listen.mockImplementationOnce(() => {
      throw new Error("no node is known");
    });
    await jest.advanceTimersByTimeAsync(50);
    await jest.advanceTimersByTimeAsync(100);
    last().confirm();
    await jest.advanceTimersByTimeAsync(0);
    expect(listener.resumed).toHaveBeenCalledTimes(1);
  });
});

describe("close", () => {
  test("ends the connection for good", async () => {
    const subscription = await subscribed();
    await subscription.close();
    await expect(last().ended).resolves.toBeInstanceOf(Error);
    await jest.advanceTimersByTimeAsync(60_000);
    expect(listen).toHaveBeenCalledTimes(1);
  });

  test("during a pause is the end of it", async () => {
    const subscription = await subscribed();
    last().end(new Error("lost"));
    await jest.advanceTimersByTimeAsync(20);
    await subscription.close();
    await jest.advanceTimersByTimeAsync(60_000);
    expect(listen).toHaveBeenCalledTimes(1);
  });

  test("while a new connection is not confirmed ends that one, and says nothing", async () => {
    const subscription = await subscribed();
    last().end(new Error("lost"));
    await jest.advanceTimersByTimeAsync(50);
    last().confirm();
    await subscription.close();
    await expect(last().ended).resolves.toBeInstanceOf(Error);
    await jest.advanceTimersByTimeAsync(60_000);
    expect(listener.resumed).not.toHaveBeenCalled();
    expect(listen).toHaveBeenCalledTimes(2);
  });
});
