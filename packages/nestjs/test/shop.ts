/** The application that the docs show. */
import "reflect-metadata";
// #region imports
import { Injectable, Module, type OnApplicationShutdown } from "@nestjs/common";
import { Cron, ScheduleModule } from "@nestjs/schedule";
import { createLocker, type Locker } from "@redislock/ioredis";
import { currentLock, InjectLocker, Locked, RedislockModule } from "@redislock/nestjs";
import { Redis } from "ioredis";
// #endregion

export const done: string[] = [];

// #region service
interface Order {
  readonly id: string;
}

@Injectable()
export class Orders {
  readonly #locker: Locker;

  constructor(@InjectLocker() locker: Locker) {
    this.#locker = locker;
  }

  // One call for each order at a time, on all machines together.
  @Locked((order: Order) => `order:${order.id}`, 10_000, { wait: 5_000 })
  async pay(order: Order): Promise<void> {
    const { signal, fencingToken } = currentLock();
    await charge(order, { signal, fencingToken });
  }

  // Each machine's cron starts it; one does it, and no other for ten minutes.
  @Cron("0 3 * * *")
  @Locked("report", 30_000, { holdAtLeast: 600_000, ifNotObtained: "skip" })
  async report(): Promise<void> {
    await writeReport();
  }

  // The locker itself, for all else.
  async isBeingPaid(order: Order): Promise<boolean> {
    const { holder } = await this.#locker.inspect(`order:${order.id}`);
    return holder !== undefined;
  }
}
// #endregion

// #region module
const redis = new Redis(process.env["REDIS_URL"] ?? "redis://localhost:6379");

@Module({
  imports: [RedislockModule.forRoot({ locker: createLocker(redis) }), ScheduleModule.forRoot()],
  providers: [Orders],
})
export class AppModule implements OnApplicationShutdown {
  // By now, all locks were given back.
  async onApplicationShutdown(): Promise<void> {
    await redis.quit();
  }
}
// #endregion

interface Proof {
  readonly signal: AbortSignal;
  readonly fencingToken: number;
}

async function charge(order: Order, { signal, fencingToken }: Proof): Promise<void> {
  signal.throwIfAborted();
  done.push(`charged ${order.id} with ${typeof fencingToken}`);
}

async function writeReport(): Promise<void> {
  done.push("report");
}
