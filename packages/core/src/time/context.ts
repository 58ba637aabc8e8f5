import { type AsyncResource, builtin } from "./builtin.js";

/** The async context of some moment: code that runs in it has what `AsyncLocalStorage` held then. */
export type Context = AsyncResource;

const Resource = builtin("node:async_hooks")?.AsyncResource;

const everywhere: Context = { runInAsyncScope: (run) => run() };

/**
 * The context of whoever calls. Not by `AsyncLocalStorage.snapshot`, which does the same and takes a
 * hundred times as long.
 */
export function here(): Context {
  return Resource ? new Resource("redislock") : everywhere;
}

/**
 * The context in which this module was loaded, the outermost that it can have: for what belongs to no
 * call, such as a connection that many share, so that it keeps nothing of the call that needed it first.
 */
export const outermost: Context = here();
