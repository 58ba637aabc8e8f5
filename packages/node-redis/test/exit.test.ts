import { everything } from "@redislock/test-kit";
import { exitTests } from "@redislock/test-kit/adapters";

const majors = everything ? [5, 6] : [6];
const kinds = ["client", "pool", "sentinel"];

exitTests(
  new URL("..", import.meta.url),
  kinds.flatMap((kind) => majors.map((major) => `${kind} of node-redis ${major}`)),
);
