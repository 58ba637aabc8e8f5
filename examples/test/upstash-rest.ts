/** Upstash's REST protocol in front of a real server: one command, or many in a pipeline. */
import type { RedisServer } from "@redislock/test-kit";
import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import { text } from "node:stream/consumers";

export const TOKEN = "the token of the REST API";

export interface RestApi {
  readonly url: string;
  /** The next command is executed, and its answer lost. */
  readonly loseNextReply: () => void;
  readonly stop: () => Promise<void>;
}

type Answer = { readonly result: unknown } | { readonly error: string };

export async function startRestApi(server: RedisServer): Promise<RestApi> {
  let losing = false;
  const api = createServer((request, response) => {
    void answer(server, request).then(({ status, body }) => {
      if (losing) request.socket.destroy();
      else response.writeHead(status, { "content-type": "application/json" }).end(body);
      losing = false;
    });
  });
  await once(api.listen(0, "127.0.0.1"), "listening");
  const address = api.address();
  if (address === null || typeof address === "string") throw new Error("It has no port");
  return {
    url: `http://127.0.0.1:${address.port}`,
    loseNextReply: () => (losing = true),
    stop: async () => {
      api.closeAllConnections();
      await once(api.close(), "close");
    },
  };
}

async function answer(
  server: RedisServer,
  request: IncomingMessage,
): Promise<{ readonly status: number; readonly body: string }> {
  const sent: unknown = JSON.parse(await text(request));
  if (request.headers.authorization !== `Bearer ${TOKEN}`) {
    return {
      status: 401,
      body: JSON.stringify({ error: "WRONGPASS invalid or missing auth token" }),
    };
  }
  const encoded = request.headers["upstash-encoding"] === "base64";
  const run = async (command: unknown): Promise<Answer> => {
    try {
      const result = await server.command(...listOf(command).map(String));
      return { result: encoded ? inBase64(result) : result };
    } catch (error) {
      return { error: error instanceof Error ? error.message : String(error) };
    }
  };
  if (request.url === "/pipeline") {
    return { status: 200, body: JSON.stringify(await Promise.all(listOf(sent).map(run))) };
  }
  const one = await run(sent);
  return { status: "error" in one ? 400 : 200, body: JSON.stringify(one) };
}

function listOf(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw new TypeError("A command is a list");
  return value;
}

/** All text but `OK`. */
function inBase64(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inBase64);
  if (typeof value !== "string" || value === "OK") return value;
  return Buffer.from(value).toString("base64");
}
