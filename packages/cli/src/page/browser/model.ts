/** What is known of the locks by now. Tells whoever listens of every change. */
import type { Grant, Look, Message, Row, Start, Summary } from "../messages.js";

/** Of what happened, so many are shown. */
const MOST_GRANTS = 100;

export interface State {
  readonly start: Start | undefined;
  readonly summary: Summary | undefined;
  readonly rows: ReadonlyMap<string, Row>;
  /** The last first. */
  readonly grants: readonly Grant[];
  /** Locks that have just been granted anew, and since when by our clock. */
  readonly fresh: ReadonlyMap<string, number>;
  /** Goes up with each look, and is what an opened lock goes by. */
  readonly looks: number;
  /** When the last look was, by our clock; 0 before the first of a connection. */
  readonly lookedAt: number;
  /** By how much the clock of those who tell us is ahead of ours. */
  readonly ahead: number;
  readonly connected: boolean;
  /** Why it is not. */
  readonly refused: string;
}

export const nothing: State = {
  start: undefined,
  summary: undefined,
  rows: new Map(),
  grants: [],
  fresh: new Map(),
  looks: 0,
  lookedAt: 0,
  ahead: 0,
  connected: false,
  refused: "",
};

/** Milliseconds for which a hand-off stands out. */
const FRESH = 2_500;

/** @param at - Now, by our clock. */
export function afterMessage(state: State, message: Message, at: number): State {
  switch (message.type) {
    case "start":
      // What it was counts no more, until there is a look by whoever tells us now.
      return { ...state, start: message, connected: true, refused: "", lookedAt: 0 };
    case "rows": {
      const before = message.first ? [] : state.rows;
      const rows = new Map([...before, ...message.rows.map((row) => [row.key, row] as const)]);
      return { ...state, rows, ...(message.first ? { grants: [] } : {}) };
    }
    case "look":
      return afterLook(state, message, at);
  }
}

function afterLook(state: State, look: Look, at: number): State {
  const { rows = [], renewed = [], gone = [], grants = [] } = look;
  let all = state.rows;
  if (rows.length + renewed.length + gone.length > 0) {
    const changed = new Map(all);
    for (const row of rows) changed.set(row.key, row);
    for (const [key, ends] of renewed) {
      const row = changed.get(key);
      if (row) changed.set(key, { ...row, ends });
    }
    for (const key of gone) changed.delete(key);
    all = changed;
  }
  return {
    ...state,
    rows: all,
    grants: [...grants.slice().reverse(), ...state.grants].slice(0, MOST_GRANTS),
    fresh: freshAfter(state.fresh, look, at),
    summary: look.summary,
    looks: state.looks + 1,
    lookedAt: look.summary.failure === null ? at : state.lookedAt,
    ahead: look.now - at,
  };
}

function freshAfter(fresh: State["fresh"], { now, grants = [] }: Look, at: number): State["fresh"] {
  const still = [...fresh].filter(([, since]) => at - since < FRESH);
  const added = grants.filter((grant) => grant.at >= now - FRESH && grant.change !== "freed");
  return new Map([...still, ...added.map(({ key }) => [key, at] as const)]);
}
