import { createServer } from "node:net";

// Below 32 768, where Linux and macOS begin to hand out ports to outgoing connections: a server that
// restarts must find its port unused, and a client that keeps dialling a dead port must not be given
// that very port as its own and end up connected to itself.
const PORTS = { first: 20_000, last: 32_700 };
// A cluster node's second port is 10 000 higher, and should stay below that line too.
const CLUSTER_PORTS = { first: 10_100, last: 22_700 };
const CLUSTER_BUS_OFFSET = 10_000;
const TRIES = 100;

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
  range: { first: number; last: number },
  suits: (port: number) => Promise<boolean>,
): Promise<number> {
  for (let tries = 0; tries < TRIES; tries += 1) {
    // At random, so that test processes side by side seldom try the same one.
    const port = range.first + Math.floor(Math.random() * (range.last - range.first + 1));
    if (await suits(port)) return port;
  }
  throw new Error(`No free port found between ${range.first} and ${range.last} in ${TRIES} tries`);
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
