import { once } from "node:events";
import { createServer, type Socket } from "node:net";

import { afterAll, afterEach, beforeAll, describe, expect, it } from "@jest/globals";
import { createLocker } from "@redislock/ioredis";
import {
  freePort,
  type RedisCluster,
  type RedisServer,
  type SentinelSet,
  startCluster,
  startProxiedServer,
  startSentinel,
  startServer,
} from "@redislock/test-kit";
import { Cluster } from "ioredis";

import { cli, endAll, objectIn, objectsOf, PASSWORD, type Result, start } from "./cli.js";

/** Each command once. */
const commands = [
  ["run", "k", "--", "true"],
  ["ls"],
  ["inspect", "k"],
  ["release", "--yes", "k"],
  ["doctor"],
  ["watch"],
];

afterEach(endAll);

describe.each([
  ["a single server", single],
  ["a cluster", cluster],
  ["Sentinel", sentinel],
])("%s", (_, deploy) => {
  let deployment: Deployment;

  beforeAll(async () => {
    deployment = await deploy();
  });

  afterAll(() => deployment.stop());

  it("runs under a lock, lists, inspects and releases", async () => {
    const { url } = deployment;
    for (const key of ["a", "b", "c"]) {
      const args = ["run", "--hold-at-least", "1m", "--metadata", `of ${key}`, key, "--", "true"];
      expect(await cli(args, { url })).toEqual({ code: 0, stdout: "", stderr: "" });
    }
    const listed = await cli(["ls", "--json"], { url });
    expect(objectIn(listed.stdout)["locks"]).toMatchObject([
      { key: "a", metadata: "of a" },
      { key: "b", metadata: "of b" },
      { key: "c", metadata: "of c" },
    ]);
    expect((await cli(["inspect", "b"], { url })).stdout).toContain("of b");
    expect((await cli(["release", "--yes", "b"], { url })).stdout).toContain("Released.");
    expect((await cli(["ls"], { url })).stdout).not.toContain("of b");
  });

  it("is found fit for locks", async () => {
    const { code, stdout } = await cli(["doctor", "--json"], deployment);
    expect(code).toBe(0);
    const written: unknown = JSON.parse(stdout);
    const diagnoses = objectsOf(written);
    expect(diagnoses).toHaveLength(deployment.masters);
    const marks = diagnoses.flatMap(({ findings }) => findings);
    for (const check of ["version", "role", "memory", "pub/sub", "permissions", "a lock"]) {
      expect(marks).toContainEqual(expect.objectContaining({ check, mark: "ok" }));
    }
  });

  it("refuses a wrong password in one line", async () => {
    const url = deployment.url.replace(PASSWORD, `${PASSWORD}-wrong`);
    for (const args of commands) expectTrouble(await cli(args, { url }), /password/);
  });
});

describe("a node of a cluster that is taken for a single server", () => {
  let nodes: RedisCluster;
  let url: string;
  /** A key of another node. */
  let key: string;

  beforeAll(async () => {
    nodes = await startCluster(3);
    const [node] = nodes.nodes;
    url = node?.url ?? "";
    const isElsewhere = async (name: string): Promise<boolean> =>
      String(await node?.command("GET", name).catch(String)).includes("MOVED");
    for (key of ["a", "b", "c", "d"]) if (await isElsewhere(key)) break;
  });

  afterAll(() => nodes.stop());

  it("is said by run, which waits all the same, and by doctor", async () => {
    const running = start(["run", key, "--", "true"], { url });
    await running.says("a node of a cluster: use redis+cluster://");
    running.signal("SIGINT");
    expect(await running.ended).toMatchObject({ code: 130, stdout: "" });
    const { stdout } = await cli(["doctor", "--json"], { url });
    const diagnoses: unknown = JSON.parse(stdout);
    const findings = objectsOf(diagnoses).flatMap((one) => objectsOf(one["findings"]));
    expect(findings).toContainEqual(
      expect.objectContaining({ check: "role", mark: "warn", found: "master of a cluster" }),
    );
  });

  const said = "and the locks of its 2 other masters are not shown: use redis+cluster://";

  it("is said by ls, which counts what it did not ask, and by watch", async () => {
    const { code, stdout, stderr } = await cli(["ls", "--json"], { url });
    expect(code).toBe(0);
    expect(objectIn(stdout)).toMatchObject({ total: 0, unread: 0, unasked: 2 });
    expect(stderr).toBe(`redislock: this is one node of a cluster, ${said}\n`);
    const watching = start(["watch"], { url });
    await watching.says(said);
    watching.signal("SIGINT");
    expect(await watching.ended).toMatchObject({ code: 0, stdout: "" });
    const whole = await cli(["ls", "--json"], { url: url.replace("redis:", "redis+cluster:") });
    expect(objectIn(whole.stdout)).toMatchObject({ unasked: 0 });
    expect(whole.stderr).toBe("");
  });

  it("is no number, and said, to who may not ask how many masters there are", async () => {
    const rights = ["+@read", "+time", "~*"];
    const [node] = nodes.nodes;
    await node?.command("ACL", "SETUSER", "reader", "reset", "on", `>${PASSWORD}`, ...rights);
    const as = url.replace("redis://", `redis://reader:${PASSWORD}@`);
    const { code, stdout, stderr } = await cli(["ls", "--json"], { url: as });
    expect(code).toBe(0);
    expect(objectIn(stdout)).toMatchObject({ total: 0, unread: 0, unasked: null });
    expect(stderr).toMatch(/^redislock: this may be one node of a cluster, .*: use redis\+cluster/);
  });
});

