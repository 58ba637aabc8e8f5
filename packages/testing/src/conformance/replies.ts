import type { Reply } from "@redislock/core";

/** What scripts answer, and how an adapter hands it on. */
export const REPLIES: readonly (readonly [source: string, reply: Reply])[] = [
  ["return 1", "1"],
  ["return -1", "-1"],
  ["return 4102444800000", "4102444800000"],
  ["return 1795435353768901", "1795435353768901"],
  ["return '12'", "12"],
  ["return 'text'", "text"],
  ["return 'é𝕏🔒\\r\\n'", "é𝕏🔒\r\n"],
  ["return ''", ""],
  ["return nil", null],
  ["return false", null],
  ["return true", "1"],
  ["return redis.call('GET', KEYS[1])", null],
  ["return redis.status_reply('FINE')", "FINE"],
  ["return {}", []],
  ["return {1, 'a', false, {2, {'b'}, {}}, false}", ["1", "a", null, ["2", ["b"], []], null]],
];
