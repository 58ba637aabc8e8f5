/** Redis over HTTP: a command as a JSON array in, `{ "result": … }` or `{ "error": … }` out. */
import { once } from "node:events";
import { createServer } from "node:http";

/**
 * @param {import("@redislock/test-kit").RedisServer} redis
 * @returns {Promise<{ url: string, close: () => Promise<void> }>}
 */
export async function serveHttp(redis) {
  const server = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8");
    request.on("data", (/** @type {string} */ more) => (body += more));
    request.on("end", () => {
      redis.command(...JSON.parse(body)).then(
        (result) => response.end(JSON.stringify({ result })),
        (error) => response.end(JSON.stringify({ error: error.message })),
      );
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return {
    url: `http://127.0.0.1:${address.port}`,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
