import { afterEach, expect, it } from "@jest/globals";
import { connect as dial } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

import {
  compilePackage,
  connect,
  redisCli,
  startProcess,
  startServer,
  waitUntil,
  type RedisServer,
  type ServerOptions,
} from "../src/index.js";

let servers: RedisServer[] = [];

afterEach(async () => {
  await Promise.all(servers.map((server) => server.stop()));
  servers = [];
});

async function start(options?: ServerOptions): Promise<RedisServer> {
  const server = await startServer(options);
  servers.push(server);
  return server;
}

/** Whether a process exists, a stopped or dying one included. */
function exists(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

it("starts an empty server and ends it", async () => {
  const server = await start();
  expect(server.url).toBe(`redis://127.0.0.1:${server.port}`);
  await expect(server.command("DBSIZE")).resolves.toBe(0);
  const { pid } = server;
  await server.stop();
  expect(exists(pid)).toBe(false);
  expect(() => server.pid).toThrow("not running");
  await expect(connect(server.port)).rejects.toMatchObject({ code: "ECONNREFUSED" });
});

it("starts several side by side, with arguments", async () => {
  const [one, other] = await Promise.all([start(), start({ args: ["--maxmemory", "3mb"] })]);
  expect(one.port).not.toBe(other.port);
  await expect(other.command("CONFIG", "GET", "maxmemory")).resolves.toEqual([
    "maxmemory",
    "3145728",
  ]);
});

it("gives a node of a cluster a port whose second one no outgoing connection can take", async () => {
  const args = ["--cluster-enabled", "yes"];
  const nodes = await Promise.all([start({ args }), start({ args }), start({ args })]);
  for (const { port } of nodes) expect(port + 10_000).toBeLessThan(32_768);
});

it("takes bytes as they are and gives errors as errors", async () => {
  const server = await start();
  const bytes = Buffer.from([0, 13, 10, 255]);
  await server.command("SET", "key", bytes);
  const connection = await connect(server.port);
  await expect(connection.sendBinary("GET", "key")).resolves.toEqual(bytes);
  await expect(server.command("LPUSH", "key", "x")).rejects.toMatchObject({ code: "WRONGTYPE" });
  await connection.close();
});

it("keeps its data over a restart at the same port", async () => {
  const server = await start();
  const { port, pid } = server;
  await server.command("SET", "key", "value");
  await server.restart();
  expect(server.port).toBe(port);
  expect(server.pid).not.toBe(pid);
  await expect(server.command("GET", "key")).resolves.toBe("value");
});

it("is empty after an empty restart, and after a crash that follows a restart", async () => {
  const server = await start();
  await server.command("SET", "key", "value");
  await server.restart({ empty: true });
  await expect(server.command("DBSIZE")).resolves.toBe(0);
  await server.command("SET", "key", "value");
  await server.restart();
  await server.crash();
  await server.restart();
  await expect(server.command("DBSIZE")).resolves.toBe(0);
});

it("reads what it wrote down before a crash, unless it is to be empty", async () => {
  const server = await start({ args: ["--appendonly", "yes"] });
  await server.command("SET", "key", "value");
  await server.crash();
  await server.restart();
  await expect(server.command("GET", "key")).resolves.toBe("value");
  await server.restart({ empty: true });
  await expect(server.command("DBSIZE")).resolves.toBe(0);
});

it("breaks all connections when it is killed", async () => {
  const server = await start();
  const connection = await connect(server.port);
  server.kill();
  await connection.closed;
});

it("keeps connections but answers nothing while it is paused", async () => {
  const server = await start();
  server.pause();
  const answer = server.command("PING");
  const first = await Promise.race([answer, sleep(60, "silence")]);
  expect(first).toBe("silence");
  server.resume();
  await expect(answer).resolves.toBe("PONG");
  server.pause();
  await server.stop();
});

it("shows the log of a server that does not start", async () => {
  await expect(startServer({ args: ["--no-such-option", "1"] })).rejects.toThrow(
    /exited with 1[^]*no-such-option/,
  );
});

it("says which port is taken", async () => {
  const server = await start();
  await expect(startServer({ port: server.port })).rejects.toThrow("Address already in use");
});

it("says what to do when there is no server to start", async () => {
  const before = process.env["REDIS_SERVER"];
  process.env["REDIS_SERVER"] = "/no/such/server";
  try {
    await expect(startServer()).rejects.toThrow("set REDIS_SERVER");
  } finally {
    if (before === undefined) delete process.env["REDIS_SERVER"];
    else process.env["REDIS_SERVER"] = before;
  }
});

it("is ready with a password set", async () => {
  const server = await start({ args: ["--requirepass", "secret"] });
  await expect(server.command("GET", "key")).rejects.toMatchObject({ code: "NOAUTH" });
  await expect(server.command("AUTH", "secret")).resolves.toBe("OK");
  await expect(server.command("GET", "key")).resolves.toBeNull();
});

it("does not outlive the process that started it, however that ends", async () => {
  const compiled = await compilePackage(new URL("..", import.meta.url));
  const child = startProcess(compiled.file("start-server"));
  const [pid = 0, port = 0] = (await child.waitForLine(/^\d+ \d+$/)).split(" ").map(Number);
  expect(exists(pid)).toBe(true);
  child.kill("SIGKILL");
  await child.exited;
  await waitUntil(() => !exists(pid), { what: "the server to be gone" });
  const probe = dial(port, "127.0.0.1");
  await new Promise((resolve) => probe.once("error", resolve));
  await compiled.remove();
});

it("is reached by the real redis-cli", async () => {
  const server = await start();
  await expect(redisCli(server.port, "SET", "key", "a b\n")).resolves.toBe("OK");
  await expect(redisCli(server.port, "GET", "key")).resolves.toBe("a b\n");
  await expect(redisCli(server.port, "INCR", "key")).resolves.toMatch(/^ERR /);
});
