import type { Frame } from "./frame-splitter.js";
import { decodeReply } from "./resp.js";

interface Question<T> {
  readonly command: readonly string[];
  readonly about: T;
  /** Of a (un)subscription: how many of its channels were confirmed. */
  confirmed: number;
}

/**
 * Tells which request a frame from the server answers, on one connection. Replies come in the order
 * of the requests; pub/sub is what complicates it: messages answer nothing, `SUBSCRIBE a b` is
 * answered twice, and RESP3 sends those answers as pushes while RESP2 sends even messages as arrays.
 *
 * Not understood: `CLIENT REPLY` and `MONITOR`, which break the pairing of requests and replies.
 */
export class Conversation<T extends object> {
  readonly #questions: Question<T>[] = [];
  readonly #subscriptions = new Map<string, Set<string>>();

  /** How many requests have not been answered completely. */
  get unanswered(): number {
    return this.#questions.length;
  }

  /** A request went to the server. `command` has its name in upper case. */
  ask(command: readonly string[], about: T): void {
    this.#questions.push({ command, about, confirmed: 0 });
  }

  /** What the request is about that this frame answers completely; nothing for any other frame. */
  hear(frame: Frame): T | undefined {
    const question = this.#questions[0];
    if (frame.type === ">" || (frame.type === "*" && this.#arraysMayBeNotices(question))) {
      const [kind, channel] = noticeOf(frame);
      if (kind.endsWith("subscribe")) {
        this.#keepCount(kind, channel);
        return question && this.#confirms(kind, question) ? this.#answered() : undefined;
      }
      if (frame.type === ">" || kind.endsWith("message")) return undefined;
    }
    return question && this.#answered();
  }

  /** Forgets all requests and tells what they were about: the connection is gone. */
  end(): T[] {
    return this.#questions.splice(0).map(({ about }) => about);
  }

  #answered(): T | undefined {
    const question = this.#questions.shift();
    if (question?.command[0] === "RESET") this.#subscriptions.clear();
    return question?.about;
  }

  /** In RESP2 a connection with subscriptions may send nothing that is answered by a plain array. */
  #arraysMayBeNotices(question: Question<T> | undefined): boolean {
    const subscribing = question?.command[0]?.endsWith("SUBSCRIBE") ?? false;
    return subscribing || [...this.#subscriptions.values()].some((channels) => channels.size > 0);
  }

  #confirms(kind: string, question: Question<T>): boolean {
    const [name, ...channels] = question.command;
    if (name !== kind.toUpperCase()) return false;
    question.confirmed += 1;
    // Without channels, UNSUBSCRIBE leaves all of them.
    return channels.length === 0
      ? this.#channels(kind).size === 0
      : question.confirmed === channels.length;
  }

  #keepCount(kind: string, channel: string): void {
    if (kind.endsWith("unsubscribe")) this.#channels(kind).delete(channel);
    else this.#channels(kind).add(channel);
  }

  /** `subscribe`, `psubscribe` and `ssubscribe` each have their own. */
  #channels(kind: string): Set<string> {
    const key = kind.replace("unsubscribe", "subscribe");
    const channels = this.#subscriptions.get(key) ?? new Set();
    this.#subscriptions.set(key, channels);
    return channels;
  }
}

/** The first two elements of a push: `["message", channel]`. */
function noticeOf(frame: Frame): [string, string] {
  const notice = decodeReply(frame.bytes);
  return Array.isArray(notice) ? [String(notice[0]), String(notice[1])] : ["", ""];
}
