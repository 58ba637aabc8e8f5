/** Locks for NestJS: a module that gives lockers to an application, and a decorator that uses them. */
export { currentLock } from "./current-lock.js";
export { LockerHealth, type LockerHealthOptions, type LockerHealthResult } from "./health.js";
export {
  Locked,
  type LockedDecorator,
  type LockedKey,
  type LockedKeyMaker,
  type LockedMisfit,
  type LockedOptions,
} from "./locked.js";
export {
  type LockerSettings,
  RedislockModule,
  type RedislockModuleAsyncOptions,
  type RedislockModuleOptions,
} from "./module.js";
export { getLockerToken, InjectLocker } from "./tokens.js";