describe("a master of a cluster that is gone", () => {
  it("is said by watch, which sees it again when it is back", async () => {
    const nodes = await startCluster(3, { args: ["--cluster-require-full-coverage", "no"] });
    const addresses = nodes.nodes.map(({ port }) => ({ host: "127.0.0.1", port }));
    const client = new Cluster(addresses);
    const locker = createLocker(client);
    try {
      const hosts = addresses.map(({ host, port }) => `${host}:${port}`).join(",");
      const watching = start(["watch", "--interval", "20ms"], { url: `redis+cluster://${hosts}` });
      await locker.obtain("b", 60_000);
      await watching.says("held\tb");
      const [, , last] = nodes.nodes;
      await last?.crash();
      await watching.says("is seen in part: 1 master cannot be reached");
      await last?.restart();
      // In a slot of that one.
      await locker.obtain("a", 60_000, { wait: 60_000 });
      await watching.says("held\ta");
      watching.signal("SIGINT");
      const { code, stdout } = await watching.ended;
      expect([code, stdout.trimEnd().split("\n").length]).toEqual([0, 2]);
    } finally {
      await locker.close();
      client.disconnect();
      await nodes.stop();
    }
  });
});

describe("trouble", () => {
  it.each([
    [["REPLICAOF", "127.0.0.1", "1"], /: .* is a read-only replica: name the master\n$/],
    [["CONFIG", "SET", "maxmemory", "1"], /: .* is out of memory .*\n$/],
    [["CONFIG", "SET", "min-replicas-to-write", "1"], /: .*NOREPLICAS.*\n$/],
  ])("that keeps all from the lock is why run waits, and said: %j", async (how, what) => {
    const server = await startServer();
    try {
      await server.command(...how);
      const running = start(["run", "k", "--", "true"], { url: server.url });
      await running.says('redislock: waiting for "k"');
      running.signal("SIGINT");
      const { code, stdout, stderr } = await running.ended;
      expect([code, stdout, stderr]).toEqual([130, "", expect.stringMatching(what)]);
    } finally {
      await server.stop();
    }
  });

  it("while doctor asks is no finding, but one line and exit code 69", async () => {
    const { proxy, stop } = await startProxiedServer();
    try {
      for (const command of ["INFO", "TIME", "SCAN"]) {
        proxy.swallowNextRequest(command);
        expectTrouble(await cli(["doctor"], { url: proxy.url }), /could not be reached/);
      }
    } finally {
      await stop();
    }
  });

  it.each([
    ["a single server", "redis://:PASSWORD@127.0.0.1:PORT"],
    ["a cluster", "redis+cluster://:PASSWORD@127.0.0.1:PORT"],
    ["Sentinel", "redis+sentinel://:PASSWORD@127.0.0.1:PORT/main"],
  ])("with a dead address of %s is one line, and exit code 69", async (_, form) => {
    const url = form.replace("PASSWORD", PASSWORD).replace("PORT", String(await freePort()));
    for (const args of commands) expectTrouble(await cli(args, { url }), /could not be reached/);
  });

  it.each(
    ["redis", "redis+cluster"].flatMap((scheme) => [
      { scheme, command: "run", args: ["k", "--", "true"], code: 130 },
      { scheme, command: "watch", args: [], code: 0 },
      { scheme, command: "page", args: ["--port", "0"], code: 0 },
    ]),
  )("that lasts does not keep $command from ending at once, $scheme", async (one) => {
    const { scheme, command, args, code } = one;
    // Takes connections, and answers nothing.
    const sockets: Socket[] = [];
    const silent = createServer((socket) => sockets.push(socket)).listen(0, "127.0.0.1");
    try {
      await once(silent, "listening");
      const address = silent.address();
      const port = typeof address === "object" && address ? address.port : 0;
      // Whoever waited for what its client has left, timers of seconds, would come to this.
      const waited = 'process.on("beforeExit", () => console.log("waited"))';
      const env = { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(waited)}` };
      const running = start([command, ...args], { url: `${scheme}://127.0.0.1:${port}`, env });
      await once(silent, "connection");
      running.signal("SIGINT");
      expect(await running.ended).toEqual({ code, stdout: "", stderr: "" });
    } finally {
      for (const socket of sockets) socket.destroy();
      silent.close();
    }
  });

  it("with a database that is not there is no reason to take locks in another", async () => {
    const server = await startServer();
    try {
      for (const args of commands) {
        expectTrouble(await cli(args, { url: `${server.url}/99` }), /DB index is out of range/);
      }
    } finally {
      await server.stop();
    }
  });

  it("with a URL shows nothing of it", async () => {
    const login = `:${PASSWORD}@h`;
    for (const url of [
      ...[`redi://${login}`, `redis://${login}:99999`, PASSWORD],
      // Not the database that it may seem to be.
      ...[`redis://${login}/1e1`, `redis://${login}/0x1`, `redis+sentinel://${login}/main/1/2`],
    ]) {
      const { code, stderr } = await cli(["ls", "--url", url]);
      expect(code).toBe(64);
      expect(stderr.trimEnd().split("\n")).toHaveLength(1);
    }
  });

  it("with rights names those that are missing", async () => {
    const server = await startServer();
    try {
      await server.command("ACL", "SETUSER", "app", "on", `>${PASSWORD}`, "-@all", "+ping", "~*");
      const url = `redis://app:${PASSWORD}@127.0.0.1:${server.port}`;
      for (const args of [["run", "k", "--", "true"], ["ls"], ["inspect", "k"]]) {
        expectTrouble(await cli(args, { url }), /lacks a permission/);
      }
    } finally {
      await server.stop();
    }
  });
});

