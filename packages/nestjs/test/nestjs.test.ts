/** In running Nest applications, with the lock's scripts in memory. */
import "reflect-metadata";
import { afterEach, describe, expect, jest, test } from "@jest/globals";
import { Controller, Get, Injectable, Module, type ModuleMetadata, Param } from "@nestjs/common";
import { NestFactory } from "@nestjs/core";
import { Cron, ScheduleModule, SchedulerRegistry } from "@nestjs/schedule";
import {
  createLocker,
  Locker,
  type MemoryClient,
  memoryClient,
  MemoryServer,
  NotObtainedError,
} from "@redislock/testing";

import {
  currentLock,
  getLockerToken,
  InjectLocker,
  Locked,
  LockerHealth,
  RedislockModule,
} from "../src/index.js";

interface Gate {
  readonly opened: Promise<void>;
  readonly open: () => void;
}

function gate(): Gate {
  let open = (): void => {};
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { opened, open };
}

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  await Promise.all(closers.splice(0).map((close) => close()));
});

async function start(metadata: ModuleMetadata) {
  @Module(metadata)
  class App {}
  // Nest's options are a class of which nobody makes instances.
  // eslint-disable-next-line @typescript-eslint/no-unsafe-class-instance-assignment
  const app = await NestFactory.create(App, { logger: false, abortOnError: false });
  await app.init();
  closers.push(() => app.close());
  return app;
}

let ran: string[] = [];
let entered = gate();
let leave = gate();
afterEach(() => {
  ran = [];
  entered = gate();
  leave = gate();
});

@Injectable()
class Orders {
  readonly greeting: string = "paid";

  @Locked((id: string) => `order:${id}`, 10_000)
  async pay(id: string, amount: number): Promise<string> {
    ran.push(id);
    entered.open();
    await leave.opened;
    return `${this.greeting} ${id} ${amount}`;
  }

  @Locked("outer", 10_000)
  async outer(): Promise<readonly string[]> {
    return [currentLock().key, await this.inner(), currentLock().key];
  }

  @Locked("inner", 10_000)
  async inner(): Promise<string> {
    return currentLock().key;
  }

  @Locked("slots", 10_000, { limit: 2 })
  async slot(): Promise<void> {
    ran.push("slot");
    await leave.opened;
  }

  @Locked("other", 10_000, { locker: "second" })
  async second(): Promise<void> {}

  @Locked("until-told", 10_000)
  async untilTold(): Promise<unknown> {
    const { signal } = currentLock();
    entered.open();
    if (!signal.aborted) {
      await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
    }
    ran.push("told");
    // It has time to put things in order.
    await new Promise((resolve) => setTimeout(resolve, 20));
    if (currentLock().held) ran.push("done");
    return signal.reason;
  }
}

@Injectable()
class Payments {
  readonly kind = "payment";

  // The key is made with this, as the method is called.
  @Locked(
    function (this: Payments, id: string) {
      return `${this.kind}:${id}`;
    },
    12_345,
    { ifNotObtained: "skip" },
  )
  async pay(id: string, fail?: Error): Promise<string | undefined> {
    ran.push(id);
    if (fail !== undefined) throw fail;
    const { key, remaining } = currentLock();
    return `${key} ${remaining > 12_000 && remaining <= 12_345}`;
  }
}

@Injectable()
class Jobs {
  @Locked("nightly", 10_000, { ifNotObtained: "skip", holdAtLeast: 60_000 })
  @Cron("0 3 * * *", { name: "nightly", disabled: true })
  async nightly(): Promise<void> {
    ran.push("nightly");
  }
}

@Injectable()
class Subclass extends Orders {
  override readonly greeting: string = "settled";
}

@Controller()
class Routes {
  @Get("above/:id")
  @Locked((id: string) => `route:${id}`, 10_000)
  async above(@Param("id") id: string): Promise<string> {
    return `${currentLock().key} ${id}`;
  }

