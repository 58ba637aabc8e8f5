import { asServerError, type Life, ServerError } from "@redislock/core/adapter";

import type { NodeRedisMasterLike, NodeRedisSentinelLike } from "./node-redis-types.js";

/** The master behind sentinels, whichever server that is. */
export class SentinelMaster {
  readonly #redis: NodeRedisSentinelLike;
  /** The clients that have answered of this master, each with the connection over which it has. */
  readonly #pool = new Map<NodeRedisMasterLike, number | undefined>();
  #epoch: number | undefined;
  /** Of connections to it beside the client's. */
  readonly #lives = new Set<Life>();

  constructor(redis: NodeRedisSentinelLike) {
    this.#redis = redis;
    // For good: a client of node-redis that loses its last listener does not hear later ones.
    redis.on("topology-change", ({ type }) => {
      if (type !== "MASTER_CHANGE") return;
      // Before its first answer: what was not sent yet goes there, and is no copy.
      if (this.#epoch !== undefined) this.#anew(this.#epoch);
      for (const { end } of this.#lives) end(new Error("There is a new master"));
    });
  }

  /** A connection to what was the master would be of no use, and it may be long until that hangs up. */
  endWithIt(life: Life): void {
    this.#lives.add(life);
    void life.ended.then(() => this.#lives.delete(life));
  }

  /**
   * Another when there is a new master, and each time that an answer came over a connection which none has
   * come over before: perhaps of another server. Not while others of a pool stand: whenever there is a new
   * master, all of them are replaced. Undefined before the first, as nobody tells where a sentinel's client
   * has connected to.
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
        const reply = await master.sendCommand(command);
        this.#answered(master);
        return { reply };
      } catch (error) {
        if (!(asServerError(error) instanceof ServerError)) return { error };
        this.#answered(master);
        // What was answered was not done: after READONLY it looks for the new master, and sends it there.
        throw error;
      }
    });
    if ("error" in result) throw result.error;
    return result.reply;
  }

  #answered(master: NodeRedisMasterLike): void {
    const { socketEpoch } = master;
    if (this.#pool.has(master) && this.#pool.get(master) === socketEpoch) return;
    const others = [...this.#pool.keys()].filter((one) => one !== master);
    const isFirst = this.#pool.size === 0;
    this.#epoch ??= 1;
    if (!isFirst && !others.some(({ isReady }) => isReady)) this.#anew(this.#epoch);
    this.#pool.set(master, socketEpoch);
  }

  #anew(epoch: number): void {
    this.#pool.clear();
    this.#epoch = epoch + 1;
  }
}