function expectTrouble({ code, stdout, stderr }: Result, what: RegExp): void {
  expect([code, stdout]).toEqual([69, ""]);
  expect(stderr).toMatch(what);
  expect(stderr.trimEnd().split("\n")).toHaveLength(1);
}

interface Deployment {
  readonly url: string;
  readonly masters: number;
  stop(): Promise<unknown>;
}

async function single(): Promise<Deployment> {
  const server = await startServer({ args: ["--requirepass", PASSWORD] });
  const url = `redis://:${PASSWORD}@127.0.0.1:${server.port}/2`;
  return { url, masters: 1, stop: () => server.stop() };
}

async function cluster(): Promise<Deployment> {
  const started: RedisCluster = await startCluster(3);
  await addUser(started.nodes);
  const hosts = started.nodes.map(({ port }) => `127.0.0.1:${port}`).join(",");
  const url = `redis+cluster://app:${PASSWORD}@${hosts}`;
  return { url, masters: 3, stop: () => started.stop() };
}

async function sentinel(): Promise<Deployment> {
  const started: SentinelSet = await startSentinel();
  await addUser(started.servers);
  const url = `redis+sentinel://app:${PASSWORD}@127.0.0.1:${started.sentinel.port}/main`;
  return { url, masters: 1, stop: () => started.stop() };
}

async function addUser(servers: readonly RedisServer[]): Promise<void> {
  for (const server of servers) {
    await server.command("ACL", "SETUSER", "app", "on", `>${PASSWORD}`, "+@all", "~*", "&*");
  }
}
