/** Where tests take place: one server and one cluster a file, one client behind a proxy of its own a test. */
import { afterAll } from "@jest/globals";
import { scripts as byName } from "@redislock/core/adapter";
import type { LockEvent, Locker, LockerOptions, Script } from "@redislock/core";
import {
  loadScripts as loadScriptsAt,
  scriptRunBy,
  startCluster,
  startProxy,
  startServer,
  type Command,
  type FaultProxy,
  type KnownScript,
  type RedisServer,
  type ServerOptions,
} from "@redislock/test-kit";

import { kinds, type Kind, type User } from "./clients.js";

/** The deadline of all calls, unless a test is about it: a busy machine must not be taken for a fault. */
const PATIENCE = 10_000;

/** One user's client, with nobody else in its way: tests may run at the same time. */
export interface Scene extends AsyncDisposable {
  readonly server: RedisServer;
  /** Between the client and the server. */
  readonly proxy: FaultProxy;
  readonly user: User;
  /** A key that no other scene uses, and what it is called in Redis. */
  readonly key: string;
  readonly nameInRedis: string;
  /** A locker that takes its locks through the client. */
  readonly locker: Locker;
  /** What it has told so far. */
  readonly events: LockEvent[];
  /** Another locker on the same client. */
  readonly anotherLocker: (options?: LockerOptions) => Locker;
  /** A locker of somebody else, with a client of the same kind that goes straight to the server. */
  readonly rival: () => Promise<Locker>;
  /** What was asked through the proxy so far, by the names of the scripts. */
  readonly asked: () => string[];
  /** What Redis has under the key; null if nothing. */
  readonly value: () => Promise<unknown>;
}

export interface Stage {
  readonly server: RedisServer;
  /** One node, which has all slots. */
  readonly cluster: RedisServer | undefined;
  /** Both. */
  readonly servers: readonly RedisServer[];
  /** Starts both again, with their data or without it. */
  readonly restart: (how: { empty: boolean }) => Promise<void>;
  readonly open: (kind: Kind, options?: LockerOptions) => Promise<Scene>;
  /**
   * Opens a scene for every kind, and lets something happen to all of them at once: for what befalls a
   * whole server, and takes its time.
   */
  readonly openAll: (options?: LockerOptions) => Promise<Ensemble>;
}

export interface Ensemble extends AsyncDisposable {
  /** Runs the body for every scene at the same time. What fails says for which kind. */
  readonly each: <T>(body: (scene: Scene, kind: Kind) => Promise<T>) => Promise<T[]>;
}

/** For tests of one file: what the kinds need, `kinds` being those that the file is about. */
export async function startStage(
  options: ServerOptions = {},
  cast: readonly Kind[] = kinds,
): Promise<Stage> {
  const wantsCluster = cast.some(({ cluster }) => cluster);
  const [server, cluster] = await Promise.all([
    startServer(options),
    wantsCluster ? startCluster(1, options) : undefined,
  ]);
  const node = cluster?.nodes[0];
  for (const one of [server, node]) if (one) await loadScripts(one);

  afterAll(async () => {
    await Promise.all([server.stop(), cluster?.stop()]);
  });

  let scenes = 0;
  const open = (kind: Kind, lockerOptions?: LockerOptions): Promise<Scene> => {
    const home = kind.cluster ? node : server;
    if (!home) throw new Error("This stage has no cluster");
    return openScene(kind, home, `key ${++scenes}`, lockerOptions);
  };
  return {
    server,
    cluster: node,
    servers: node ? [server, node] : [server],
    restart: async (how) => {
      await Promise.all([server.restart(how), node && restartNode(node, how)]);
      await cluster?.untilServing();
    },
    open,
    openAll: async (lockerOptions) => {
      const opened = await Promise.all(
        cast.map(async (kind) => ({ kind, scene: await open(kind, lockerOptions) })),
      );
      return {
        each: (body) =>
          Promise.all(opened.map(({ kind, scene }) => named(kind, body(scene, kind)))),
        [Symbol.asyncDispose]: async () => {
          await Promise.all(opened.map(({ scene }) => scene[Symbol.asyncDispose]()));
        },
      };
    },
  };
}

/** A node that forgot everything would no longer be one: what it knows of its cluster is written down. */
async function restartNode(node: RedisServer, { empty }: { empty: boolean }): Promise<void> {
  if (empty) await node.crash();
  await node.restart();
}

async function named<T>({ name }: Kind, result: Promise<T>): Promise<T> {
  try {
    return await result;
  } catch (error) {
    throw new Error(`${name}: ${String(error)}`, { cause: error });
  }
}

async function openScene(
  kind: Kind,
  server: RedisServer,
  key: string,
  options: LockerOptions = {},
): Promise<Scene> {
  const proxy = await startProxy(server.port);
  const user = await kind.connect(proxy.port, "proxied");
  const events: LockEvent[] = [];
  const users = [user];
  const lockers: Locker[] = [];
  const ours = (locker: Locker): Locker => {
    lockers.push(locker);
    return locker;
  };
  const nameInRedis = kind.prefix + key;
  const onEvent = (event: LockEvent): void => {
    events.push(event);
    options.onEvent?.(event);
  };
  const locker = ours(user.locker({ commandTimeout: PATIENCE, ...options, onEvent }));
  // Cluster clients connect to a node when they first need it, which may take longer than a test's deadline.
  if (kind.cluster) await ours(user.locker({ ...options, commandTimeout: PATIENCE })).inspect(key);
  proxy.commands.clear();
  return {
    server,
    proxy,
    user,
    key,
    nameInRedis,
    locker,
    events,
    anotherLocker: (others) => ours(user.locker({ commandTimeout: PATIENCE, ...others })),
    rival: async () => {
      const another = await kind.connect(server.port);
      users.push(another);
      return ours(another.locker({ commandTimeout: PATIENCE }));
    },
    asked: () => proxy.commands.all.flatMap(scriptNames),
    value: () => get(server, kind.db, nameInRedis),
    [Symbol.asyncDispose]: async () => {
      await proxy.heal();
      for (const one of users) one.destroy();
      await Promise.all(lockers.map((locker) => locker.close()));
      await proxy.stop();
    },
  };
}

const scripts: readonly KnownScript[] = Object.values(byName);

/** So that no command needs a second round trip for its script's text. */
export function loadScripts(server: RedisServer): Promise<void> {
  return loadScriptsAt(server, scripts);
}

function scriptNames(command: Command): string[] {
  const script = scriptRunBy(command, scripts);
  return script ? [script.name] : [];
}

/** Matches the commands that run a script, by its hash or as text, alone or for many questions. */
export function runs({ name }: Script): (command: Command) => boolean {
  return (command) => scriptNames(command).some((one) => one === name || one === `${name}Many`);
}

/** GET in any database, without leaving another one selected. */
async function get(server: RedisServer, db: number, key: string): Promise<unknown> {
  const source = "redis.call('SELECT', ARGV[1]) return redis.call('GET', KEYS[1])";
  if (db !== 0) return server.command("EVAL", source, "1", key, String(db));
  return server.command("GET", key);
}
