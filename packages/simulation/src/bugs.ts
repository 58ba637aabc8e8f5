import type { Script } from "@redislock/core";

import { type Change, type LibraryBug, replaced } from "./library.js";
import type { Servers } from "./schedules/simulate.js";
import type { Trouble } from "./schedules/world.js";
import type { ServerBug } from "./server.js";
import type { Wrong } from "./violation.js";

/** A mistake that somebody could make, and what may come of it. */
export interface Bug {
  readonly name: string;
  readonly shows: readonly Wrong[];
  /** Which servers it is a bug of. Default: one. */
  readonly servers?: Servers;
  /** The troubles without which it does not show. */
  readonly needs?: readonly Trouble[];
  /** The first seed that is tried: those before do not show it, and would only take time. Default: 1. */
  readonly from?: number;
  readonly library?: LibraryBug;
  readonly server?: ServerBug;
}

/** Planted one at a time, to see that schedules by chance find them. */
export const bugs: readonly Bug[] = [
  {
    name: "a lease that counts from the reply, not from the command",
    shows: ["two holders at once", "a holder that is kept out by its fencing token"],
    library: {
      file: "redis/sending.js",
      change: ["sentAt: this.#sentAt, once", "sentAt: this.#sender.timers.now(), once"],
    },
  },
  {
    name: "a release that does not look whose lock it is",
    shows: ["two holders at once"],
    server: {
      source: changed(["release"], ["if mine then", "if held then"]),
    },
  },
  {
    name: "a wake-up that is lost between being told to wait and standing in line",
    shows: ["a free lock with somebody in line"],
    server: {
      lateEnqueue: {
        delay: 20,
        source: changed(
          ["obtain"],
          ["local untouched, echo = not id or", "local untouched, echo = false and"],
          [
            "local owned, free, fence, longest = 0, true,",
            "local owned, free, fence, longest = 0, false,",
          ],
        ),
      },
    },
  },
  {
    name: "a grant that is kept after giving up",
    shows: ["something left behind"],
    library: {
      file: "acquire/traces.js",
      change: ["async takeBack(owned) {", "async takeBack(owned) { return undefined;"],
    },
  },
  {
    name: "a refresh that brings back a lock that is gone",
    shows: ["a lock that is held again without a new fencing token"],
    server: {
      source: changed(
        ["refresh"],
        [
          "local mine = held == value",
          "if held == '' then\n" +
            "call('SET', KEYS[i], value, 'PX', ttl)\n" +
            "held = value\n" +
            "end\n" +
            "local mine = held == value",
        ],
      ),
    },
  },
  {
    name: "a fencing token that is not raised above the last one",
    shows: [
      "a fencing token that does not rise",
      "a lock that is held again without a new fencing token",
    ],
    server: {
      source: changed(
        ["obtain", "release", "leave"],
        ["if last and last >= micros then", "if last then"],
        ["fence = string.format('%.0f', last + 1)", "fence = string.format('%.0f', last)"],
      ),
    },
  },
  {
    name: "a grant that is believed although its lock may be another's by now",
    shows: ["two holders at once", "a holder that is kept out by its fencing token"],
    from: 45,
    library: { file: "acquire/wait.js", change: ["proof !== this.#proof || ", ""] },
  },
  {
    name: "a grant that is believed although its lease is over",
    shows: ["a lock that is over when it is obtained"],
    from: 45,
    library: {
      file: "acquire/wait.js",
      change: [" || acquisition.isOver(sentAt, ttl)", ""],
    },
  },
  {
    name: "a reply that is believed although the lease it grants is over",
    shows: ["a lock that is over when it is obtained"],
    library: {
      file: "acquire/acquisition.js",
      change: ["granted && this.isOver(outcome.sentAt, claim.ttl)", "false"],
    },
  },
  {
    name: "a renewal that counts from the reply, not from the command",
    shows: ["two holders at once", "a holder that is kept out by its fencing token"],
    library: {
      file: "lease/renewal.js",
      change: [
        "lease.refreshed(outcome.sentAt, ttl)",
        "lease.refreshed(this.#commands.timers.now(), ttl)",
      ],
    },
  },
  {
    name: "a renewal without a reply that is taken for one that was done",
    shows: ["two holders at once", "a holder that is kept out by its fencing token"],
    library: {
      file: "lease/renewal.js",
      change: [
        'if (outcome.kind !== "reply") {',
        'if (outcome.kind === "unknown") lease.refreshed(this.#commands.timers.now(), ttl);\n' +
          'if (outcome.kind !== "reply") {',
      ],
    },
  },
  {
    name: "a refresh for a shorter time that counts only once it is answered",
    shows: ["two holders at once", "a holder that is kept out by its fencing token"],
    needs: ["delay", "loseReply"],
    from: 30,
    library: {
      file: "lease/renewal.js",
      change: ["lease.refreshing(now, ttl);", ""],
    },
  },
  {
    name: "a batch whose replies go to the wrong commands",
    shows: ["two holders at once", "a fencing token that does not rise"],
    library: {
      file: "redis/batcher.js",
      change: ["replies[index]", "replies[parts.length - 1 - index]"],
    },
  },
  {
    name: "a batch in which all commands say what the first one does",
    shows: [
      "a grant that nobody is told of",
      "two holders at once",
      "a holder that is turned away",
    ],
    library: {
      file: "redis/batcher.js",
      change: ["args.push(...command.args)", "args.push(...first.command.args)"],
    },
  },
  {
    name: "a waiter that has to ask, and is not put back into its place",
    shows: ["a waiter that is served before its turn", "a free lock with somebody in line"],
    server: {
      source: changed(
        ["obtain", "release", "leave", "forceRelease"],
        ["call('ZADD', KEYS[i + 3], ticket, id)\n", ""],
      ),
    },
  },
  {
    name: "a message that is put into the mailbox of who came last",
    shows: ["a grant that nobody is told of"],
    library: {
      file: "acquire/inbox.js",
      change: [
        "this.#mailboxes.get(Number(number));",
        "this.#mailboxes.get(Number(number)) && [...this.#mailboxes.values()].at(-1);",
      ],
    },
  },
  {
    name: "a batch of releases that does not look whose locks they are",
    shows: ["two holders at once"],
    needs: ["delay", "duplicate"],
    from: 60,
    server: {
      source: (script) =>
        script.name === "releaseMany"
          ? replaced(script.source, ["if mine then", "if held then"])
          : script.source,
    },
  },
  {
    name: "a lease that is not started anew by a copy that is sent because the first was not answered",
    shows: ["two holders at once", "a holder that is kept out by its fencing token"],
    needs: ["delay", "loseReply", "cut"],
    from: 900,
    server: {
      source: changed(["shorten"], ["not number or order == last or", "not number or"]),
    },
  },
  {
    name: "a lease that a late copy of an earlier refresh cuts",
    shows: ["two holders at once", "a holder that is kept out by its fencing token"],
    needs: ["delay", "duplicate", "reorder"],
    from: 180,
    server: {
      source: changed(["shorten"], ["if number and order > last then", "if number then"]),
    },
  },
];

