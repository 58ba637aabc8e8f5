/** What adapters have in common that hold connections in their hands. */

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