  @Locked((id: string) => `route:${id}`, 10_000)
  @Get("below/:id")
  async below(@Param("id") id: string): Promise<string> {
    return `${currentLock().key} ${id}`;
  }
}

function appOn(client: MemoryClient, more: ModuleMetadata = {}) {
  return start({
    imports: [
      RedislockModule.forRoot({ locker: createLocker(client) }),
      RedislockModule.forRoot({ locker: () => createLocker(), name: "second" }),
      ...(more.imports ?? []),
    ],
    providers: [Orders, Subclass, ...(more.providers ?? [])],
    controllers: more.controllers ?? [],
  });
}

describe("@Locked", () => {
  test("methods of two applications exclude each other, with this and the arguments as ever", async () => {
    const server = new MemoryServer();
    const [here, there] = [await appOn(memoryClient(server)), await appOn(memoryClient(server))];
    const paying = here.get(Orders).pay("7", 5);
    await entered.opened;
    await expect(there.get(Orders).pay("7", 5)).rejects.toMatchObject({ code: "NOT_OBTAINED" });
    leave.open();
    await expect(paying).resolves.toBe("paid 7 5");
    await expect(there.get(Subclass).pay("7", 6)).resolves.toBe("settled 7 6");
    expect(ran).toEqual(["7", "7"]);
  });

  test.each(["above", "below"])("a route %s it stays a route", async (path) => {
    const app = await appOn(memoryClient(), { controllers: [Routes] });
    await app.listen(0, "127.0.0.1");
    const response = await fetch(`${await app.getUrl()}/${path}/7`);
    expect(await response.text()).toBe("route:7 7");
  });

  test("name and length are those of the method", () => {
    const { name, length } = Reflect.get(Orders.prototype, "pay");
    expect([name, length]).toEqual(["pay", 2]);
  });

  test("of three applications whose cron fires, one does the job", async () => {
    const server = new MemoryServer();
    for (let machine = 0; machine < 3; machine++) {
      const imports = [ScheduleModule.forRoot()];
      const app = await appOn(memoryClient(server), { imports, providers: [Jobs] });
      await app.get(SchedulerRegistry).getCronJob("nightly").fireOnTick();
      await app.get(Jobs).nightly();
    }
    expect(ran).toEqual(["nightly"]);
  });

  test("the key is made with this, and the ttl is that which was asked for", async () => {
    const app = await appOn(memoryClient(), { providers: [Payments] });
    await expect(app.get(Payments).pay("7")).resolves.toBe("payment:7 true");
  });

  test("what is skipped is a call that does not get the lock, and no other trouble", async () => {
    const client = memoryClient();
    const app = await appOn(client, { providers: [Payments] });
    const locker: Locker = app.get(getLockerToken());

    const holder = await locker.obtain("payment:7", 10_000);
    await expect(app.get(Payments).pay("7")).resolves.toBe(undefined);
    await holder.release();

    client.refuseNext("NOPERM not for you");
    await expect(app.get(Payments).pay("7")).rejects.toMatchObject({ code: "REFUSED" });
    expect(ran).toEqual([]);

    // Another lock that the method itself did not get.
    await using _ = await locker.obtain("other", 10_000);
    const other = new NotObtainedError(["other"], {
      holder: undefined,
      waited: 0,
      attempts: 1,
    });
    await expect(app.get(Payments).pay("7", other)).rejects.toBe(other);
  });

  test("a limit lets in so many", async () => {
    const app = await appOn(memoryClient());
    const calls = [1, 2, 3].map(() => app.get(Orders).slot());
    await expect(Promise.race(calls)).rejects.toMatchObject({ code: "NOT_OBTAINED" });
    leave.open();
    await Promise.allSettled(calls);
    expect(ran).toEqual(["slot", "slot"]);
  });

  test("goes by the locker that it names", async () => {
    const app = await appOn(memoryClient());
    const second: Locker = app.get(getLockerToken("second"));
    await using _ = await second.obtain("other", 10_000);
    await expect(app.get(Orders).second()).rejects.toMatchObject({ code: "NOT_OBTAINED" });
  });

  test("on an object that Nest did not make, says what is missing", async () => {
    await expect(new Orders().pay("7", 5)).rejects.toThrow("Orders.pay is @Locked, but");
  });

  test("without the module, the application does not start", async () => {
    await expect(start({ providers: [Orders] })).rejects.toThrow("redislock.Locker");
  });
});

