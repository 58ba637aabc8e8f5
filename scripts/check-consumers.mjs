/**
 * Installs the packed packages in an empty folder, as their users do, and there compiles
 * `consumer/*.ts` as ES module and as CommonJS and runs both under each Node that is supported.
 */
import { cpSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startServer } from "@redislock/test-kit";
import { clients, consumersFolder, decorators, typescripts } from "./consumers.mjs";
import { installPacked } from "./public-packages.mjs";
import { installRuntimes } from "./runtimes.mjs";
import { quietly, runMain, say } from "./shell.mjs";

const resolutions = {
  node16: { module: "node16", moduleResolution: "node16" },
  bundler: { module: "preserve", moduleResolution: "bundler", noEmit: true },
};

const common = {
  strict: true,
  target: "ES2022",
  rootDir: ".",
  outDir: "out",
  // Our declarations must need no more than these; esnext.disposable, in particular, is not there.
  lib: ["ES2022", "DOM"],
  skipLibCheck: false,
};

/** @type {Record<string, { files: string[], types: string[], options?: object }>} */
const projects = {
  core: { files: ["core.mts", "core.cts", "copies.mts"], types: [] },
  adapters: {
    files: ["ioredis", "iovalkey", "node-redis", "valkey-glide", "testing"].flatMap((name) => [
      `${name}.mts`,
      `${name}.cts`,
    ]),
    types: ["node"],
  },
  opentelemetry: {
    files: ["opentelemetry.mts", "opentelemetry.cts"],
    types: ["node"],
  },
  nestjs: {
    files: ["nestjs.mts", "nestjs.cts"],
    types: ["node"],
    // Nest's own declarations name packages that are optional to it.
    options: { ...decorators, skipLibCheck: true },
  },
};

await runMain(async () => {
  const { nodes } = installRuntimes();
  const folder = mkdtempSync(join(tmpdir(), "redislock-consumers-"));
  try {
    install(folder);
    for (const version of typescripts) {
      compile(folder, version);
      console.log(`TypeScript ${version}: types resolve, ES module and CommonJS`);
    }
    const server = await startServer();
    try {
      for (const { name, program } of nodes) {
        for (const file of readdirSync(join(folder, "out"))) {
          quietly(program, [join("out", file), server.url], folder);
        }
        console.log(`${name}: locks obtained, ES module and CommonJS`);
      }
    } finally {
      await server.stop();
    }
    return 0;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

/** @param {string} folder */
function install(folder) {
  const compilers = typescripts.map((version) => `typescript-${version}@npm:typescript@${version}`);
  const others = [...compilers, ...clients, "@types/node@20"];
  say(`in an empty folder: \`npm install <our tarballs> ${others.join(" ")}\``);
  installPacked(folder, others);
}

/**
 * @param {string} folder
 * @param {string} version of TypeScript
 */
function compile(folder, version) {
  const tsc = join(folder, "node_modules", `typescript-${version}`, "bin", "tsc");
  for (const [project, { files, types, options }] of Object.entries(projects)) {
    for (const file of files) {
      cpSync(join(consumersFolder, file.replace(/[mc]ts$/, "ts")), join(folder, file));
    }
    for (const [name, resolution] of Object.entries(resolutions)) {
      const config = join(folder, `${project}.${name}.json`);
      const compilerOptions = { ...common, ...resolution, ...options, types };
      writeFileSync(config, JSON.stringify({ compilerOptions, files }));
      quietly(process.execPath, [tsc, "--project", config], folder);
    }
  }
}
