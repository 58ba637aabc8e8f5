import { spawn, type ChildProcess } from "node:child_process";
import { mkdtemp, open, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { freeClusterPort, freePort } from "./free-port.js";
import { endWithThisProcess } from "../processes/lifeline.js";
import { connect, type RespConnection } from "../protocol/resp-connection.js";
import { RespError, type Reply } from "../protocol/resp.js";
import { waitUntil } from "../promises/wait-until.js";

/** Milliseconds a server may take from its start to its first answer. */
const START_TIMEOUT = 60_000;
const PORT_TRIES = 3;

const CHANNEL_RULE = /^(&.*|allchannels|resetchannels)$/;
const CHANNEL_RULE_REFUSED = /^ERR Error in ACL SETUSER modifier '(&|\w+channels')/;

/** How a server is started. */
export interface ServerOptions {
  /** More arguments for the server: `["--maxmemory", "2mb"]`. */
  readonly args?: readonly string[];
  /** The port to listen on. Default: a free one. */
  readonly port?: number;
  /** The text of a configuration file that the server may write to. Default: no such file. */
  readonly config?: string;
}

/**
 * Starts an empty server on 127.0.0.1 that saves nothing, and resolves when it answers. It ends with
 * `stop`, and at the latest with this process.
 *
 * The environment's `REDIS_SERVER` is the path of the server to start. Default: `redis-server`.
 */
export async function startServer(options: ServerOptions = {}): Promise<RedisServer> {
  const { args = [], port, config } = options;
  if (port !== undefined) return startServerAt(port, args, config);
  // A node of a cluster listens on a second port.
  const isNode = args.includes("--cluster-enabled");
  return startServerWhereFree(isNode ? freeClusterPort : freePort, args, config);
}

/** As {@link startServer}, at a port from `choosePort`: at another if that was taken meanwhile. */
export async function startServerWhereFree(
  choosePort: () => Promise<number>,
  args: readonly string[],
  config?: string,
): Promise<RedisServer> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await startServerAt(await choosePort(), args, config);
    } catch (error) {
      if (tries === PORT_TRIES || !String(error).includes("Address already in use")) throw error;
    }
  }
}

async function startServerAt(
  port: number,
  args: readonly string[],
  config?: string,
): Promise<RedisServer> {
  const directory = await mkdtemp(join(tmpdir(), "redis-server-"));
  const file = join(directory, "server.conf");
  if (config !== undefined) await writeFile(file, config);
  const configFile = config === undefined ? [] : [file];
  const server = new RedisServer(port, directory, args, configFile);
  try {
    await server.restart();
    return server;
  } catch (error) {
    await server.stop();
    throw error;
  }
}

/** A running server. Only the tests that started it use it, so they may do with it what they like. */
export class RedisServer {
  readonly port: number;
  /** `redis://127.0.0.1:<port>` */
  readonly url: string;

  readonly #directory: string;
  readonly #args: readonly string[];
  readonly #configFile: readonly string[];
  #child: ChildProcess | undefined;
  #exited: Promise<void> = Promise.resolve();
  #connection: Promise<RespConnection> | undefined;

  /** Use {@link startServer}. */
  constructor(
    port: number,
    directory: string,
    args: readonly string[],
    configFile: readonly string[],
  ) {
    this.port = port;
    this.url = `redis://127.0.0.1:${port}`;
    this.#directory = directory;
    this.#args = args;
    this.#configFile = configFile;
  }

