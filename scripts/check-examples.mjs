/**
 * The examples in doc comments, which editors and the API reference show, are right by their types: each
 * is compiled, as the body of a function, against the packages as they are built.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { root, runMain } from "./shell.mjs";

/**
 * What the examples of a package may use without saying where it comes from.
 *
 * @typedef {object} Setting
 * @property {string} from a package that has all that is imported among its dependencies
 * @property {string[]} modules of which they may use every export
 * @property {string} [given] what else is there
 */

const LOCKER = `
  declare const locker: Locker, signal: AbortSignal;
  declare function pay(options?: object): Promise<void>;`;
const IOREDIS = `
  import { Redis } from "ioredis";
  declare const redis: Redis;`;

/** @type {Record<string, Setting>} */
const settings = {
  core: {
    from: "opentelemetry",
    modules: ["@redislock/core", "@redislock/core/adapter", "@redislock/ioredis"],
    given: `${LOCKER}
      import { hostname } from "node:os";
      declare const lock: Lock, url: string, pages: string[];
      declare function write(page: string, fence: number): Promise<void>;
      declare function readPrices(): Promise<number[]>;
      declare function sendMail(): Promise<void>;
      declare function writeReport(signal: AbortSignal): Promise<void>;
      import type { Socket } from "node:net";
      declare const socket: Socket, nodes: { host: string; port: number }[];
      declare function runDueJobs(fence: number): Promise<void>;
      interface MyClient {
        evalsha(sha1: string, keys: number, ...rest: string[]): Promise<unknown>;
        eval(source: string, keys: number, ...rest: string[]): Promise<unknown>;
        duplicate(options: { reconnect: false }): MyConnection;
        on(event: "reconnecting", listener: () => void): void;
        off(event: "reconnecting", listener: () => void): void;
      }
      interface MyConnection {
        on(event: "close", listener: (reason: unknown) => void): void;
        subscribe(channel: string, listener: (text: string) => void): Promise<void>;
        close(): void;
      }
      declare function commandsOf(client: MyClient, ...of: unknown[]): ScriptCommands;
      declare const redis: MyClient & IoredisLike;`,
  },
  ioredis: {
    from: "opentelemetry",
    modules: ["@redislock/ioredis", "@redislock/ioredis/quorum"],
    given: `${LOCKER} ${IOREDIS} declare const urls: string[];`,
  },
  "node-redis": {
    from: "opentelemetry",
    modules: ["@redislock/node-redis", "@redislock/node-redis/quorum"],
    given: `${LOCKER}
      import { createClient } from "redis";
      declare const clients: ReturnType<typeof createClient>[];`,
  },
  "valkey-glide": {
    from: "valkey-glide",
    modules: ["@redislock/valkey-glide", "@redislock/valkey-glide/quorum"],
    given: `${LOCKER}
      import { GlideClient } from "@valkey/valkey-glide";
      declare const clients: GlideClient[];`,
  },
  testing: {
    from: "testing",
    modules: ["@redislock/testing", "@redislock/testing/conformance", "@redislock/core"],
    given: `${LOCKER}
      import { describe, it } from "node:test";
      interface MyClient { close(): void }
      declare function connectTo(port: number): Promise<MyClient>;
      declare function myClient(redis: MyClient): RedisClient;
      declare const server: { port: number; command(...words: string[]): Promise<unknown> };`,
  },
  opentelemetry: {
    from: "opentelemetry",
    modules: ["@redislock/opentelemetry", "@redislock/ioredis"],
    given: `${LOCKER} ${IOREDIS}
      import { hostname } from "node:os";
      declare function ship(): Promise<void>;`,
  },
  nestjs: {
    from: "nestjs",
    modules: ["@redislock/nestjs", "@redislock/ioredis", "@redislock/testing"],
    given: `${LOCKER} ${IOREDIS}
      import { Get, Module } from "@nestjs/common";
      interface Order { readonly id: string }
      declare const order: Order;
      declare function charge(order: Order, by: { signal: AbortSignal; fence: number }): Promise<void>;
      declare class ShopModule {}
      declare class RedisModule {}
      declare const REDIS: symbol;
      declare function HealthCheck(): MethodDecorator;
      declare const Test: {
        createTestingModule(metadata: object): {
          overrideProvider(token: unknown): { useValue(value: unknown): unknown };
        };
      };`,
  },
};

/** @type {ts.CompilerOptions} */
const options = {
  target: ts.ScriptTarget.ES2022,
  lib: ["lib.es2022.d.ts", "lib.dom.d.ts", "lib.esnext.disposable.d.ts"],
  module: ts.ModuleKind.NodeNext,
  strict: true,
  exactOptionalPropertyTypes: true,
  experimentalDecorators: true,
  skipLibCheck: true,
  noEmit: true,
  types: ["node"],
};

