/** What is good and bad for locks about a server, and what to do. */
import { randomBytes } from "node:crypto";
import { stdout } from "node:process";

import type { Command } from "commander";
import type { Redis } from "ioredis";

import { type Finding, finding, type Mark } from "../doctor/check.js";
import { checkLock } from "../doctor/lock.js";
import { checkMessages } from "../doctor/messages.js";
import { checkPermissions } from "../doctor/permissions.js";
import { checkServer } from "../doctor/server.js";
import { checkTiming } from "../doctor/timing.js";
import { ending, exitCodes } from "../exit-codes.js";
import { Failure } from "../failure.js";
import { connectBy, type ServerOptions, takesServer } from "../options.js";
import { type Paint, paletteFor } from "../output/colour.js";
import { print, printJson } from "../output/out.js";
import { count, plain } from "../output/text.js";
import type { Connection } from "../redis/connection.js";
import { explain } from "../redis/explain.js";

interface DoctorOptions extends ServerOptions {
  readonly json?: true;
}

interface Diagnosis {
  /** Which server, host and port. */
  readonly server: string;
  readonly findings: readonly Finding[];
}

const EXAMPLES = `
Ask as the user that the application has. Whatever a user may not see is marked "?", and no error.
Exit code 1 if anything is marked FAIL.

Examples:
  redislock doctor
  redislock doctor lock:         where the user may only touch keys that begin so
  redislock doctor --json | jq '.[].findings[] | select(.mark == "fail")'`;

export function addDoctor(program: Command): void {
  takesServer(
    program
      .command("doctor")
      .summary("check whether a server is fit for locks")
      .description("Checks what matters for locks about each master, and says what it means.")
      .argument("[prefix]", "what your keys begin with")
      .option("--json", "as JSON"),
  )
    .addHelpText("after", EXAMPLES)
    .action(ending(doctor));
}

async function doctor(prefix: string = "", options: DoctorOptions): Promise<number> {
  const connection = await connectBy(options);
  try {
    const diagnoses = await diagnose(connection, prefix, options.namespace);
    if (options.json) printJson(diagnoses);
    else show(diagnoses);
    const marks = diagnoses.flatMap(({ findings }) => findings.map(({ mark }) => mark));
    return marks.includes("fail") ? exitCodes.no : exitCodes.ok;
  } catch (error) {
    if (error instanceof Failure) throw error;
    throw new Failure(explain([error], connection.target), exitCodes.redis);
  } finally {
    connection.close();
  }
}

async function diagnose(
  connection: Connection,
  prefix: string,
  namespace: string,
): Promise<Diagnosis[]> {
  const masters = await connection.masters();
  const key = `${prefix}redislock-doctor:${randomBytes(6).toString("hex")}`;
  const diagnoses: Diagnosis[] = [];
  for (const [i, master] of masters.entries()) {
    // In a cluster a message may come by any node.
    const listener = masters[(i + 1) % masters.length] ?? master;
    const messages = await checkMessages(listener, master);
    const names = {
      key: namespace + key,
      fence: `${namespace}redislock{AAA}`,
      prefix: plain(namespace + prefix),
    };
    diagnoses.push({
      server: nameOf(master),
      findings: [
        ...(await checkServer(master, connection.target.kind !== "cluster")),
        ...(await checkTiming(master)),
        messages.finding,
        await checkPermissions(master, messages.subscribing, names),
      ],
    });
  }
  const last = diagnoses.pop();
  if (!last)
    return [{ server: "-", findings: [finding("role", "fail", "no master", "try later")] }];
  // One lock proves it for all: in a cluster it is in one place, whichever that is.
  const lock = await checkLock(connection, key, namespace);
  return [...diagnoses, { ...last, findings: [...last.findings, lock] }];
}

function nameOf({ options, stream }: Redis): string {
  const { host = "?", port = "?" } = options;
  // Behind sentinels, the options do not say where the master is.
  return `${stream.remoteAddress ?? host}:${stream.remotePort ?? port}`;
}

function show(diagnoses: readonly Diagnosis[]): void {
  const palette = paletteFor(stdout);
  const paints: Readonly<Record<Mark, readonly [string, Paint]>> = {
    ok: ["ok", palette.green],
    warn: ["warn", palette.yellow],
    fail: ["FAIL", palette.red],
    unknown: ["?", palette.dim],
  };
  for (const { server, findings } of diagnoses) {
    print(palette.bold(server));
    for (const { check, mark, found, meaning, acl } of findings) {
      const [word, paint] = paints[mark];
      print(`${paint(word.padEnd(4))}  ${check.padEnd(11)}  ${plain(found)}`);
      for (const line of wrapped(meaning)) print(`${INDENT}${palette.dim(line)}`);
      if (acl !== undefined) print(`${INDENT}${acl}`);
    }
    print("");
  }
  const marks = diagnoses.flatMap(({ findings }) => findings.map(({ mark }) => mark));
  const number = (mark: Mark): number => marks.filter((one) => one === mark).length;
  const parts = [
    count(number("fail"), "failure"),
    count(number("warn"), "warning"),
    ...(number("unknown") > 0 ? [`${number("unknown")} not to be seen by this user`] : []),
  ];
  print(parts.join(", "));
}

const INDENT = " ".repeat(19);

function wrapped(text: string): string[] {
  const width = Math.max(40, Math.min(stdout.columns || 100, 100) - INDENT.length);
  const lines = [""];
  for (const word of text.split(" ")) {
    const last = lines.length - 1;
    const longer = lines[last] ? `${lines[last]} ${word}` : word;
    if (longer.length > width) lines.push(word);
    else lines[last] = longer;
  }
  return lines;
}
