import { exitTests } from "@redislock/test-kit/adapters";

exitTests(new URL("..", import.meta.url), ["GlideClient"]);
