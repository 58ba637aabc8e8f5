/** Made from the .lua files beside it by `pnpm generate:lua`: read those. */
import type { Script } from "../../redis/client.js";
import { parts } from "../scripts.generated.js";

/** The names of the scripts that a quorum has besides. */
export type QuorumScriptName = "lift" | "member" | "vote";

/** The scripts that a quorum has besides those of every lock. */
export const quorumScripts: Readonly<Record<QuorumScriptName, Script>> = {
  lift: {
    name: "lift",
    sha1: "6eba8d59e626ca78d78d591a71178806684eac1c",
    source: [
      parts[0],
      parts[5],
      parts[6],
      "local function run()\nlocal value, fence = ARGV[1], ARGV[2]\nif call('GETRANGE', KEYS[1], 0, LAST_BYTE) ~= value then return 0 end\nlocal left = call('PTTL', KEYS[1])\nlocal memory = math.max(ARGV[3], 2 * left)\nlocal last = raise(1, fence, memory)\nif last and last > tonumber(fence) then raise(1, string.format('%.0f', last), memory) end\nlocal number, rest = string.match(call('GETRANGE', KEYS[2], 0, LAST_BYTE), '^(%d+)( .*)$')\nif number and tonumber(number) < tonumber(fence) and left > 0 then\ncall('SET', KEYS[2], fence .. rest, 'PX', left)\nend\nreturn 1\nend\n",
      parts[2],
      parts[3],
    ].join(""),
  },
  member: {
    name: "member",
    sha1: "420ca22a2990d9624d1b7a4ac3eb400ef1a26ef0",
    source: [
      parts[0],
      "local function run()\nlocal number, found = tonumber(ARGV[1]), ''\nif number > 0 then call('SET', KEYS[number], '1', 'PX', ARGV[2]) end\nfor n = 1, #KEYS do found = found .. call('EXISTS', KEYS[n]) end\nlocal server, replication = call('INFO', 'server'), call('INFO', 'replication')\nreturn {\nstring.match(server, 'run_id:(%w+)') or '',\nstring.match(server, 'redis_mode:(%w+)') or '',\nstring.match(replication, 'role:(%w+)') or '',\nfound\n}\nend\n",
      parts[2],
      parts[3],
    ].join(""),
  },
  vote: {
    name: "vote",
    sha1: "1c5080dd45154b8d754f26ca4857f8a94eef98f9",
    source: [
      parts[0],
      parts[5],
      parts[6],
      parts[30],
      parts[4],
      parts[7],
      parts[8],
      parts[10],
      parts[31],
      parts[26],
      parts[32],
      "local obtain, raised, capped = run, raise, nil\nlocal MOST_AHEAD = 60000000\nlocal function takeOver(k, a)\nlocal caller, n = string.match(ARGV[a + 4], '^(.*)%.(%d+)$')\nif not n or n == '1' then return end\nlocal number, owner, taker, order = grantAt(k + 1)\nlocal before, m = string.match(taker or '', '^(.*)%.(%d+)$')\nif before ~= caller or tonumber(m) >= tonumber(n) then return end\nif owner ~= string.sub(ARGV[a + 1], 1, ARGV[a + 3]) then return end\nlocal grant = grantOf(number, owner, ARGV[a + 4]) .. (order ~= '' and ' ' .. order or '')\nlocal left = call('PTTL', KEYS[k + 2])\nif left > 0 then call('SET', KEYS[k + 2], grant, 'PX', left) end\nend\nlocal function run(k, a, keys, args)\nlocal up, floor = string.match(call('INFO', 'server'), 'uptime_in_seconds:(%d+)'), tonumber(ARGV[a + 2])\nif not up or tonumber(up) < tonumber(ARGV[a + 1]) then\nreturn { err = 'YOUNG the server has been up for ' .. (up or 'unknown') .. ' s, and votes from ' .. ARGV[a + 1] .. ' s on' }\nend\ntakeOver(k, a + 2)\nlocal function raiseAbove(i, fence, memory)\ncapped = capped or math.min(floor, tonumber(fence) + MOST_AHEAD) - 1\nreturn math.max(raised(i, fence, memory) or 0, capped)\nend\nraise = raiseAbove\nreturn obtain(k, a + 2, keys, args - 2)\nend\n",
      parts[2],
      parts[3],
    ].join(""),
  },
};
