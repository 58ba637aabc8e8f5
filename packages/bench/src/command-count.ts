import { createConnection, type Socket } from "node:net";
import { once } from "node:events";

/** Counts the commands that come to a server over the wire, not those that scripts call. */
export class CommandCount {
  #count = 0;
  readonly #socket: Socket;
  /** The part of a line that has come so far. */
  #rest = "";

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setEncoding("utf8").on("data", (text: string) => this.#read(text));
  }

  static async start(port: number): Promise<CommandCount> {
    const socket = createConnection(port, "127.0.0.1");
    await once(socket, "connect");
    const counting = new CommandCount(socket);
    socket.write("MONITOR\r\n");
    await once(socket, "data"); // OK
    return counting;
  }

  get count(): number {
    return this.#count;
  }

  stop(): void {
    this.#socket.destroy();
  }

  /** Lines such as `+1700000000.123456 [0 127.0.0.1:4000] "get" "key"`, or `[0 lua]` from a script. */
  #read(text: string): void {
    const lines = (this.#rest + text).split("\r\n");
    this.#rest = lines.pop() ?? "";
    this.#count += lines.filter((line) => /^\+[\d.]+ \[\d+ (?!lua\])/.test(line)).length;
  }
}