describe("currentLock", () => {
  test("is the innermost", async () => {
    const app = await appOn(memoryClient());
    await expect(app.get(Orders).outer()).resolves.toEqual(["outer", "inner", "outer"]);
  });

  test("is one, also where the package was loaded twice", async () => {
    jest.resetModules();
    const copy = await import("../src/current-lock.js");
    expect(copy.currentLock).not.toBe(currentLock);

    @Injectable()
    class Users {
      @Locked("user", 10_000)
      async key(): Promise<string> {
        return copy.currentLock().key;
      }
    }
    const app = await appOn(memoryClient(), { providers: [Users] });
    await expect(app.get(Users).key()).resolves.toBe("user");
  });

  test("throws outside", () => {
    expect(currentLock).toThrow("there is no current lock");
  });

  test("aborts when the lock is lost, and the call rejects", async () => {
    const client = memoryClient();
    const app = await appOn(client);
    const call = app.get(Orders).untilTold();
    await entered.opened;
    client.takeAway("until-told");
    await expect(call).rejects.toMatchObject({ code: "LOST" });
    expect(ran).toEqual(["told"]);
  });
});

describe("RedislockModule", () => {
  test("at shutdown, tells who holds a lock and waits for it", async () => {
    const app = await appOn(memoryClient());
    const call = app.get(Orders).untilTold();
    await entered.opened;
    await app.close();
    expect(ran).toEqual(["told", "done"]);
    await expect(call).resolves.toMatchObject({ code: "CLOSED" });
  });

  test("with grace: false, leaves the locker open", async () => {
    const locker = createLocker();
    const app = await start({ imports: [RedislockModule.forRoot({ locker, grace: false })] });
    await app.close();
    await expect(locker.obtain("key", 10_000)).resolves.toMatchObject({ held: true });
  });

  test("forRootAsync makes a locker of what it injects", async () => {
    const client = memoryClient();
    @Module({ providers: [{ provide: "CLIENT", useValue: client }], exports: ["CLIENT"] })
    class Clients {}
    @Injectable()
    class User {
      readonly locker: Locker;
      constructor(@InjectLocker("orders") locker: Locker) {
        this.locker = locker;
      }
    }
    const imports = [
      RedislockModule.forRootAsync({
        name: "orders",
        imports: [Clients],
        inject: ["CLIENT"],
        useFactory: async (given: MemoryClient) => ({ locker: createLocker(given) }),
      }),
    ];
    const app = await start({ imports, providers: [User] });
    await using _ = await app.get(User).locker.obtain("key", 10_000);
    expect((await createLocker(client).inspect("key")).holders).toHaveLength(1);
  });

  test("gives its locker to every module, or with global: false to those that import it", async () => {
    @Injectable()
    class User {
      readonly locker: Locker;
      constructor(@InjectLocker() locker: Locker) {
        this.locker = locker;
      }
    }
    @Module({ providers: [User] })
    class Elsewhere {}

    const locker = createLocker();
    const everywhere = [RedislockModule.forRoot({ locker }), Elsewhere];
    expect((await start({ imports: everywhere })).get(User).locker).toBe(locker);
    const here = [RedislockModule.forRoot({ locker, global: false }), Elsewhere];
    await expect(start({ imports: here })).rejects.toThrow("redislock.Locker");
  });

  test("imported bare, says what to import", async () => {
    await expect(start({ imports: [RedislockModule] })).rejects.toThrow("RedislockModule.forRoot");
  });
});

