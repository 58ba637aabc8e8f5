import { createServer } from "node:net";

// Below 32 768, where Linux and macOS begin to hand out ports to outgoing connections: a server that
// restarts must find its port unused, and a client that keeps dialling a dead port must not be given
// that very port as its own and end up connected to itself.
const PORTS = { first: 20_000, last: 32_700 };
// A cluster node's second port is 10 000 higher, and should stay below that line too.
const CLUSTER_PORTS = { first: 10_100, last: 22_700 };
const CLUSTER_BUS_OFFSET = 10_000;
const TRIES = 100;

/**
 * Each of the processes that run tests side by side takes ports of its own, those with its number as
 * remainder: one that is left for a moment, as by a server that restarts, is given to no other. The bus of a
 * cluster's node stays among them, since 10,000 is a multiple of this.
 */
const WORKERS = 8;
const worker = Number(process.env["JEST_WORKER_ID"] ?? 0) % WORKERS;

/** Nor to another test of this process, for as long as there are ports that were not given. */
let turn = Math.floor(Math.random() * PORTS.last);

/** A port nobody listens on at 127.0.0.1. Another process may take it before you do: be ready to ask again. */
export async function freePort(): Promise<number> {
  return search(PORTS, (port) => isFree(port));
}

/** As {@link freePort}, with the port of the cluster bus (10 000 higher) free as well. */
export async function freeClusterPort(): Promise<number> {
  return search(
    CLUSTER_PORTS,
    async (port) => (await isFree(port)) && (await isFree(port + CLUSTER_BUS_OFFSET)),
  );
}

async function search(
  { first, last }: { first: number; last: number },
  suits: (port: number) => Promise<boolean>,
): Promise<number> {
  const lowest = first + ((worker - (first % WORKERS) + WORKERS) % WORKERS);
  const count = Math.floor((last - lowest) / WORKERS) + 1;
  for (let tries = 0; tries < TRIES; tries += 1) {
    const port = lowest + WORKERS * (turn++ % count);
    if (await suits(port)) return port;
  }
  throw new Error(`No free port found between ${first} and ${last} in ${TRIES} tries`);
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once("error", () => {
      resolve(false);
    });
    probe.listen(port, "127.0.0.1", () =>
      probe.close(() => {
        resolve(true);
      }),
    );
  });
}
