/**
 * What an adapter of ours looks like to the tests that all of them share. Core has these types; but its
 * own tests use this kit, so the kit cannot use core.
 */

export type AdapterReply = string | null | readonly AdapterReply[];

export interface AdapterScript {
  readonly name: string;
  readonly source: string;
  readonly sha1: string;
}

interface AdapterListener {
  message(text: string): void;
  resumed(): void;
}

export interface AdapterSubscription {
  close(): Promise<void>;
}

/** The life of a connection that an adapter opens beside the client's own. */
export interface AdapterLife {
  readonly end: (reason: unknown) => void;
  readonly ended: Promise<unknown>;
}

interface AdapterSides {
  masterOf?(slot: number): string;
  open(
    life: AdapterLife,
    master?: string,
  ): Promise<{ send(command: readonly string[]): Promise<AdapterReply> }>;
}

export interface AdapterClient {
  run(
    script: AdapterScript,
    keys: readonly string[],
    args: readonly string[],
  ): Promise<AdapterReply>;
  subscribe?(channel: string, listener: AdapterListener): Promise<AdapterSubscription>;
  readonly side?: AdapterSides;
  readonly keyPrefix?: string;
  readonly cluster?: boolean;
  readonly closed?: boolean;
}

/** Connects a client of the library and wraps it in the adapter. */
export type Connect = (port: number) => Promise<AdapterClient>;

/** What a `ServerError` of core looks like, which goes by its code and not by its class. */
export function serverError(reply: string): Record<string, unknown> {
  return { code: "SERVER", reply };
}
