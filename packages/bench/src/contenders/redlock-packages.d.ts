// What we use of two packages that come without declarations, or with ones that do not resolve.

declare module "redlock-4" {
  import type { Redis } from "ioredis";

  interface Lock {
    unlock(): PromiseLike<void>;
  }

  export default class Redlock {
    constructor(clients: Redis[], options: { retryCount: number });
    lock(resource: string, ttl: number): PromiseLike<Lock>;
  }
}

declare module "redlock-5" {
  import type { Redis } from "ioredis";

  interface Lock {
    release(): Promise<unknown>;
  }

  export default class Redlock {
    constructor(clients: Redis[], settings: { retryCount: number });
    acquire(resources: string[], duration: number): Promise<Lock>;
  }
}
