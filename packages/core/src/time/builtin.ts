/** Runs functions in the async context in which it was made. */
export interface AsyncResource {
  runInAsyncScope<T>(run: () => T): T;
}

/** What we use of modules that Node, Bun and Deno bring, all of it missing in some version or elsewhere. */
interface Builtins {
  readonly "node:async_hooks": { readonly AsyncResource?: new (type: string) => AsyncResource };
  readonly "node:events": { setMaxListeners?(count: number, ...targets: EventTarget[]): void };
}

interface Process {
  getBuiltinModule?<Name extends keyof Builtins>(name: Name): Builtins[Name] | undefined;
}

declare const process: Process | undefined;

/** A module of the platform without an import, which would fail where there is none; undefined there. */
export function builtin<Name extends keyof Builtins>(name: Name): Builtins[Name] | undefined {
  return typeof process === "undefined" ? undefined : process.getBuiltinModule?.(name);
}
