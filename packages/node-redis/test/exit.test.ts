import { exitTests } from "@redislock/test-kit/adapters";

exitTests(new URL("..", import.meta.url), [
  "client of node-redis 5",
  "client of node-redis 6",
  "pool of node-redis 5",
  "pool of node-redis 6",
  "sentinel of node-redis 5",
  "sentinel of node-redis 6",
]);