/** Those that show only where something happens to the server or to subscriptions. */
export const bugsAfterMishaps: readonly Bug[] = [
  {
    name: "a waiter that does not ask for an echo",
    shows: ["a subscription that stays deaf"],
    needs: ["deaf"],
    library: {
      file: "acquire/wait.js",
      change: [
        'const echo = this.#ticket !== undefined && !this.#toldToCome && reach !== "none";',
        "const echo = false;",
      ],
    },
  },
  {
    name: "a message that is not heard, and that nobody misses",
    shows: ["a subscription that stays deaf"],
    needs: ["deaf"],
    library: {
      file: "acquire/wait.js",
      change: ['if (answer.kind === "granted" && answer.echoed)', "if (false)"],
    },
  },
  {
    name: "a release that does not serve the line to its end",
    shows: ["a free lock with somebody in line"],
    needs: ["crowd"],
    library: { file: "lease/lock.js", change: ['if (result === "unserved")', "if (false)"] },
  },
  {
    name: "a leave that does not serve the line to its end",
    shows: ["a free lock with somebody in line"],
    needs: ["crowd"],
    library: { file: "lease/leave.js", change: ["last.reply.unserved;", "false;"] },
  },
  {
    name: "a line that is walked to its end at once",
    shows: ["a script that drops too many at once"],
    needs: ["crowd"],
    server: {
      source: changed(
        ["obtain", "release", "leave", "forceRelease"],
        ["for _ = 1, MOST_DROPPED do\nhead = head or", "for _ = 1, 1000 do\nhead = head or"],
      ),
    },
  },
  {
    name: "a lock handed over without a fencing token above the last one",
    shows: ["a fencing token that does not rise"],
    needs: ["clockBack"],
    server: {
      source: changed(
        ["obtain", "release", "leave", "forceRelease"],
        ["if last and last >= micros then", "if false then"],
      ),
    },
  },
  {
    name: "a lease that is not cut with memory full",
    shows: ["a command that memory full keeps from being done", "two holders at once"],
    needs: ["full"],
    server: {
      source: changed(["shorten"], ["call('PEXPIRE', KEYS[i], ttl)\ncall('SET'", "call('SET'"]),
    },
  },
  {
    name: "a lock that is not handed over with memory full",
    shows: ["a command that memory full keeps from being done"],
    needs: ["full"],
    server: {
      source: changed(
        ["release"],
        ["and call('ZPOPMIN', line)", "and call('ZRANGE', line, 0, 0, 'WITHSCORES')"],
        [
          "call('HDEL', KEYS[i + 4], id)\nannounce(",
          "call('ZREM', KEYS[i + 3], id)\ncall('HDEL', KEYS[i + 4], id)\nannounce(",
        ],
        [
          "call('HDEL', KEYS[i + 4], id)\nend\nreturn 'more'",
          "call('ZREM', KEYS[i + 3], id)\ncall('HDEL', KEYS[i + 4], id)\nend\nreturn 'more'",
        ],
      ),
    },
  },
  {
    name: "a place in line that is not kept with memory full",
    shows: ["a command that memory full keeps from being done"],
    needs: ["full"],
    server: {
      source: changed(
        ["obtain"],
        ["if ARGV[a + 7] ~= '' then back = call('ZREM', KEYS[i + 3], id) == 0 or back end\n", ""],
      ),
    },
  },
];