  /** Of the process that runs now; a restart changes it. */
  get pid(): number {
    if (this.#child?.pid === undefined) throw new Error("The server is not running");
    return this.#child.pid;
  }

  /**
   * Sends a command over a connection of its own. Rejects with a {@link RespError}. What `ACL SETUSER` says
   * about channels is left out for servers before 6.2, where everybody may use all of them.
   */
  async command(...args: (string | Buffer)[]): Promise<Reply> {
    const connection = await this.#connect();
    try {
      return await connection.send(...args);
    } catch (error) {
      const others = args.filter((arg) => !CHANNEL_RULE.test(String(arg)));
      const isRule = error instanceof RespError && CHANNEL_RULE_REFUSED.test(error.message);
      if (!isRule || others.length === args.length) throw error;
      return connection.send(...others);
    }
  }

  /** Ends the server, in whatever state it is, and removes its files. */
  async stop(): Promise<void> {
    await this.crash();
    await rm(this.#directory, { recursive: true, force: true });
  }

  /** Sends SIGKILL: the server is gone without a word. */
  kill(): void {
    this.#child?.kill("SIGKILL");
  }

  /** Sends SIGKILL and waits until the process is gone. What it held in memory is lost. */
  async crash(): Promise<void> {
    this.kill();
    await this.#exited;
  }

  /** Sends SIGSTOP: the server answers no more, while its connections stay open. */
  pause(): void {
    this.#child?.kill("SIGSTOP");
  }

  /** Ends a pause. */
  resume(): void {
    this.#child?.kill("SIGCONT");
  }

  /**
   * Starts the server again at the same port; all connections break. A running server hands its data
   * over to the next, unless `empty` is set. After `crash` there is no more than it had written down,
   * by default nothing.
   */
  async restart(options: { readonly empty?: boolean } = {}): Promise<void> {
    this.resume();
    if (this.#child && options.empty !== true) await this.#saveAndExit();
    await this.crash();
    if (options.empty === true) await this.#forget();
    await this.#start();
    // Read by now. A later crash must not bring back the data of today.
    await rm(join(this.#directory, "dump.rdb"), { force: true });
  }

  async #saveAndExit(): Promise<void> {
    try {
      await this.command("SHUTDOWN", "SAVE");
    } catch (error) {
      // The one good answer is none: the connection ends with the server.
      if (error instanceof RespError) throw error;
    }
    await this.#exited;
  }

  async #start(): Promise<void> {
    const log = await open(this.#logPath, "a");
    const child = spawn(binary(), [...this.#configFile, ...this.#standardArgs(), ...this.#args], {
      stdio: ["ignore", log.fd, log.fd],
    });
    let failure: string | undefined;
    this.#child = child;
    this.#exited = new Promise((resolve) => {
      const end = (reason: string): void => {
        failure = reason;
        this.#child = undefined;
        resolve();
      };
      child.once("error", ({ message }) => {
        end(`${message}. Install redis, or set REDIS_SERVER to the path of a server`);
      });
      child.once("exit", (code, signal) => {
        end(`it exited with ${String(code ?? signal)}`);
      });
    });
    endWithThisProcess(child, this.#directory);
    await log.close();
    await this.#untilItAnswers(() => failure);
  }

  async #untilItAnswers(failure: () => string | undefined): Promise<void> {
    const what = `${binary()} on port ${this.port} to answer`;
    try {
      await waitUntil(() => failure() !== undefined || this.#answers(), {
        what,
        timeout: START_TIMEOUT,
      });
      if (failure() !== undefined) throw new Error(`Waited in vain for ${what}: ${failure()}`);
    } catch (error) {
      const log = await readFile(this.#logPath, "utf8");
      throw new Error(`${String(error)}\nIts log:\n${log}`, { cause: error });
    }
  }

  async #answers(): Promise<boolean> {
    try {
      await this.command("PING");
      return true;
    } catch (error) {
      // An error is an answer (of a server with a password), except while data is being read in.
      return error instanceof RespError && error.code !== "LOADING";
    }
  }

  #connect(): Promise<RespConnection> {
    if (!this.#connection) {
      const connection = connect(this.#socketPath);
      const forget = (): void => {
        if (this.#connection === connection) this.#connection = undefined;
      };
      void connection.then(({ closed }) => closed).then(forget, forget);
      this.#connection = connection;
    }
    return this.#connection;
  }

  /** Everything in the directory but the log. */
  async #forget(): Promise<void> {
    for (const name of await readdir(this.#directory)) {
      const path = join(this.#directory, name);
      if (path !== this.#logPath) await rm(path, { recursive: true });
    }
  }

  get #logPath(): string {
    return join(this.#directory, "server.log");
  }

  /** Whoever answers there is our server; at the port, another might that was quicker to take it. */
  get #socketPath(): string {
    return join(this.#directory, "server.sock");
  }

  #standardArgs(): string[] {
    return [
      ...["--port", String(this.port)],
      ...["--bind", "127.0.0.1"],
      ...["--unixsocket", this.#socketPath],
      ...["--dir", this.#directory],
      ...["--save", ""],
      ...["--appendonly", "no"],
    ];
  }
}

function binary(): string {
  return process.env["REDIS_SERVER"] ?? "redis-server";
}
