import {
  GlideClient,
  GlideClusterClient,
  type GlideClientConfiguration,
  type GlideClusterClientConfiguration,
  Logger,
} from "@valkey/valkey-glide";

// What tests provoke is no news.
Logger.setLoggerConfig("off");

const clients: { close(): void }[] = [];

/** Milliseconds: GLIDE's own 250 and 2000 would take a busy machine for a broken one. */
const requestTimeout = 10_000;
const connectionTimeout = 10_000;

export type Options = Partial<GlideClientConfiguration>;
export type ClusterOptions = Partial<GlideClusterClientConfiguration>;

const at = (port: number) => ({
  addresses: [{ host: "127.0.0.1", port }],
  requestTimeout,
  advancedConfiguration: { connectionTimeout },
});

export async function connect(port: number, options?: Options): Promise<GlideClient> {
  return ours(await GlideClient.createClient({ ...at(port), ...options }));
}

export async function connectCluster(
  port: number,
  options?: ClusterOptions,
): Promise<GlideClusterClient> {
  return ours(await GlideClusterClient.createClient({ ...at(port), ...options }));
}

function ours<T extends { close(): void }>(client: T): T {
  clients.push(client);
  return client;
}

/** Closes what was connected. */
export function closeClients(): void {
  for (const client of clients.splice(0)) client.close();
}
