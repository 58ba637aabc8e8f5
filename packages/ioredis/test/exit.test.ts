import { exitTests } from "@redislock/test-kit/adapters";

exitTests(new URL("..", import.meta.url), ["ioredis 5", "ioredis 6", "iovalkey"]);
