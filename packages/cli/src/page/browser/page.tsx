/** The page: what there is, what of it is wanted, and what happens. */
import type { VNode } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";

import { unaskedShown } from "../../locks/lock-table.js";
import { count } from "../../output/text.js";
import type { Api } from "./api.js";
import { useNow } from "./clock.js";
import { Grants } from "./grants.js";
import { LockDialog } from "./lock-dialog.js";
import { LockList } from "./lock-list.js";
import type { State } from "./model.js";
import { type Order, orders, shownOf } from "./selection.js";
import { Other } from "./text.js";

/** Milliseconds without a look after which that is said. */
const STALE = 10_000;

export function Page({ state, api }: { state: State; api: Api }): VNode {
  const { rows, start } = state;
  const [filter, setFilter] = useState("");
  const [waitingOnly, setWaitingOnly] = useState(false);
  const [order, setOrder] = useState<Order>("key");
  const [opened, setOpened] = useState<string | undefined>(undefined);
  const search = useRef<HTMLInputElement>(null);
  const now = useNow();
  const shown = useMemo(
    () => shownOf(rows, { filter, waitingOnly, order }),
    [rows, filter, waitingOnly, order],
  );
  useEffect(() => {
    const toSearch = (event: KeyboardEvent): void => {
      const isTyped = event.target instanceof HTMLInputElement;
      if (event.key !== "/" || isTyped || event.ctrlKey || event.metaKey || opened !== undefined) {
        return;
      }
      event.preventDefault();
      search.current?.focus();
    };
    document.addEventListener("keydown", toSearch);
    return () => document.removeEventListener("keydown", toSearch);
  }, [opened]);
  const isFiltered = filter !== "" || waitingOnly;
  return (
    <>
      <header>
        <h1>redislock</h1>
        <p class="where">
          {start && <Other text={start.where} />}
          {start?.namespace && (
            <>
              , namespace <Other text={start.namespace} />
            </>
          )}
          {start?.prefix && (
            <>
              , below <Other text={start.prefix} />
            </>
          )}
          {start?.readOnly && <span class="badge">read-only</span>}
        </p>
        <Status state={state} now={now} />
      </header>
      <Notices state={state} />
      <main>
        <section class="locks" aria-label="Locks">
          <div class="controls">
            <input
              ref={search}
              type="search"
              placeholder="Filter by key or holder"
              aria-label="Filter by key or holder"
              aria-keyshortcuts="/"
              value={filter}
              onInput={(event) => setFilter(event.currentTarget.value)}
              onKeyDown={(event) => {
                if (event.key === "Escape") setFilter("");
              }}
            />
            <label class="check">
              <input
                type="checkbox"
                checked={waitingOnly}
                onChange={(event) => setWaitingOnly(event.currentTarget.checked)}
              />
              Waited for
            </label>
            <label class="order">
              Sort by{" "}
              <select
                value={order}
                onChange={(event) => {
                  const chosen = orders.find(({ name }) => name === event.currentTarget.value);
                  if (chosen) setOrder(chosen.name);
                }}
              >
                {orders.map(({ name, text }) => (
                  <option key={name} value={name}>
                    {text}
                  </option>
                ))}
              </select>
            </label>
            <span class="matches" role="status">
              {isFiltered && `${shown.length} of ${rows.size}`}
            </span>
          </div>
          <LockList rows={shown} fresh={state.fresh} at={now + state.ahead} onOpen={setOpened} />
          {shown.length === 0 && state.lookedAt > 0 && (
            <p class="empty">
              {isFiltered ? "No lock is like that." : "No lock is held or waited for."}
            </p>
          )}
        </section>
        <Grants grants={state.grants} onOpen={setOpened} />
      </main>
      {opened !== undefined && (
        <LockDialog
          key={opened}
          name={opened}
          looks={state.looks}
          readOnly={start?.readOnly ?? true}
          api={api}
          onClose={() => setOpened(undefined)}
        />
      )}
    </>
  );
}

function Status({ state: { summary, lookedAt, connected }, now }: StatusProps): VNode {
  const age = now - lookedAt;
  const hasLooked = lookedAt > 0;
  const isStale = hasLooked && age > STALE;
  return (
    <p class="status">
      <span class={connected && !isStale ? "dot" : "dot off"} aria-hidden="true" />
      {hasLooked &&
        summary &&
        `${count(summary.held, "lock")} held, ${count(summary.waiters, "waiter")}`}
      {isStale && ` – as of ${Math.floor(age / 1_000)}s ago`}
      {!hasLooked && (connected ? "looking …" : "connecting …")}
    </p>
  );
}

interface StatusProps {
  readonly state: State;
  readonly now: number;
}

/** What cannot be seen, and why. */
function Notices({ state }: { state: State }): VNode {
  const { summary, connected, refused, rows, looks } = state;
  return (
    <div class="notices" role="status">
      {refused !== "" && <p>{refused}</p>}
      {!connected && looks > 0 && (
        <p>The connection to redislock is lost. What is shown is what was last seen.</p>
      )}
      {summary?.failure && (
        <p>
          <Other text={summary.failure} />
        </p>
      )}
      {summary && summary.unasked !== 0 && (
        <p>
          {unaskedShown(summary.unasked)}: use <code>redis+cluster://</code>
        </p>
      )}
      {summary && summary.unread > 0 && (
        <p>
          {summary.unread} more could not be read; the last: <Other text={summary.why} />
        </p>
      )}
      {summary?.failure === null && summary.total > rows.size && (
        <p>
          {summary.total - rows.size} more are not shown: raise <code>--limit</code>, or name what
          their keys begin with.
        </p>
      )}
    </div>
  );
}