/** Those that show only beside another program, which locks by a plain SET NX. */
export const bugsWithForeign: readonly Bug[] = [
  {
    name: "a lock without a grant that is taken for one that nobody has, and shared",
    shows: ["a foreign lock that is taken away", "two holders at once"],
    needs: ["foreign", "sharing"],
    server: {
      source: changed(
        ["obtainShared"],
        [
          "held = valueAt(first)\n",
          "held = valueAt(first)\nif held and not string.match(held, SHARED) and not grantAt(first) then held = false end\n",
        ],
      ),
    },
  },
  {
    name: "a foreign lock that is handed to the next in line by who leaves it",
    shows: ["a foreign lock that is taken away", "two holders at once"],
    needs: ["foreign"],
    server: {
      source: changed(["leave"], ["if not held or mine then", "if not grantAt(i) or mine then"]),
    },
  },
  {
    name: "a late release that deletes what is there without a grant",
    shows: ["a foreign lock that is taken away", "two holders at once"],
    needs: ["foreign"],
    server: {
      source: changed(
        ["release"],
        ["if mine then", "if mine or (held and call('EXISTS', KEYS[i + 1]) == 0) then"],
      ),
    },
  },
  {
    name: "a waiter that asks only when the lease ends that it knows of",
    shows: ["a free lock with somebody in line"],
    needs: ["foreign"],
    from: 100,
    library: {
      file: "acquire/wait.js",
      change: ["Math.min(this.#sentAt + checkIn, turn, ", "Math.min(turn, "],
    },
  },
];

/** Those that show only where Redis cannot count its listeners, or to those who choose their tokens. */
export const bugsInTrouble: readonly Bug[] = [
  {
    name: "a published grant that is taken back because nobody was counted, with a replica",
    shows: ["two holders at once"],
    needs: ["replica"],
    server: { source: takingBack },
  },
  {
    name: "a published grant that is taken back because nobody was counted, with a count that lies",
    shows: ["a free lock with somebody in line", "two holders at once"],
    needs: ["countZero"],
    server: { source: takingBack },
  },
  {
    name: "an obtain with somebody else's equal token that frees the lock when it is given up",
    shows: ["two holders at once", "a holder that is kept out by its fencing token"],
    needs: ["sharedToken"],
    server: {
      source: changed(["leave"], ["mine = mine and taken(i)\n", ""]),
    },
  },
];

const sharedScripts = ["obtainShared", "releaseShared", "leaveShared"];

