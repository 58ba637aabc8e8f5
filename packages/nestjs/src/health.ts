import { Inject, Injectable } from "@nestjs/common";
import { ModuleRef } from "@nestjs/core";
import { Locker } from "@redislock/core";
import { checkOptionNames } from "@redislock/core/adapter";

import { getLockerToken } from "./tokens.js";

/** What is asked, and of which locker. */
export interface LockerHealthOptions {
  /** The name of the locker, as the module was given it. Default: the one without a name. */
  readonly locker?: string | undefined;
  /** The key that Redis is asked about; nothing is written. Default: `"redislock-health"`. */
  readonly probe?: string | undefined;
}

/** What an indicator tells `@nestjs/terminus`. */
export type LockerHealthResult<Name extends string> = Record<
  Name,
  { readonly status: "up" } | { readonly status: "down"; readonly message: string }
>;

/**
 * Whether locks can be asked for: an indicator for `@nestjs/terminus` 11 and later, or without it. In
 * terminus 10, an indicator that is down must throw: make a `HealthCheckError` of the result there.
 *
 * @example
 * \@Get() \@HealthCheck()
 * check() { return this.health.check([() => this.lockers.isHealthy("locks")]); }
 */
@Injectable()
export class LockerHealth {
  readonly #modules: ModuleRef;

  /** Called by Nest. */
  constructor(@Inject(ModuleRef) modules: ModuleRef) {
    this.#modules = modules;
  }

  /**
   * Asks Redis who has a lock. Takes the locker's `commandTimeout` at most.
   *
   * @param name - Under which the result is told.
   * @returns `up`, or `down` with the message of the error.
   * @throws TypeError, RangeError for bad options; Nest's UnknownElementException if there is no such locker.
   */
  isHealthy<const Name extends string>(
    name: Name,
    options?: LockerHealthOptions,
  ): Promise<LockerHealthResult<Name>>;
  async isHealthy(
    name: string,
    options: LockerHealthOptions = {},
  ): Promise<LockerHealthResult<string>> {
    checkOptionNames("options", options, ["locker", "probe"]);
    const { locker: which, probe = "redislock-health" } = options;
    if (typeof probe !== "string")
      throw new TypeError(`probe must be a string, got ${typeof probe}`);
    const locker: unknown = this.#modules.get(getLockerToken(which), { strict: false });
    if (!(locker instanceof Locker)) throw new TypeError(`what was injected is no Locker`);
    try {
      await locker.inspect(probe);
      return { [name]: { status: "up" } };
    } catch (error) {
      // Of the probe. A TypeError is of the client: it is closed.
      if (error instanceof RangeError) throw error;
      const message = error instanceof Error ? error.message : String(error);
      return { [name]: { status: "down", message } };
    }
  }
}
