/**
 * Redis, Valkey and Redict as Debian has them, old and new: fetched and unpacked into a folder of this
 * clone, with the libraries that they were built against. Nothing is installed. Needs apt, on a Debian
 * whose own sources say where packages come from, and no root.
 */
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { Failure, root } from "./shell.mjs";

/**
 * @typedef {object} DebianServer
 * @property {string} name
 * @property {"redis" | "valkey" | "redict"} family
 * @property {string[]} suites that it is in, and that its libraries are in
 * @property {string} [version] how its version begins; a suite that moves on has whatever is newest
 */

/** @type {readonly DebianServer[]} the oldest of each first */
export const servers = [
  { name: "redis@bullseye", family: "redis", suites: ["bullseye"], version: "6.0." },
  { name: "redis@bookworm", family: "redis", suites: ["bookworm"], version: "7.0." },
  { name: "redis@trixie", family: "redis", suites: ["trixie"], version: "8.0." },
  { name: "redis@sid", family: "redis", suites: ["sid"] },
  { name: "redis@experimental", family: "redis", suites: ["experimental", "sid"] },
  {
    name: "valkey@bookworm",
    family: "valkey",
    suites: ["bookworm-backports", "bookworm"],
    version: "8.0.",
  },
  { name: "valkey@trixie", family: "valkey", suites: ["trixie"], version: "8.1." },
  { name: "valkey@sid", family: "valkey", suites: ["sid"] },
  { name: "redict@sid", family: "redict", suites: ["sid"] },
];

export const folder = join(root, "node_modules/.cache/debian-servers");
/** Milliseconds for any one command. */
const PATIENCE = 60_000;

/**
 * @typedef {object} Fetched
 * @property {string} version
 * @property {string} path of its server, its client beside it: for `REDIS_SERVER`
 */

/**
 * Fetches a server, unless that was done.
 *
 * @param {DebianServer} server
 * @returns {Fetched}
 * @throws Failure if it cannot be had
 */
export function fetchServer(server) {
  const home = join(folder, server.name);
  const path = join(home, `${server.family}-server`);
  if (!existsSync(path)) {
    rmSync(home, { recursive: true, force: true });
    const packages = join(home, "packages");
    download(server, packages);
    unpack(server, packages, home);
    rmSync(packages, { recursive: true });
  }
  const said = must(path, ["--version"]);
  const [, version = ""] = / v=(\S+)/.exec(said) ?? [];
  if (version === "" || !version.startsWith(server.version ?? "")) {
    throw new Failure(`${server.name} says that it is: ${said}`);
  }
  return { version, path };
}

/**
 * @param {DebianServer} server
 * @param {string} to a folder, into whose `cache/archives` the packages come
 */
function download({ family, suites }, to) {
  for (const each of ["state/lists/partial", "cache/archives/partial"]) {
    mkdirSync(join(to, each), { recursive: true });
  }
  const sources = join(to, "sources.list");
  const [mirror, keyring] = debian();
  writeFileSync(
    sources,
    suites.map((suite) => `deb [signed-by=${keyring}] ${mirror} ${suite} main\n`).join(""),
  );
  // An apt of its own: it knows no source but ours, and of no package that is installed.
  const settings = {
    "Dir::Etc::sourcelist": sources,
    "Dir::Etc::sourceparts": "-",
    "Dir::Etc::preferencesparts": "-",
    "Dir::State": join(to, "state"),
    "Dir::State::status": "/dev/null",
    "Dir::Cache": join(to, "cache"),
    "APT::Sandbox::User": "root",
    "APT::Get::List-Cleanup": "false",
    "Debug::NoLocking": "true",
    "Acquire::Languages": "none",
    "Acquire::http::Timeout": "20",
    "Acquire::Retries": "1",
    "DPkg::Post-Invoke": "",
  };
  const options = Object.entries(settings).flatMap(([name, value]) => ["-o", `${name}=${value}`]);
  must("apt-get", [...options, "-qq", "update"]);
  const names = [`${family}-server`, `${family}-tools`];
  const how = ["-qq", "--yes", "--download-only", "--no-install-recommends"];
  must("apt-get", [...options, ...how, "-t", String(suites[0]), "install", ...names]);
}

/**
 * @returns {[mirror: string, keyring: string]} where this machine's own packages come from
 * @throws Failure on any other system than Debian
 */
function debian() {
  const keyring = "/usr/share/keyrings/debian-archive-keyring.gpg";
  const uris = run("apt-get", ["--print-uris", "update"]).stdout ?? "";
  const mirror = /'(\S+?\/debian\/?)\/?dists\/[a-z]+\/InRelease'/.exec(uris)?.[1];
  if (mirror && existsSync(keyring)) return [mirror, keyring];
  throw new Failure("these servers are Debian's, and this machine has no packages from there");
}

/**
 * Keeps the programs, the libraries that they need, and the loader that brings both together, whatever
 * system this is.
 *
 * @param {DebianServer} server
 * @param {string} packages
 * @param {string} home
 */
function unpack({ family }, packages, home) {
  const all = join(packages, "all");
  const archives = join(packages, "cache/archives");
  for (const file of readdirSync(archives).filter((name) => name.endsWith(".deb"))) {
    must("dpkg-deb", ["--extract", join(archives, file), all]);
  }
  const files = readdirSync(all, { recursive: true, encoding: "utf8" });
  const libraries = files.filter((file) => /\.so(\.[\d.]+)?$/.test(file));
  // Some links to it are absolute, and lead to this machine's own.
  const loader = libraries.find(
    (file) =>
      /^ld-linux.*\.so\.\d+$/.test(basename(file)) &&
      existsSync(join(all, file)) &&
      realpathSync(join(all, file)).startsWith(realpathSync(all)),
  );
  if (loader === undefined) throw new Failure("there is no loader among the packages");
  const paths = [...new Set(libraries.map((file) => join(all, dirname(file))))].join(":");
  mkdirSync(join(home, "lib"));
  copyFileSync(join(all, loader), join(home, "lib/loader"));
  for (const program of [`${family}-cli`, `${family}-server`]) {
    const bin = join(all, "usr/bin", program);
    copyFileSync(bin, join(home, "lib", program));
    const needed = must(join(home, "lib/loader"), ["--library-path", paths, "--list", bin]);
    for (const [, path = ""] of needed.matchAll(/=> (\S+)/g)) {
      copyFileSync(path, join(home, "lib", basename(path)));
    }
    // The server last: it is there when all is.
    const wrapper = join(home, program);
    const line = `exec "$lib/loader" --library-path "$lib" "$lib/${program}" "$@"`;
    writeFileSync(wrapper, `#!/bin/sh\nlib="$(dirname "$0")/lib"\n${line}\n`);
    chmodSync(wrapper, 0o755);
  }
}

/**
 * @param {string} program
 * @param {string[]} args
 */
function must(program, args) {
  const { status, signal, error, stdout, stderr } = run(program, args);
  if (status === 0) return stdout;
  const why = error?.message ?? `${stdout}${stderr}`.trim();
  throw new Failure(`${program} ${args.at(-1)} failed: ${why || (signal ?? status)}`);
}

/**
 * @param {string} program
 * @param {string[]} args
 */
function run(program, args) {
  const env = { ...process.env, LC_ALL: "C", DEBIAN_FRONTEND: "noninteractive" };
  return spawnSync(program, args, { encoding: "utf8", env, timeout: PATIENCE });
}