/** Those of locks that are shared or counted. */
export const bugsOfSharing: readonly Bug[] = [
  {
    name: "one permit too many",
    shows: ["two holders at once"],
    needs: ["sharing"],
    server: {
      source: changed(sharedScripts, ["out + permits <= limit", "out + permits <= limit + 1"]),
    },
  },
  {
    name: "a reader let in beside a writer",
    shows: [
      "two holders at once",
      "a lock that is held again without a new fencing token",
      "a foreign lock that is taken away",
    ],
    needs: ["sharing"],
    server: {
      source: changed(
        ["obtainShared"],
        ["if not permits or (held and not phase) then return false end", ""],
        ["if phase or not held then\nif ticket", "if true then\nif ticket"],
      ),
    },
  },
  {
    name: "a writer let in beside readers, when one of them gives back its share",
    shows: ["two holders at once"],
    needs: ["sharing"],
    server: {
      source: changed(sharedScripts, [
        "waiter.keys ~= 0 and out == 0 then",
        "waiter.keys ~= 0 then",
      ]),
    },
  },
  {
    name: "readers who are let in past a writer in line",
    shows: ["a waiter that is served before its turn"],
    needs: ["sharing"],
    server: {
      source: changed(
        ["obtainShared"],
        ["(whose == 'asker' or whose == 'nobody') and fits(value)", "fits(value)"],
      ),
    },
  },
  {
    name: "a refresh that brings back a share that is gone",
    shows: [
      "a lock that is held again without a new fencing token",
      "two holders at once",
      "permits that nobody has",
      "a fencing token that does not rise",
    ],
    needs: ["sharing"],
    server: {
      source: changed(
        ["refreshShared"],
        [
          "if not before then return held and not phase and -1 or 0 end",
          "before = before or 0\nphase, out = phase or '1', math.max(out, 1)",
        ],
      ),
    },
  },
  {
    name: "a phase whose number is not above the last fencing token",
    shows: ["a fencing token that does not rise"],
    needs: ["sharing"],
    server: {
      source: changed(sharedScripts, [
        "phase, out, seats = nextFence(i, micros, math.max(memory, 2 * ttl)), 0, 0",
        "phase, out, seats = string.format('%.0f', micros - 5000000), 0, 0",
      ]),
    },
  },
  {
    name: "a share that is not given back by who gave up",
    shows: ["something left behind"],
    needs: ["sharing"],
    from: 100,
    server: { source: changed(["leaveShared"], ["if owned then giveBack(value) end", ""]) },
  },
  {
    name: "a last reader whose end no writer is told of",
    shows: ["a free lock with somebody in line"],
    needs: ["sharing"],
    server: {
      source: changed(
        ["releaseShared"],
        ["if call('EXISTS', KEYS[i + 3], KEYS[i + 4]) > 0 then", "if out > 0 then"],
      ),
    },
  },
  {
    name: "permits that a dead holder never gives back",
    shows: [
      "a waiter that is never served",
      "a free lock with somebody in line",
      "permits that nobody has",
    ],
    needs: ["sharing"],
    server: {
      source: changed(sharedScripts, ["if tonumber(first[2]) > ms then", "if true then"]),
    },
  },
  {
    name: "a share that is counted for each of two calls with one token",
    shows: ["permits that nobody has"],
    needs: ["sharing", "sharedToken"],
    server: {
      source: changed(sharedScripts, ["waiter.caller ~= '' and endOf(waiter.value)", "false"]),
    },
  },
  {
    name: "a marker that ends with the first of the leases",
    shows: ["two holders at once"],
    needs: ["sharing"],
    server: {
      source: changed(
        [...sharedScripts, "refreshShared"],
        [
          "call('ZRANGE', KEYS[i + 5], -1, -1, 'WITHSCORES')",
          "call('ZRANGE', KEYS[i + 5], 0, 0, 'WITHSCORES')",
        ],
      ),
    },
  },
];

/** Those that chance finds too seldom: each needs one order of events among many. */
const bugsOfOrder: readonly Bug[] = [
  {
    name: "a subscription that is open without anybody asking again",
    shows: ["a free lock with somebody in line"],
    library: {
      file: "redis/channel.js",
      change: [
        "this.#isThere = true;\n            this.#opened();",
        "this.#isThere = true;\n            this.#isOpen = true;",
      ],
    },
  },
  {
    name: "a subscription that is there again without anybody asking again",
    // To one who lives, and does not ask: the message was lost with the connection.
    shows: ["a lock that is granted to the dead", "a free lock with somebody in line"],
    library: {
      file: "redis/channel.js",
      change: ["resumed: () => isCurrent() && this.#opened(),", "resumed: () => undefined,"],
    },
  },
  {
    name: "a grant that comes after giving up, and is not given back",
    shows: ["something left behind", "a lock that is granted to the dead"],
    library: {
      file: "acquire/acquisition.js",
      change: ["if (!nothingTaken)", "if (false)"],
    },
  },
  {
    name: "a message to come that is not heeded",
    shows: ["a free lock with somebody in line"],
    library: { file: "acquire/inbox.js", change: ["mailbox?.come();", ""] },
  },
  {
    name: "a lock that two calls were told they have, and that one of them frees by giving up",
    shows: ["two holders at once"],
    server: {
      source: changed(["obtain"], ["if taker ~= '' then", "if false then"]),
    },
  },
];

