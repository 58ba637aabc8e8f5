import { afterEach, beforeEach, describe, expect, jest, test } from "@jest/globals";

import { ServerError } from "../src/errors.js";
import { staySubscribed, type Listening } from "../src/redis/subscription.js";

/** A connection that does what the test tells it to. */
class Connection {
  readonly #listening: Listening;
  confirm!: () => void;
  refuse!: (reason: unknown) => void;
  readonly confirmed = new Promise<void>((resolve, reject) => {
    this.confirm = resolve;
    this.refuse = reject;
  });

  constructor(listening: Listening) {
    this.#listening = listening;
  }

  get ended(): Promise<unknown> {
    return this.#listening.ended;
  }

  hear(text: string): void {
    this.#listening.message(text);
  }

  end(reason: unknown): void {
    this.#listening.end(reason);
  }
}

let connections: Connection[] = [];
const listen = jest.fn((listening: Listening): Promise<void> => {
  const connection = new Connection(listening);
  connections.push(connection);
  return connection.confirmed;
});
const listener = {
  message: jest.fn(),
  resumed: jest.fn(),
  lost: jest.fn<(error: unknown) => void>(),
};

beforeEach(() => {
  // The longest of all possible pauses.
  jest.spyOn(Math, "random").mockReturnValue(1);
  jest.useFakeTimers();
});

afterEach(() => {
  jest.useRealTimers();
  jest.restoreAllMocks();
  listen.mockClear();
  listener.message.mockClear();
  listener.resumed.mockClear();
  listener.lost.mockClear();
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

  test("is refused with a ServerError if that is what the server answered with", async () => {
    const subscription = staySubscribed(listen, listener);
    last().refuse(new Error("NOPERM this user may not"));
    await expect(subscription).rejects.toBeInstanceOf(ServerError);
    await expect(subscription).rejects.toMatchObject({ reply: "NOPERM" });
  });

  test("must not be impossible", async () => {
    const nowhere = new Error("no node is known");
    listen.mockImplementationOnce(() => {
      throw nowhere;
    });
    await expect(staySubscribed(listen, listener)).rejects.toBe(nowhere);
    expect(jest.getTimerCount()).toBe(0);
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

describe("messages", () => {
  test("are passed on, also before the confirmation is", async () => {
    const subscription = staySubscribed(listen, listener);
    last().hear("one");
    last().confirm();
    await subscription;
    last().hear("two");
    expect(listener.message.mock.calls).toEqual([["one"], ["two"]]);
  });

  test("are heard on the new connection after a loss, not on the lost one", async () => {
    await subscribed();
    const [lost] = connections;
    lost?.end(new Error("lost"));
    lost?.hear("too late");
    await jest.advanceTimersByTimeAsync(50);
    last().confirm();
    await jest.advanceTimersByTimeAsync(0);
    lost?.hear("far too late");
    last().hear("one");
    expect(listener.message.mock.calls).toEqual([["one"]]);
  });

  test("are not heard once the subscription was closed, nor if there never was one", async () => {
    const subscription = await subscribed();
    await subscription.close();
    last().hear("one");
    const refused = expect(staySubscribed(listen, listener)).rejects.toThrow("refused");
    last().refuse(new Error("refused"));
    await refused;
    last().hear("two");
    expect(listener.message).not.toHaveBeenCalled();
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

describe("an outage is told of", () => {
  const refusal = new Error("WRONGPASS invalid username-password pair");

  async function failToReplace(pause: number, reason: unknown): Promise<void> {
    await jest.advanceTimersByTimeAsync(pause);
    last().end(reason);
    await jest.advanceTimersByTimeAsync(0);
  }

  test("when the first attempt to end it has failed, once, with what Redis said", async () => {
    await subscribed();
    last().end(new Error("lost"));
    await jest.advanceTimersByTimeAsync(49);
    expect(listener.lost).not.toHaveBeenCalled();
    await failToReplace(1, refusal);
    expect(listener.lost).toHaveBeenCalledTimes(1);
    expect(listener.lost.mock.calls[0]?.[0]).toBeInstanceOf(ServerError);
    expect(listener.lost.mock.calls[0]?.[0]).toMatchObject({ reply: "WRONGPASS" });
    for (const pause of [100, 200, 400]) await failToReplace(pause, refusal);
    expect(listener.lost).toHaveBeenCalledTimes(1);
    expect(listener.resumed).not.toHaveBeenCalled();
  });

  test("when there is nothing to connect to", async () => {
    await subscribed();
    const nowhere = new Error("no node is known");
    last().end(new Error("lost"));
    listen.mockImplementationOnce(() => {
      throw nowhere;
    });
    await jest.advanceTimersByTimeAsync(50);
    expect(listener.lost).toHaveBeenCalledWith(nowhere);
  });

  test("when the first attempt gets no answer", async () => {
    await subscribed();
    last().end(new Error("lost"));
    await jest.advanceTimersByTimeAsync(50 + 9_999);
    expect(listener.lost).not.toHaveBeenCalled();
    await jest.advanceTimersByTimeAsync(1);
    expect(listener.lost).toHaveBeenCalledTimes(1);
  });

  test("not if the first attempt ends it: `resumed` says so", async () => {
    await subscribed();
    last().end(new Error("lost"));
    await jest.advanceTimersByTimeAsync(50);
    last().confirm();
    await jest.advanceTimersByTimeAsync(0);
    expect(listener.lost).not.toHaveBeenCalled();
    expect(listener.resumed).toHaveBeenCalledTimes(1);
  });

  test("as is the next one", async () => {
    await subscribed();
    for (const outage of [1, 2]) {
      last().end(new Error("lost"));
      await failToReplace(50, refusal);
      expect(listener.lost).toHaveBeenCalledTimes(outage);
      await jest.advanceTimersByTimeAsync(100);
      last().confirm();
      await jest.advanceTimersByTimeAsync(0);
      expect(listener.resumed).toHaveBeenCalledTimes(outage);
    }
  });

  test("not once it was closed", async () => {
    const subscription = await subscribed();
    last().end(new Error("lost"));
    await jest.advanceTimersByTimeAsync(50);
    await subscription.close();
    await jest.advanceTimersByTimeAsync(60_000);
    expect(listener.lost).not.toHaveBeenCalled();
  });

  test("to whoever wants to hear it", async () => {
    const silent = { message: jest.fn(), resumed: jest.fn() };
    const subscription = staySubscribed(listen, silent);
    last().confirm();
    await subscription;
    last().end(new Error("lost"));
    await failToReplace(50, refusal);
    await jest.advanceTimersByTimeAsync(100);
    last().confirm();
    await jest.advanceTimersByTimeAsync(0);
    expect(silent.resumed).toHaveBeenCalledTimes(1);
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
