import { type NodeProcess, startProcess } from "@redislock/test-kit";

/** The ports of the test's servers; without one, that server cannot be reached. */
export interface Ports {
  readonly redis?: number;
  readonly cluster?: number;
}

/** Starts an example, as it was built, with these servers where it expects Redis. */
export function startExample(
  name: string,
  ports: Ports,
  args: readonly string[] = [],
): NodeProcess {
  const preload = new URL("./redis-at-localhost.mjs", import.meta.url);
  return startProcess(new URL(`../dist/${name}.js`, import.meta.url), {
    args,
    env: {
      NODE_OPTIONS: `--import ${preload.href}`,
      // Port 1 refuses: no example may reach a server that happens to run on this machine.
      TEST_REDIS_PORT: String(ports.redis ?? 1),
      TEST_CLUSTER_PORT: String(ports.cluster ?? 1),
    },
  });
}

/** Runs an example to its end, and gives the lines that it wrote. */
export async function runExample(name: string, ports: Ports): Promise<string[]> {
  const example = startExample(name, ports);
  const lines: string[] = [];
  for await (const line of example.lines) lines.push(line);
  const { code, signal } = await example.exited;
  if (code !== 0) throw new Error(`${name} ended with ${code ?? signal}: ${example.stderr}`);
  return lines;
}
