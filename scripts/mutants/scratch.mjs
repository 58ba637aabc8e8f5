/** Copies of the packages in which bugs are planted: the source tree is never touched. */
import { spawn } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { QUORUM, quorumText, scriptsOf, scriptsText } from "../generate-lua.mjs";
import { root } from "../shell.mjs";

/** @typedef {import("../generate-lua.mjs").Script} Script */
/** @typedef {import("./first-failure.mjs").Report} Report */

/**
 * @typedef {object} Outcome
 * @property {"killed" | "survived" | "timeout"} status
 * @property {string} [file] that of the test that killed it
 * @property {string} [test]
 * @property {string} [message]
 * @property {Record<string, number>} ms for each test file that passed
 */

const PACKAGES = ["core", "test-kit", "testing"];
/**
 * Names of tests but those that compare a mutant with itself, in two servers: what differs there says
 * something of the servers only.
 */
const WANTED_TESTS = "^(?!the server in memory answers as Redis does)";
const LEFT_OUT = new Set(["temp", "coverage", ".turbo"]);
const config = fileURLToPath(new URL("jest.config.mjs", import.meta.url));

export class Scratch {
  #folder;
  /** @type {import("node:child_process").ChildProcess | undefined} */
  #child;

  /** @param {number} number */
  constructor(number) {
    this.#folder = join(root, "temp/mutants", `scratch-${number}`);
    rmSync(this.#folder, { recursive: true, force: true });
    mkdirSync(join(this.#folder, "packages"), { recursive: true });
    // What node_modules of packages link to is two folders up, there as here.
    symlinkSync(join(root, "node_modules"), join(this.#folder, "node_modules"));
    for (const file of ["package.json", "tsconfig.base.json", "jest.config.base.js"]) {
      cpSync(join(root, file), join(this.#folder, file));
    }
    for (const name of PACKAGES) {
      cpSync(join(root, "packages", name), join(this.#folder, "packages", name), {
        recursive: true,
        verbatimSymlinks: true,
        filter: (path) => !LEFT_OUT.has(basename(path)),
      });
    }
  }

  /** Ends what runs in it, with all that this started. */
  end() {
    const { pid, exitCode, signalCode } = this.#child ?? {};
    if (pid === undefined || exitCode !== null || signalCode !== null) return;
    process.kill(-pid, "SIGKILL");
  }

  /**
   * @param {ReadonlyMap<string, string>} files the Lua files that the copy has from now on
   */
  use(files) {
    const [scripts, ofQuorum] = [scriptsOf(files), scriptsOf(files, QUORUM)];
    this.#write("lua", "scripts", scripts, scriptsText(scripts));
    this.#write(`lua/${QUORUM}`, "quorumScripts", ofQuorum, quorumText(ofQuorum, scripts));
  }

  /**
   * Core's own tests read the source, all others what was built.
   *
   * @param {string} below
   * @param {string} what by which name others import them
   * @param {readonly Script[]} scripts
   * @param {string} text
   */
  #write(below, what, scripts, text) {
    const core = join(this.#folder, "packages/core");
    const values = JSON.stringify(
      Object.fromEntries(scripts.map(({ name, sha1, source }) => [name, { name, sha1, source }])),
    );
    writeFileSync(join(core, "src", below, "scripts.generated.ts"), text);
    writeFileSync(
      join(core, "dist/esm", below, "scripts.generated.js"),
      `export const ${what} = ${values};`,
    );
    writeFileSync(
      join(core, "dist/cjs", below, "scripts.generated.js"),
      `Object.defineProperty(exports, "__esModule", { value: true }); exports.${what} = ${values};`,
    );
  }

  /**
   * Runs test files, one after the other, until the first test fails.
   *
   * @param {readonly string[]} files from the root of the repository
   * @param {number} timeout in milliseconds
   * @returns {Promise<Outcome>}
   */
  async test(files, timeout) {
    const report = join(this.#folder, "report.jsonl");
    writeFileSync(report, "");
    const args = [
      ...["--experimental-vm-modules", "--no-warnings"],
      join(root, "packages/core/node_modules/jest/bin/jest.js"),
      ...["--config", config, "--runInBand", "--silent", "--testNamePattern", WANTED_TESTS],
      "--runTestsByPath",
      ...files.map((file) => join(this.#folder, file)),
    ];
    const child = spawn(process.execPath, args, {
      cwd: this.#folder,
      // A group of its own, to be ended as one.
      detached: true,
      stdio: ["ignore", "ignore", "pipe"],
      env: {
        ...process.env,
        MUTANTS_SCRATCH: this.#folder,
        MUTANTS_ORDER: JSON.stringify(files),
        MUTANTS_REPORT: report,
      },
    });
    this.#child = child;
    let errors = "";
    child.stderr.setEncoding("utf8").on("data", (/** @type {string} */ text) => {
      errors += text;
    });
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      this.end();
    }, timeout);
    /** @type {number | null} */
    const code = await new Promise((resolve, reject) => {
      child.on("error", reject);
      child.on("exit", resolve);
    });
    clearTimeout(timer);
    /** @type {Record<string, number>} */
    const ms = {};
    for (const line of readFileSync(report, "utf8").split("\n").filter(Boolean)) {
      const what = /** @type {Report} */ (JSON.parse(line));
      if ("killedBy" in what) {
        const { file, killedBy: test, message } = what;
        return { status: "killed", file, test, message, ms };
      }
      ms[what.file] = what.ms;
    }
    if (isLate) return { status: "timeout", ms };
    if (code === 0 && Object.keys(ms).length === files.length) return { status: "survived", ms };
    // No mutant, but whoever runs them has a fault.
    throw new Error(`Jest ended with ${String(code)} without a failed test:\n${errors}`);
  }
}
