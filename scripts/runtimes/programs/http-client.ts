/** A Redis behind HTTP, as serverless platforms offer it: between two commands no socket is open. */
import { request } from "node:http";
import type { RedisClient } from "@redislock/core";
import { ServerError, runScript, toReply } from "@redislock/core/adapter";

export function httpClient(url: string): RedisClient {
  return {
    run(script, keys, args) {
      const operands = [String(keys.length), ...keys, ...args];
      return runScript(script, {
        evalsha: (sha1) => send(url, ["EVALSHA", sha1, ...operands]),
        eval: (source) => send(url, ["EVAL", source, ...operands]),
      });
    },
  };
}

async function send(url: string, command: readonly string[]): Promise<unknown> {
  const answer: { result?: unknown; error?: string } = JSON.parse(await post(url, command));
  if (answer.error !== undefined) throw new ServerError(answer.error);
  return toReply(answer.result);
}

function post(url: string, body: unknown): Promise<string> {
  return new Promise((resolve, reject) => {
    const headers = { connection: "close", "content-type": "application/json" };
    const sent = request(url, { method: "POST", agent: false, headers }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (more: string) => (text += more));
      response.on("end", () => resolve(text));
      response.on("error", reject);
    });
    sent.on("error", reject);
    sent.end(JSON.stringify(body));
  });
}
