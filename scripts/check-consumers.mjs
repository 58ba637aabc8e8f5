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
import { pack, publicPackages } from "./public-packages.mjs";
import { ensureRedis, withRedis } from "./redis.mjs";
import { build } from "./setup.mjs";
import { quietly, root, runMain } from "./shell.mjs";

const nodes = [20, 22, 24];

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
  await build();
  await ensureRedis();
  const folder = mkdtempSync(join(tmpdir(), "redislock-consumers-"));
  try {
    await install(folder);
    for (const version of typescripts) {
      await compile(folder, version);
      console.log(`TypeScript ${version}: types resolve, ES module and CommonJS`);
    }
    await withRedis(async (url) => {
      for (const major of nodes) {
        const node = await nodeOf(major);
        for (const file of readdirSync(join(folder, "out"))) {
          await quietly(node, [join("out", file), url], { cwd: folder });
        }
        const version = await quietly(node, ["--version"]);
        console.log(`Node ${version.trim()}: locks obtained, ES module and CommonJS`);
      }
    });
    return 0;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

/** @param {string} folder */
async function install(folder) {
  writeFileSync(join(folder, "package.json"), '{ "private": true }\n');
  const tarballs = [];
  for (const found of publicPackages()) tarballs.push((await pack(found.folder, folder)).tarball);
  const compilers = typescripts.map((version) => `typescript-${version}@npm:typescript@${version}`);
  await npmInstall(folder, [...tarballs, ...compilers, "ioredis@6", "redis@6", "@types/node@20"]);
}

/**
 * @param {string} folder
 * @param {string} version of TypeScript
 */
async function compile(folder, version) {
  const tsc = join(folder, "node_modules", `typescript-${version}`, "bin", "tsc");
  for (const [project, { files, types }] of Object.entries(projects)) {
    for (const file of files) {
      cpSync(join(root, "scripts/consumer", file.replace(/[mc]ts$/, "ts")), join(folder, file));
    }
    for (const [name, resolution] of Object.entries(resolutions)) {
      const config = join(folder, `${project}.${name}.json`);
      const compilerOptions = { ...common, ...resolution, types };
      writeFileSync(config, JSON.stringify({ compilerOptions, files }));
      await quietly(process.execPath, [tsc, "--project", config], { cwd: folder });
    }
  }
}

/**
 * The program itself, from the npm package that carries it for this platform: no install script.
 * @param {number} major
 */
async function nodeOf(major) {
  if (Number.parseInt(process.versions.node) === major) return process.execPath;
  const name = `node-${process.platform}-${process.arch}`;
  const folder = join(root, "node_modules/.cache/redislock", `node-${major}`);
  const program = join(folder, "node_modules", name, "bin/node");
  if (!existsSync(program)) {
    mkdirSync(folder, { recursive: true });
    await npmInstall(folder, [`${name}@${major}`]);
  }
  return program;
}

/**
 * @param {string} folder
 * @param {string[]} packages
 */
async function npmInstall(folder, packages) {
  const flags = ["--ignore-scripts", "--no-audit", "--no-fund", "--prefix", folder];
  await quietly("npm", ["install", ...flags, ...packages], { cwd: folder });
}
