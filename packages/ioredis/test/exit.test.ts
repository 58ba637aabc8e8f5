import { lastOrAll } from "@redislock/test-kit";
import { exitTests } from "@redislock/test-kit/adapters";

exitTests(new URL("..", import.meta.url), lastOrAll(["ioredis 5", "iovalkey", "ioredis 6"]));