test("LockerHealth tells up and down", async () => {
  const client = memoryClient();
  const app = await appOn(client);
  const health = app.get(LockerHealth);
  await expect(health.isHealthy("locks")).resolves.toEqual({ locks: { status: "up" } });
  const broken = new Locker({ run: () => Promise.reject(new Error("gone")) });
  const imports = [RedislockModule.forRoot({ locker: broken, name: "broken" })];
  const bad = await appOn(client, { imports });
  await expect(
    bad.get(LockerHealth).isHealthy("locks", { locker: "broken" }),
  ).resolves.toMatchObject({ locks: { status: "down" } });
  client.close();
  await expect(health.isHealthy("locks")).resolves.toEqual({
    locks: { status: "down", message: expect.stringContaining("client is closed") },
  });
});

describe("bad input", () => {
  // What no TypeScript would let through, as JavaScript may say it.
  const locked = (...args: unknown[]): unknown => Reflect.apply(Locked, undefined, args);
  test.each([
    ["key", TypeError, [7, 10_000]],
    ["ttl", RangeError, ["key", 1]],
    ["ttl", TypeError, ["key", "1s"]],
    ['options has no "wiat"', TypeError, ["key", 10_000, { wiat: 1 }]],
    ["wait", RangeError, ["key", 10_000, { wait: -1 }]],
    ["limit", RangeError, ["key", 10_000, { limit: 0 }]],
    ["permits", RangeError, ["key", 10_000, { limit: 2, permits: 3 }]],
    ["permits need a limit", TypeError, ["key", 10_000, { permits: 1 }]],
    ["mode and limit", TypeError, ["key", 10_000, { mode: "shared", limit: 2 }]],
    ["retry and wait", TypeError, ["key", 10_000, { retry: [1], wait: 1 }]],
    ["mode", TypeError, ["key", 10_000, { mode: "both" }]],
    ["ifNotObtained", TypeError, ["key", 10_000, { ifNotObtained: "ignore" }]],
    ["name", TypeError, ["key", 10_000, { locker: 7 }]],
  ])("%s: a %p", (message, kind, args) => {
    expect(() => locked(...args)).toThrow(kind);
    expect(() => locked(...args)).toThrow(message);
  });

  test("a static method has no object that Nest could give a locker", () => {
    const decorate = Locked("key", 10_000);
    expect(() => decorate(Orders, "made", { value: async () => {} })).toThrow(
      "@Locked is for methods of instances, which made is not",
    );
  });

  test("a probe that is no key is no trouble with Redis", async () => {
    const app = await appOn(memoryClient());
    const health = app.get(LockerHealth);
    await expect(health.isHealthy("locks", { probe: "" })).rejects.toThrow(RangeError);
    const untyped: { isHealthy(...args: unknown[]): Promise<unknown> } = health;
    await expect(untyped.isHealthy("locks", { probe: 7 })).rejects.toThrow("must be a string");
  });

  test.each([
    ["options", undefined],
    ["locker", {}],
    ["grace", { locker: createLocker(), grace: "1s" }],
    ["global", { locker: createLocker(), global: 1 }],
    ["name", { locker: createLocker(), name: "" }],
  ])("%s of the module", (message, options) => {
    // @ts-expect-error none of these is right
    expect(() => RedislockModule.forRoot(options)).toThrow(message);
  });
});

test("what does not fit the method does not compile", () => {
  class Misfits {
    // @ts-expect-error the key takes a number, the method a text
    @Locked((id: number) => `order:${id}`, 10_000)
    async pay(id: string): Promise<string> {
      return id;
    }

    // @ts-expect-error a skipped call resolves with undefined, which is no text
    @Locked("key", 10_000, { ifNotObtained: "skip" })
    async skipped(): Promise<string> {
      return "";
    }

    // @ts-expect-error a locked method is asynchronous
    @Locked("key", 10_000)
    sync(): string {
      return "";
    }

    @Locked("key", 10_000, { ifNotObtained: "skip" })
    async fits(): Promise<string | undefined> {
      return undefined;
    }
  }
  expect(Misfits).toBeDefined();
});
