import { startServer, type RedisServer } from "./redis-server.js";
import { waitUntil } from "../promises/wait-until.js";

/** Milliseconds for a replica to follow. */
const TIMEOUT = 60_000;

/** A master, and servers that follow it. */
export interface Replicated {
  readonly master: RedisServer;
  readonly replicas: readonly RedisServer[];
  readonly stop: () => Promise<void>;
}

/** Starts a master with so many replicas, and resolves when all follow. */
export async function startReplicated(count: number): Promise<Replicated> {
  const args = ["--repl-diskless-sync-delay", "0"];
  const servers = await Promise.all(
    Array.from({ length: count + 1 }, () => startServer({ args: [...args] })),
  );
  const stop = async (): Promise<void> => {
    await Promise.all(servers.map((server) => server.stop()));
  };
  const [master, ...replicas] = servers;
  if (!master) throw new RangeError("There is always a master");
  try {
    await Promise.all(replicas.map((replica) => follow(replica, master)));
    return { master, replicas, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Makes a server a replica of another, and resolves when it has all that the other has. */
export async function follow(replica: RedisServer, master: RedisServer): Promise<void> {
  await replica.command("REPLICAOF", "127.0.0.1", String(master.port));
  const isInStep = async (): Promise<boolean> => {
    const info = String(await replica.command("INFO", "replication"));
    return info.includes("master_link_status:up");
  };
  await waitUntil(isInStep, { what: "the replica to follow", timeout: TIMEOUT, interval: 20 });
  // It is counted from when it first says how much it has: of something that leaves no key.
  const acks = async (): Promise<boolean> => {
    await master.command("PUBLISH", "following", "");
    const info = String(await master.command("INFO", "replication"));
    const said = new RegExp(`port=${replica.port},state=online,offset=(\\d+)`).exec(info);
    return Number(said?.[1]) > 0;
  };
  await waitUntil(acks, { what: "the replica to be counted", timeout: TIMEOUT, interval: 20 });
}
