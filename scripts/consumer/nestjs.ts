import "reflect-metadata";
import { Injectable, Module } from "@nestjs/common";
import { NestFactory } from "@nestjs/core";
import { createLocker } from "@redislock/ioredis";
import { currentLock, Locked, RedislockModule } from "@redislock/nestjs";
import { Redis } from "ioredis";

@Injectable()
class Orders {
  @Locked((id: string) => `order:${id}`, 10_000)
  async pay(id: string): Promise<boolean> {
    return currentLock().held && currentLock().key === `order:${id}`;
  }
}

const redis = new Redis(process.argv[2] ?? "");

@Module({
  imports: [RedislockModule.forRoot({ locker: createLocker(redis) })],
  providers: [Orders],
})
class AppModule {}

async function main(): Promise<void> {
  const app = await NestFactory.createApplicationContext(AppModule, { logger: false });
  if (!(await app.get(Orders).pay("1"))) throw new Error("the lock is not held");
  await app.close();
  redis.disconnect();
}

void main();