/** Those that show where a part of a line is lost, a clock is set back, or nobody notices what is lost. */
const bugsOfLoss: readonly Bug[] = [
  {
    name: "a line that was lost alone, and whose waiters are not called back",
    shows: ["a free lock with somebody in line"],
    server: {
      source: changed(
        ["obtain", "release", "leave", "forceRelease"],
        ["recall(i)\nreturn 'nobody'", "return 'nobody'"],
      ),
    },
  },
  {
    name: "a waiter whose record was lost, and who is dropped without being told",
    shows: ["a free lock with somebody in line"],
    server: {
      source: changed(
        ["obtain", "release", "leave", "forceRelease"],
        ["isStale(waiter, ms) then\ntell(id, 'come')", "isStale(waiter, ms) then"],
      ),
    },
  },
  {
    name: "a waiter who is not counted, and who is dropped without being told",
    shows: ["a free lock with somebody in line"],
    server: {
      source: changed(["obtain", "release", "leave", "forceRelease"], ["tell(id, 'unseen')\n", ""]),
    },
  },
  {
    name: "a dead waiter who asked in the future, and is waited for until that comes",
    shows: ["a free lock with somebody in line"],
    server: {
      source: changed(
        ["obtain", "release", "leave", "forceRelease"],
        ["return ms < waiter.at or ms >", "return ms >"],
      ),
    },
  },
  {
    name: "a grant that is heard after giving up, and is not given back",
    shows: ["something left behind"],
    library: {
      file: "acquire/acquisition.js",
      change: ["heardOfGrant() {", "heardOfGrant() { return;"],
    },
  },
  {
    name: "a mailbox that is left while a command may still put its waiter in line",
    shows: ["something left behind"],
    library: {
      file: "acquire/wait.js",
      change: ["if (isLeft && !uncertain)", "if (isLeft)"],
    },
  },
  {
    name: "a renewal that came due during a refresh without a reply, and is dropped for ever",
    shows: ["a lock that is not renewed"],
    library: {
      file: "lease/renewal.js",
      change: ["else if (holding.renewed.wanted)", "else if (false)"],
    },
  },
];

/** Those of a quorum. */
export const bugsOfQuorum: readonly Bug[] = [
  {
    name: "a vote that is counted twice",
    servers: "quorum",
    shows: [
      "two holders at once",
      "a lease that too few servers prove",
      "a fencing token that too few servers remember",
    ],
    library: {
      file: "quorum/gather.js",
      change: ["no).push(vote);", "no).push(vote, ...(isYes(vote.reply) ? [vote] : []));"],
    },
  },
  {
    name: "a lease that is the one of the fastest answer, not of the majority",
    servers: "quorum",
    shows: ["two holders at once", "a lease that too few servers prove"],
    library: { file: "quorum/gather.js", change: ["sent[majorityOf(members) - 1]", "sent[0]"] },
  },
  {
    name: "a vote that is not given back where nobody has answered",
    servers: "quorum",
    shows: ["something left behind"],
    from: 150,
    library: {
      file: "quorum/ballot.js",
      change: [
        "vote !== granted?.vote && !isNo",
        'vote !== granted?.vote && outcome?.kind === "reply" && !isNo',
      ],
    },
  },
  {
    name: "a fencing token by the votes alone, that no majority need remember",
    servers: "quorum",
    shows: ["a fencing token that does not rise", "a fencing token that too few servers remember"],
    library: {
      file: "quorum/ballot.js",
      change: ["given.filter(({ reply }) => fenceOf(reply) >= token);", "given;"],
      also: [
        "vote.ask(commandFor(vote), floor,",
        'vote.ask({ ...commandFor(vote), args: commandFor(vote).args.with(1, "0") }, 0,',
      ],
    },
  },
  {
    name: "a restart that is not looked at",
    servers: "quorum",
    shows: ["two holders at once", "a vote of a server that is too young"],
    needs: ["restartEmpty"],
    server: { source: changed(["vote"], ["tonumber(up) < tonumber(ARGV[a + 1])", "false"]) },
  },
  {
    name: "a vote that is given back by what was to give back the one before",
    servers: "quorum",
    shows: ["two holders at once", "a fencing token that does not rise"],
    needs: ["loseRequest", "delay", "loseReply"],
    from: 240,
    library: {
      file: "quorum/claim.js",
      change: [
        "const attempt = ++this.#tries;\n        await",
        "const attempt = 1;\n        await",
      ],
    },
  },
];

