import {
  type DynamicModule,
  Inject,
  Module,
  type ModuleMetadata,
  type OnModuleDestroy,
  Optional,
  type FactoryProvider,
} from "@nestjs/common";
import { Locker } from "@redislock/core";
import { checkOptionNames } from "@redislock/core/adapter";

import { checkPatience } from "./check.js";
import { LockerHealth } from "./health.js";
import { getLockerToken } from "./tokens.js";

/** The locker, and how it is closed. */
export interface LockerSettings {
  /** As the `createLocker` of an adapter makes it, or what makes it as the application starts. */
  readonly locker: Locker | (() => Locker | Promise<Locker>);

  /**
   * Milliseconds that methods which hold a lock have to come to an end at shutdown, 0 to 2^31 - 1 or
   * `Infinity`: `lock.signal` aborts at once, and what is not released when this time is over is released
   * then. `false`: the module does not close the locker. Default: 10000.
   */
  readonly grace?: number | false | undefined;
}

/** What the locker is called, and who has it. */
interface Placing {
  /** Tells several lockers apart: `@InjectLocker(name)`, `@Locked(…, { locker: name })`. Default: none. */
  readonly name?: string | undefined;
  /** Whether every module has the locker, without importing this one. Default: true. */
  readonly global?: boolean | undefined;
}

/** A locker that is at hand, or needs nothing of the application. */
export interface RedislockModuleOptions extends LockerSettings, Placing {}

/** A locker that other providers are needed for. */
export interface RedislockModuleAsyncOptions<Args extends unknown[] = never[]> extends Placing {
  /** Modules that have what the factory needs. Default: none. */
  readonly imports?: ModuleMetadata["imports"];
  /** What the factory is called with. Default: nothing. */
  readonly inject?: FactoryProvider["inject"];
  /** Makes the locker, and says how it is closed. */
  readonly useFactory: (...args: Args) => LockerSettings | Promise<LockerSettings>;
}

const SETTINGS = ["locker", "grace"];
const PLACING = ["name", "global"];
const ENTRY = Symbol("redislock.entry");

interface Entry {
  readonly locker: Locker;
  readonly grace: number | false;
}

const DEFAULT_GRACE = 10_000;

/**
 * Gives lockers to an application. As Nest destroys its modules, the locker is closed: obtains that are
 * under way reject with a `LockerClosedError`, and whoever holds a lock has `grace` milliseconds to end.
 * On a signal such as SIGTERM, Nest does so only after `app.enableShutdownHooks()`. The client stays yours:
 * close it in `onApplicationShutdown`, when all locks are released.
 *
 * @example
 * \@Module({ imports: [RedislockModule.forRoot({ locker: createLocker(new Redis()) })] })
 * export class AppModule {}
 */
@Module({})
export class RedislockModule implements OnModuleDestroy {
  readonly #entry: Entry;

  /** Called by Nest. */
  constructor(@Optional() @Inject(ENTRY) entry?: unknown) {
    if (!isEntry(entry)) {
      throw new Error("import RedislockModule.forRoot(…) or forRootAsync(…), not RedislockModule");
    }
    this.#entry = entry;
  }

  /**
   * A locker that needs nothing of the application. Import it once for each name.
   *
   * @throws TypeError, RangeError for bad options.
   */
  static forRoot(options: RedislockModuleOptions): DynamicModule {
    checkOptionNames("options", options, [...SETTINGS, ...PLACING]);
    const { name, global, ...settings } = options;
    checkSettings("options", settings);
    return moduleOf({ name, global }, { useFactory: () => settings });
  }

  /**
   * A locker that is made of other providers, such as the configuration or the connection to Redis.
   *
   * @example
   * RedislockModule.forRootAsync({
   *   imports: [RedisModule],
   *   inject: [REDIS],
   *   useFactory: (redis: Redis) => ({ locker: createLocker(redis) }),
   * });
   * @throws TypeError, RangeError for bad options; of what the factory returns, as the application starts.
   */
  static forRootAsync<Args extends unknown[]>(
    options: RedislockModuleAsyncOptions<Args>,
  ): DynamicModule {
    checkOptionNames("options", options, ["imports", "inject", "useFactory", ...PLACING]);
    const { name, global, imports = [], inject = [], useFactory } = options;
    if (typeof useFactory !== "function") throw new TypeError("useFactory must be a function");
    return moduleOf({ name, global }, { imports, inject, useFactory });
  }

  /** Called by Nest. */
  async onModuleDestroy(): Promise<void> {
    const { locker, grace } = this.#entry;
    if (grace !== false) await locker.close({ grace });
  }
}

/** Async or not: what makes the settings, and the locker of them. */
function moduleOf<Args extends unknown[]>(
  { name, global = true }: Placing,
  { imports = [], inject = [], useFactory }: Omit<RedislockModuleAsyncOptions<Args>, keyof Placing>,
): DynamicModule {
  if (typeof global !== "boolean") throw new TypeError("global must be true or false");
  const token = getLockerToken(name);
  return {
    module: RedislockModule,
    global,
    imports,
    providers: [
      {
        provide: ENTRY,
        inject,
        useFactory: async (...args: Args) => entryOf(await useFactory(...args)),
      },
      { provide: token, inject: [ENTRY], useFactory: ({ locker }: Entry) => locker },
      LockerHealth,
    ],
    exports: [token, LockerHealth],
  };
}

async function entryOf(settings: LockerSettings): Promise<Entry> {
  checkOptionNames("what useFactory returns", settings, SETTINGS);
  checkSettings("what useFactory returns", settings);
  const { locker, grace = DEFAULT_GRACE } = settings;
  const made = typeof locker === "function" ? await locker() : locker;
  if (made instanceof Locker) return { locker: made, grace };
  throw new TypeError("locker must return a Locker, such as the createLocker of an adapter makes");
}

function checkSettings(where: string, { locker, grace }: LockerSettings): void {
  if (!((locker as unknown) instanceof Locker) && typeof locker !== "function") {
    throw new TypeError(`locker of ${where} must be a Locker, or a function that makes one`);
  }
  if (grace !== undefined && grace !== false) checkPatience("grace", grace);
}

function isEntry(value: unknown): value is Entry {
  return typeof value === "object" && value !== null && "locker" in value;
}
