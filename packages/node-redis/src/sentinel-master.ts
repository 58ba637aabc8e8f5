import { asServerError, ServerError } from "@redislock/core/adapter";

import type { NodeRedisMasterLike, NodeRedisSentinelLike } from "./node-redis-types.js";

/** The master behind sentinels, whichever server that is. */
export class SentinelMaster {
  readonly #redis: NodeRedisSentinelLike;
  /** The clients that have answered of this master, each with the connection over which it has. */
  #pool = new Map<NodeRedisMasterLike, number | undefined>();
  #epoch: number | undefined;

  constructor(redis: NodeRedisSentinelLike) {
    this.#redis = redis;
  }

  /**
   * Another each time that an answer came over a connection which none has come over before: perhaps of
   * another server. Not while others of a pool stand: whenever there is a new master, all of them are
   * replaced. Undefined before the first, as nobody tells where a sentinel's client has connected to.
   */
  get epoch(): number | undefined {
    return this.#epoch;
  }

  /**
   * Sends a command once. node-redis sends again what was not answered, and tells nobody: if that copy is
   * refused, it looks as if nothing was done. So it is not told of what was lost, and whoever wants it sends
   * it again.
   */
  async send(command: readonly string[]): Promise<unknown> {
    const result = await this.#redis._execute(false, async (master) => {
      try {
        return { reply: await master.sendCommand(command) };
      } catch (error) {
        // What was answered was not done: after READONLY it looks for the new master, and sends it there.
        if (asServerError(error) instanceof ServerError) throw error;
        return { error };
      } finally {
        this.#answered(master);
      }
    });
    if ("error" in result) throw result.error;
    return result.reply;
  }

  #answered(master: NodeRedisMasterLike): void {
    const { socketEpoch } = master;
    if (this.#pool.has(master) && this.#pool.get(master) === socketEpoch) return;
    const isOneOfPool = [...this.#pool.keys()].some((one) => one !== master && one.isReady);
    if (!isOneOfPool) {
      this.#pool.clear();
      this.#epoch = (this.#epoch ?? 0) + 1;
    }
    this.#pool.set(master, socketEpoch);
  }
}