await runMain(() => {
  const examples = Object.keys(settings).flatMap((name) =>
    readdirSync(join(root, "packages", name, "src"), { recursive: true, encoding: "utf8" })
      .filter((file) => file.endsWith(".ts"))
      .flatMap((file) => examplesOf(name, `packages/${name}/src/${file}`)),
  );
  const files = new Map(examples.map((example) => [example.file, example]));
  /** @type {Map<string, string>} */
  const texts = new Map();
  for (const [name, { modules }] of Object.entries(settings)) {
    texts.set(probeOf(name), modules.map((module) => `import "${module}";`).join("\n"));
  }
  const names = exportsOf(compile(texts));
  texts.clear();
  for (const { file, name, code } of examples) texts.set(file, textOf(name, code, names));
  const program = compile(texts);
  const problems = ts.getPreEmitDiagnostics(program).map(({ file, messageText }) => {
    const example = file && files.get(file.fileName);
    const where = example ? `${example.path}\n${example.code}\n` : "";
    return `${where}${ts.flattenDiagnosticMessageText(messageText, "\n")}\n`;
  });
  for (const problem of problems) console.log(problem);
  console.log(`${examples.length} examples, ${problems.length} problems`);
  return problems.length === 0 && examples.length > 0 ? 0 : 1;
});

/**
 * @typedef {object} Example
 * @property {string} name the package
 * @property {string} path where it stands
 * @property {string} file as which it is compiled
 * @property {string} code
 */

/**
 * @param {string} name
 * @param {string} path
 * @returns {Example[]}
 */
function examplesOf(name, path) {
  const found = readFileSync(join(root, path), "utf8").matchAll(
    /^ *\* @example\n(?<body>(?: *\* (?!@).*\n| *\*\n)+)/gm,
  );
  return [...found].map((match, index) => {
    const body = match.groups?.["body"] ?? "";
    const code = body.replaceAll(/^ *\* ?/gm, "").replaceAll("\\@", "@");
    const { from } = settingOf(name);
    const file = join(root, "packages", from, `${path.replaceAll(/\W/g, "-")}-${index}.ts`);
    return { name, path, file, code };
  });
}

/** @param {string} name */
function settingOf(name) {
  const setting = settings[name];
  if (!setting) throw new Error(`what do the examples of ${name} use? See check-examples.mjs`);
  return setting;
}

/** @param {string} name */
function probeOf(name) {
  return join(root, "packages", settingOf(name).from, `exports-of-${name}.ts`);
}

/** @param {Map<string, string>} texts by the paths of files that there are not */
function compile(texts) {
  const real = ts.createCompilerHost(options);
  /** @type {ts.CompilerHost} */
  const host = {
    ...real,
    fileExists: (file) => texts.has(file) || real.fileExists(file),
    readFile: (file) => texts.get(file) ?? real.readFile(file),
    getSourceFile: (file, ...rest) => {
      const text = texts.get(file);
      return text === undefined
        ? real.getSourceFile(file, ...rest)
        : ts.createSourceFile(file, text, ts.ScriptTarget.ES2022, true);
    },
  };
  return ts.createProgram([...texts.keys()], options, host);
}

/**
 * @param {ts.Program} program
 * @returns {Map<string, readonly (readonly [module: string, names: readonly string[]])[]>} by package
 */
function exportsOf(program) {
  const checker = program.getTypeChecker();
  return new Map(
    Object.entries(settings).map(([name]) => {
      const imports = program
        .getSourceFile(probeOf(name))
        ?.statements.filter(ts.isImportDeclaration);
      const known = new Set();
      return [
        name,
        (imports ?? []).map(({ moduleSpecifier }) => {
          const symbol = checker.getSymbolAtLocation(moduleSpecifier);
          const all = symbol ? checker.getExportsOfModule(symbol).map((one) => one.name) : [];
          const names = all.filter((one) => !known.has(one));
          for (const one of names) known.add(one);
          return [moduleSpecifier.getText().slice(1, -1), names];
        }),
      ];
    }),
  );
}

/**
 * @param {string} name
 * @param {string} code
 * @param {ReturnType<typeof exportsOf>} names
 */
function textOf(name, code, names) {
  const { given = "" } = settingOf(name);
  const imports = (names.get(name) ?? []).map(
    ([module, all]) => `import { ${all.join(", ")} } from "${module}";`,
  );
  // A declaration stands by itself; what belongs into a class gets one.
  if (/^(export|@Module)/.test(code)) return [...imports, given, code].join("\n");
  const isMember = /^(@|constructor)/.test(code);
  const fields =
    "lockers!: LockerHealth; health!: { check(of: (() => Promise<unknown>)[]): unknown };";
  const body = isMember ? `class Example { ${fields} ${code} }` : code;
  return [...imports, given, `export async function example() {\n${body}\n}`].join("\n");
}
