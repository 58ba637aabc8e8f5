/** What the page asks for, and how it is told. */
import { EventSourceParserStream } from "eventsource-parser/stream";

import type { Message, Opened, Problem, Released } from "../messages.js";

/** Why there is no answer, in a line for people. */
export class Refusal extends Error {
  readonly status: number;

  constructor(message: string, status: number) {
    super(message);
    this.status = status;
  }
}

export class Api {
  readonly #headers: Record<string, string>;

  constructor(token: string) {
    this.#headers = { Authorization: `Bearer ${token}` };
  }

  /** Ends with the connection. */
  async *messages(signal: AbortSignal): AsyncGenerator<Message> {
    const { body } = await this.#ask("/api/events", { signal });
    if (!body) return;
    const reader = body
      .pipeThrough(new TextDecoderStream())
      .pipeThrough(new EventSourceParserStream())
      .getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      const message: unknown = JSON.parse(value.data);
      if (isMessage(message)) yield message;
    }
  }

  async open(key: string, signal: AbortSignal): Promise<Opened> {
    const response = await this.#ask(`/api/lock?key=${encodeURIComponent(key)}`, { signal });
    return read(response, isOpened);
  }

  async release(key: string, fencingToken: number | null): Promise<Released> {
    const body = JSON.stringify({ key, fencingToken });
    const response = await this.#ask("/api/release", { method: "POST", body });
    return read(response, isReleased);
  }

  async #ask(path: string, init: RequestInit): Promise<Response> {
    const response = await fetch(path, { ...init, headers: this.#headers });
    if (response.ok) return response;
    throw new Refusal(await problemOf(response), response.status);
  }
}

async function problemOf(response: Response): Promise<string> {
  try {
    return (await read(response, isProblem)).problem;
  } catch {
    return `it was refused (${response.status})`;
  }
}

async function read<T>(response: Response, is: (value: unknown) => value is T): Promise<T> {
  const value: unknown = await response.json();
  if (is(value)) return value;
  throw new Error("that is no answer of redislock's");
}

// What answers is of the same version as this page: it is enough to know which answer it is.

function isMessage(value: unknown): value is Message {
  return has(value, "type");
}

function isOpened(value: unknown): value is Opened {
  return has(value, "lock");
}

function isReleased(value: unknown): value is Released {
  return has(value, "outcome");
}

function isProblem(value: unknown): value is Problem {
  return has(value, "problem");
}

function has(value: unknown, name: string): boolean {
  return typeof value === "object" && value !== null && name in value;
}