/** Those of a master with replicas. */
export const bugsOfReplicas: readonly Bug[] = [
  {
    name: "a lock that counts however many replicas have it",
    servers: "replicas",
    shows: ["a lease that too few replicas have", "two holders at once"],
    library: {
      file: "redis/replicas.js",
      change: ["if (count >= minReplicas)", "if (count >= 0)"],
    },
  },
  {
    name: "a waiter that is told of its grant before replicas have it",
    servers: "replicas",
    shows: ["a lease that too few replicas have", "two holders at once"],
    library: {
      file: "acquire/acquisition.js",
      change: [
        "this.#confirm(this.#replicas, grant, deadline).then(tell)",
        "Promise.resolve(grant).then(tell)",
      ],
    },
  },
  {
    name: "a renewal that counts before replicas have it",
    servers: "replicas",
    shows: ["a lease that too few replicas have", "two holders at once"],
    library: {
      file: "acquire/engine.js",
      change: ["this.#replicas ?? this.commands", "this.commands"],
    },
  },
  {
    name: "a lock that is over by the time that replicas have it",
    servers: "replicas",
    shows: ["a lock that is over when it is obtained"],
    needs: ["delay", "pause"],
    from: 105,
    library: {
      file: "acquire/acquisition.js",
      change: ["if (this.isOver(outcome.sentAt, ttl))", "if (false)"],
    },
  },
  {
    name: "too few replicas that are no answer for those who are behind",
    servers: "replicas",
    shows: ["a refusal that is told otherwise"],
    library: { file: "redis/replicas.js", change: ["this.#hadTooFew && ", "false && "] },
  },
  {
    name: "a lock that is obtained where its release does not go",
    servers: "replicas",
    shows: ["something left behind"],
    from: 388,
    library: { file: "redis/replicas.js", change: ["return this.#agrees && ", "return "] },
  },
  {
    name: "a lock that is kept although too few replicas have it",
    servers: "replicas",
    shows: ["something left behind"],
    library: {
      file: "acquire/acquisition.js",
      change: ["traces.granted = true;", "traces.granted = false;"],
    },
  },
];

export const allBugs: readonly Bug[] = [
  ...bugsOfSharing,
  ...bugs,
  ...bugsInTrouble,
  ...bugsAfterMishaps,
  ...bugsWithForeign,
  ...bugsOfOrder,
  ...bugsOfLoss,
  ...bugsOfQuorum,
  ...bugsOfReplicas,
];

/** Grants without counting, and takes a grant back that nobody was counted to have heard. */
function takingBack(script: Script): string {
  return changed(
    ["obtain", "release", "leave", "forceRelease"],
    ["return redis.pcall('PUBSUB', 'NUMSUB', 'redislock:inbox:' .. inbox)[2]", "return 1"],
    [
      "local function serve(i, asker, head)",
      "local function isHeard(heard, reach)\n" +
        "return type(heard) == 'number' and (reach == '2' or heard > 0)\n" +
        "end\n" +
        "local function serve(i, asker, head)",
    ],
    [
      "elseif type(tell(id, 'grant', hand(i, waiter, micros))) == 'number' then",
      "elseif isHeard(tell(id, 'grant', hand(i, waiter, micros)), waiter.reach) then",
    ],
    [
      "call('DEL', KEYS[i], KEYS[i + 1])\nreturn keep(i, id, ticket, kept)",
      "call('DEL', KEYS[i], KEYS[i + 1])",
    ],
  )(script);
}

function changed(names: readonly string[], ...changes: Change[]): (script: Script) => string {
  return ({ name, source }) =>
    names.includes(name.replace(/Many$/, ""))
      ? changes.reduce((text, change) => replaced(text, change), source)
      : source;
}
