/**
 * What we use of a user's client. A type of our own, so that a client of any version and any installed
 * copy fits: their classes have private members, so no two of them are the same to TypeScript.
 */

/** A `GlideClient` or a `GlideClusterClient` of Valkey GLIDE. */
export interface GlideLike {
  customCommand(args: string[], options?: GlideCommandOptions): Promise<unknown>;
  close(): void;
}

export interface GlideCommandOptions {
  /** `Decoder.Bytes`: the other one fails for what is not UTF-8. */
  readonly decoder?: 0;
}
