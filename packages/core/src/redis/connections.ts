/** What adapters have in common that hold connections in their hands. */
import type { Life } from "./client.js";

/** What is used of a socket of Node. */
export interface SocketLike {
  readonly writableCorked: number;
  cork(): void;
  uncork(): void;
}

/**
 * What is sent in this moment leaves in one write: for clients that write each command by itself. A
 * write costs more than all else that is done for a lock.
 *
 * @example
 * writeTogether(socket);
 * socket.write("one command");
 * socket.write("and another"); // Both leave at the end of this turn.
 */
export function writeTogether(socket: SocketLike | undefined): void {
  if (!socket || socket.writableCorked > 0) return;
  socket.cork();
  void Promise.resolve().then(() => socket.uncork());
}

/**
 * A node of a cluster to listen at. A cluster passes messages on between its nodes: whichever we listen
 * to, we hear them all.
 *
 * @example
 * const { host, port } = anyNode(nodes);
 * @throws Error if there are none
 */
export function anyNode<T>(nodes: readonly T[]): T {
  const node = nodes[Math.floor(Math.random() * nodes.length)];
  if (node === undefined) throw new Error("No node of the cluster is connected");
  return node;
}

/**
 * For connections beside a user's client that are of no use once that is connected to another server, and
 * may be long in noticing it: they end together. Returns what a connection's life is given to.
 *
 * @param watch - Is to call `moved`, with the reason, when that happens to the client; called when there is
 *   a first connection. Returns how to stop, for when there is none any more; undefined for a client that is
 *   to be watched for good.
 * @example
 * const endWithMove = endTogether<MyClient>((redis, moved) => {
 *   const listener = () => moved(new Error("It connects anew"));
 *   redis.on("reconnecting", listener);
 *   return () => redis.off("reconnecting", listener);
 * });
 */
export function endTogether<T extends object>(
  watch: (client: T, moved: (reason: Error) => void) => (() => void) | undefined,
): (client: T, life: Life) => void {
  const watched = new WeakMap<T, { lives: Set<Life>; forget: (() => void) | undefined }>();
  return (client, life) => {
    let together = watched.get(client);
    if (!together) {
      const lives = new Set<Life>();
      const moved = (reason: Error): void => {
        for (const { end } of lives) end(reason);
      };
      together = { lives, forget: watch(client, moved) };
      watched.set(client, together);
    }
    const { lives, forget } = together;
    lives.add(life);
    void life.ended.then(() => {
      lives.delete(life);
      if (lives.size > 0 || !forget) return;
      watched.delete(client);
      forget();
    });
  };
}
