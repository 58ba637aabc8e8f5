const WRONGS = [
  "two holders at once",
  "a fencing token that does not rise",
  "a lock that is over when it is obtained",
  "a lock that is held again without a new fencing token",
  "a guarded write that is undone",
  "a holder that is kept out by its fencing token",
  "a call that does not settle",
  "a waiter that is never served",
  "a waiter that is served before its turn",
  "a free lock with somebody in line",
  "a foreign lock that is taken away",
  "a grant that nobody is told of",
  "a lock that is granted to the dead",
  "something left behind",
  "permits that nobody has",
  "a holder that is turned away",
  "a lock that is not renewed",
  "a subscription that stays deaf",
  "a command that memory full keeps from being done",
  "a script that drops too many at once",
  "a lease that too few servers prove",
  "a lease that too few replicas have",
  "a refusal that is told otherwise",
  "a fencing token that too few servers remember",
  "a vote of a server that is too young",
] as const;

/** What must never be. */
export type Wrong = (typeof WRONGS)[number];

export function isWrong(text: string): text is Wrong {
  return WRONGS.some((wrong) => wrong === text);
}

export class Violation extends Error {
  readonly wrong: Wrong;

  constructor(wrong: Wrong, details: string) {
    super(`${wrong}: ${details}`);
    this.wrong = wrong;
  }
}
