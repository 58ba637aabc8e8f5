import { Effect, Exit, Layer, ManagedRuntime, Scope } from "effect";
import { DistributedSemaphore, RedisBacking } from "effect-distributed-lock";
import type { Server, Session } from "../session.js";
import { connectIoredis } from "./clients.js";

/** As it comes: told of each release by PUBLISH, through a connection for each that waits. */
export async function open({ port }: Server): Promise<Session> {
  const redis = await connectIoredis(port);
  const runtime = ManagedRuntime.make(Layer.orDie(RedisBacking.layer(redis)));
  const waitFor: Session["waitFor"] = async (key, ttl, kind) => {
    const limit = typeof kind === "object" ? kind.limit : 1;
    const scope = await runtime.runPromise(Scope.make());
    await runtime.runPromise(
      Effect.gen(function* () {
        const semaphore = yield* DistributedSemaphore.make(key, { limit, ttl });
        yield* semaphore.take(1);
      }).pipe(Scope.extend(scope)),
    );
    return { release: () => runtime.runPromise(Scope.close(scope, Exit.void)) };
  };
  return {
    take: waitFor,
    waitFor,
    close: async () => {
      await runtime.dispose();
      redis.disconnect();
    },
  };
}
