/** That an adapter's own `createLocker` makes a locker that works. */
import { afterEach, describe, expect, test } from "@jest/globals";

import { failure } from "../promises/failure.js";
import type { ProxiedServer } from "../proxy/proxied-server.js";

interface AdapterLocker {
  obtain(
    key: string,
    ttl: number,
    options?: { readonly wait: number },
  ): Promise<{ release(): Promise<void> }>;
  close(): Promise<void>;
}

/** A kind of client. */
export interface LockerKind {
  readonly name: string;
  /** Connects a client and makes a locker over it; `isOpen` tells whether the client still works. */
  readonly connect: (port: number) => Promise<{
    readonly locker: AdapterLocker;
    readonly isOpen: () => Promise<boolean>;
  }>;
  /** What the client puts before a key. */
  readonly keyPrefix: string;
}

/** @param closeClients - Closes what the kinds have connected. */
export function lockerTests(
  { server, proxy }: ProxiedServer,
  kinds: readonly LockerKind[],
  closeClients: () => void,
): void {
  afterEach(closeClients);

  describe.each(kinds)("$name", ({ connect, keyPrefix }) => {
    test("a locker takes a lock and gives it back, by one command each", async () => {
      const { locker, isOpen } = await connect(proxy.port);
      await (await locker.obtain("warm up", 5_000)).release();

      proxy.commands.clear();
      const lock = await locker.obtain("key", 5_000);
      await expect(server.command("EXISTS", `${keyPrefix}key`)).resolves.toBe(1);
      expect(await failure(locker.obtain("key", 5_000))).toMatchObject({ code: "NOT_OBTAINED" });
      await lock.release();
      await expect(server.command("EXISTS", `${keyPrefix}key`)).resolves.toBe(0);
      expect(proxy.commands.all.map(([name]) => name)).toEqual(["EVALSHA", "EVALSHA", "EVALSHA"]);

      await locker.close();
      await expect(isOpen()).resolves.toBe(true);
    });

    test("waiters are told", async () => {
      const { locker } = await connect(proxy.port);
      const lock = await locker.obtain("key", 60_000);
      proxy.commands.clear();
      const next = locker.obtain("key", 5_000, { wait: 60_000 });
      await proxy.commands.waitFor("SUBSCRIBE");
      await lock.release();
      await (await next).release();
      await locker.close();
    });
  });
}
