import { Injectable, Module, type OnApplicationShutdown } from "@nestjs/common";
import { NestFactory } from "@nestjs/core";
import { createLocker } from "@redislock/ioredis";
import { currentLock, Locked, RedislockModule } from "@redislock/nestjs";
import { Redis } from "ioredis";

@Injectable()
class Orders {
  // One call for each order at a time, on all machines together.
  @Locked((id: string) => `order:${id}`, 10_000, { wait: 5_000 })
  async pay(id: string): Promise<void> {
    console.log(`paying order ${id}, with the fencing token ${currentLock().fencingToken}`);
  }
}

const redis = new Redis(process.env.REDIS_URL ?? "redis://localhost:6379");

@Module({
  imports: [RedislockModule.forRoot({ locker: createLocker(redis) })],
  providers: [Orders],
})
class AppModule implements OnApplicationShutdown {
  // By now, all locks were given back.
  async onApplicationShutdown(): Promise<void> {
    await redis.quit();
  }
}

async function main(): Promise<void> {
  const app = await NestFactory.createApplicationContext(AppModule);
  await app.get(Orders).pay("42");
  await app.close();
}

void main();
