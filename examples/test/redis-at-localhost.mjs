/**
 * Loaded before an example (`node --import`): the Redis that it expects at the usual port of this
 * machine is the test's own server. So an example can say `new Redis()`, as everyone does.
 */
import { Socket } from "node:net";

const ports = new Map([
  ["6379", process.env["TEST_REDIS_PORT"]],
  ["7000", process.env["TEST_CLUSTER_PORT"]],
]);

const connect = Reflect.get(Socket.prototype, "connect");

/** @param {unknown[]} args as they are, or in an array, as Node's own functions pass them on */
Socket.prototype.connect = function (...args) {
  const [options] = args.flat();
  if (typeof options === "object" && options !== null && "port" in options) {
    const port = ports.get(String(options.port));
    if (port) Object.assign(options, { host: "127.0.0.1", port: Number(port) });
  }
  return Reflect.apply(connect, this, args);
};
