/** What the main process and its workers say to each other, one line of JSON at a time. */
import type { Contention, Crowd, FreeKeys, Lockful, Loop, Where } from "./jobs.js";

export type Order =
  | { readonly job: "open" | "close" | "watch" | "sent" | "heard"; readonly argument: Where }
  | { readonly job: "take" | "waitFor" | "release"; readonly argument: Lockful }
  | { readonly job: "freeKeys"; readonly argument: FreeKeys }
  | { readonly job: "crowd"; readonly argument: Crowd }
  | { readonly job: "contend"; readonly argument: Contention };

/** Milliseconds or a time, loops, or nothing. */
export type Result = number | Loop[] | null;

export type Request = Order & { readonly id: number };

export type Response = { readonly id: number } & (
  { readonly result: Result } | { readonly error: string }
);

export function readRequest(line: string): Request {
  const message: unknown = JSON.parse(line);
  if (isRequest(message)) return message;
  throw new TypeError(`not a request: ${line}`);
}

export function readResponse(line: string): Response {
  const message: unknown = JSON.parse(line);
  if (isResponse(message)) return message;
  throw new TypeError(`not a response: ${line}`);
}

// Both ends are of one build, so these tell only one kind of message from another.

function isRequest(message: unknown): message is Request {
  return typeof message === "object" && message !== null && "job" in message;
}

function isResponse(message: unknown): message is Response {
  if (typeof message !== "object" || message === null) return false;
  return "result" in message || "error" in message;
}
