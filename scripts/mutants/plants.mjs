/** Bugs planted by hand: mistakes in the protocol, not of the hand, and some in more than one place. */
import { named } from "./mutate.mjs";

/** @typedef {import("./mutate.mjs").Mutant} Mutant */

/**
 * @typedef {object} Plant
 * @property {string} bug
 * @property {string} file
 * @property {[before: string, after: string][]} changes each `before` is there once
 */

/** @type {readonly Plant[]} */
export const plants = [
  {
    bug: "a bundled release deletes another's lock",
    file: "release.lua",
    changes: [["if mine then", "if mine or keys ~= #KEYS then"]],
  },
  {
    bug: "a bundled release does not serve the line",
    file: "release.lua",
    changes: [
      ["(keys == #KEYS or call('EXISTS', line) == 1) and", "keys == #KEYS and"],
      ["or call('EXISTS', KEYS[i + 4]) == 1 then", "then"],
    ],
  },
  {
    bug: "the same fencing token twice at a hand-off",
    file: "include/fence.lua",
    changes: [["if last and last >= micros then", "if last and last > micros then"]],
  },
  {
    bug: "the same fencing token twice in a bundle",
    file: "obtain.lua",
    changes: [
      [
        "if before and before >= tonumber(fence) then",
        "if before and before > tonumber(fence) then",
      ],
    ],
  },
  {
    bug: "a late renewal cuts a lease that was refreshed since",
    file: "refresh.lua",
    changes: [["if call('PTTL', KEYS[i]) < tonumber(ttl) then", "if true then"]],
  },
  {
    bug: "a late copy of an obtain cuts a lease that was refreshed since",
    file: "obtain.lua",
    changes: [["math.max(left, ttl))", "ttl)"]],
  },
  {
    bug: "tickets fall when the server's clock is set back",
    file: "include/stand.lua",
    changes: [["if behind[1] then ticket = math.max(ticket, behind[2] + 1) end", ""]],
  },
  {
    bug: "nobody is told of the lease of a free lock that was taken",
    file: "obtain.lua",
    changes: [["announce(i, ttl, 0)", ""]],
  },
  {
    bug: "the second in line is told of the lease of a free lock that was taken",
    file: "obtain.lua",
    changes: [["announce(i, ttl, 0)", "announce(i, ttl, 1)"]],
  },
  {
    bug: "the second in line is told of a lease that was handed on",
    file: "include/serve.lua",
    changes: [["announce(i, waiter.ttl, 0)", "announce(i, waiter.ttl, 1)"]],
  },
  {
    bug: "who has to ask is told to come again, in place of who is behind",
    file: "include/serve.lua",
    changes: [["announce(i, 0, 1)", "announce(i, 0, 0)"]],
  },
  {
    bug: "a release fails with memory full",
    file: "release.lua",
    changes: [["if mine then", "if mine then call('SET', KEYS[i + 1], '1 t', 'PX', 9)"]],
  },
  {
    bug: "a hand-off fails with memory full",
    file: "include/serve.lua",
    changes: [
      [
        "head = head or call('ZPOPMIN', KEYS[i + 3])",
        "call('SET', KEYS[i + 1], '1 t', 'PX', 9) head = head or call('ZPOPMIN', KEYS[i + 3])",
      ],
    ],
  },
  {
    bug: "a lock is granted to a waiter who does not hear",
    file: "include/serve.lua",
    changes: [["if count ~= 0 then return", "if true then return"]],
  },
  {
    bug: "the lock of a waiter to whom nothing could be published stays",
    file: "include/serve.lua",
    changes: [["call('DEL', KEYS[i], KEYS[i + 1])", ""]],
  },
];

/**
 * @param {ReadonlyMap<string, string>} files
 * @returns {Mutant[]}
 */
export function planted(files) {
  return plants.map(({ bug, file, changes }) => {
    const source = files.get(file) ?? "";
    const spans = changes.map(([before, after]) => {
      const start = source.indexOf(before);
      if (start === -1 || source.includes(before, start + 1)) {
        throw new Error(`The plant "${bug}" does not fit: ${file} must hold once: ${before}`);
      }
      return { start, end: start + before.length, after };
    });
    spans.sort((a, b) => a.start - b.start);
    const start = Math.min(...spans.map((span) => span.start));
    const end = Math.max(...spans.map((span) => span.end));
    let [text, from] = ["", start];
    for (const span of spans) {
      text += source.slice(from, span.start) + span.after;
      from = span.end;
    }
    const [mutant] = named(file, source, [{ start, end, text, operator: `planted: ${bug}` }]);
    if (!mutant) throw new Error("Each change makes a mutant");
    return mutant;
  });
}
