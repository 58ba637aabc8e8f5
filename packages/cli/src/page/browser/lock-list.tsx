/** The locks, of which only those that are on the screen are in the document. */
import type { VNode } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";

import { kindShown } from "../../locks/lock-table.js";
import { count } from "../../output/text.js";
import type { Row } from "../messages.js";
import { Other, spanOf } from "./text.js";

/** Rows above and below the screen that are there already. */
const SPARE = 8;
/** Pixels of a row, until one was measured. */
const USUAL_HEIGHT = 44;

interface Props {
  readonly rows: readonly Row[];
  readonly fresh: ReadonlyMap<string, number>;
  /** Now, by the clock that the rows go by. */
  readonly at: number;
  readonly onOpen: (key: string) => void;
}

export function LockList({ rows, fresh, at, onOpen }: Props): VNode {
  const list = useRef<HTMLUListElement>(null);
  const { first, last, height } = useWindow(list, rows.length);
  const [active, setActive] = useState<string | undefined>(undefined);
  const toFocus = useRef<string | undefined>(undefined);
  const shown = rows.slice(first, last);
  // One stop for the Tab key, and arrows from there on.
  const stop = shown.some(({ key }) => key === active) ? active : shown[0]?.key;
  useLayoutEffect(() => {
    if (toFocus.current === undefined) return;
    const at = shown.findIndex(({ key }) => key === toFocus.current);
    const button = list.current?.children[at]?.firstElementChild;
    if (!(button instanceof HTMLElement)) return;
    toFocus.current = undefined;
    button.focus({ preventScroll: true });
  });
  const move = (event: KeyboardEvent, from: number): void => {
    const to = targetOf(event.key, from, rows.length, Math.floor(innerHeight / height) - 2);
    const row = to === undefined ? undefined : rows[to];
    if (to === undefined || !row || !list.current) return;
    event.preventDefault();
    setActive(row.key);
    toFocus.current = row.key;
    const top = list.current.getBoundingClientRect().top + to * height;
    const room = document.querySelector(".controls")?.getBoundingClientRect().height ?? 0;
    if (top < room) scrollBy(0, top - room);
    else if (top + height > innerHeight) scrollBy(0, top + height - innerHeight);
  };
  return (
    <>
      <div class="row head" aria-hidden="true">
        <span class="key">Key</span>
        <span class="kind">Kind</span>
        <span class="age">Held for</span>
        <span class="left">Left</span>
        <span class="waiting">Waiting</span>
        <span class="holder">Holder</span>
      </div>
      <ul
        ref={list}
        class="list"
        style={{
          paddingTop: `${first * height}px`,
          paddingBottom: `${(rows.length - last) * height}px`,
        }}
      >
        {shown.map((row, i) => (
          <li key={row.key} aria-setsize={rows.length} aria-posinset={first + i + 1}>
            <button
              type="button"
              class={fresh.has(row.key) ? "row fresh" : "row"}
              tabIndex={row.key === stop ? 0 : -1}
              onClick={() => onOpen(row.key)}
              onFocus={() => setActive(row.key)}
              onKeyDown={(event) => move(event, first + i)}
            >
              <Cells row={row} at={at} />
            </button>
          </li>
        ))}
      </ul>
    </>
  );
}

function Cells({ row, at }: { row: Row; at: number }): VNode {
  const { kind, waiters, waitingSince } = row;
  return (
    <>
      <span class="key">
        <Other text={row.key} none="(the empty key)" />
      </span>
      <span class="kind">{kindShown(row)}</span>
      <span class="age">
        <span class="said">held for </span>
        {spanOf(row.since, at)}
      </span>
      <span class="left">
        {kind !== "free" && row.ends === null ? (
          "no end"
        ) : (
          <>
            {spanOf(at, row.ends)}
            <span class="said"> left</span>
          </>
        )}
      </span>
      <span class={waiters > 0 ? "waiting some" : "waiting"}>
        {waiters > 0 ? (
          <>
            {count(waiters, "waiter")}
            <span class="longest"> for {spanOf(waitingSince, at)}</span>
          </>
        ) : (
          <span class="none">–</span>
        )}
      </span>
      <span class="holder">
        <Other text={row.metadata} />
      </span>
    </>
  );
}

function targetOf(key: string, from: number, rows: number, page: number): number | undefined {
  const last = rows - 1;
  switch (key) {
    case "ArrowDown":
      return Math.min(last, from + 1);
    case "ArrowUp":
      return Math.max(0, from - 1);
    case "PageDown":
      return Math.min(last, from + page);
    case "PageUp":
      return Math.max(0, from - page);
    case "Home":
      return 0;
    case "End":
      return last;
    default:
      return undefined;
  }
}

/** Which rows are on the screen, or nearly. */
function useWindow(
  list: { readonly current: HTMLUListElement | null },
  rows: number,
): { readonly first: number; readonly last: number; readonly height: number } {
  const [top, setTop] = useState(0);
  const [height, setHeight] = useState(USUAL_HEIGHT);
  const [screen, setScreen] = useState(innerHeight);
  const look = (): void => {
    setTop(-(list.current?.getBoundingClientRect().top ?? 0));
    setScreen(innerHeight);
  };
  // Fewer rows may end above what was on the screen.
  useLayoutEffect(look, [rows]);
  useEffect(() => {
    addEventListener("scroll", look, { passive: true });
    addEventListener("resize", look);
    return () => {
      removeEventListener("scroll", look);
      removeEventListener("resize", look);
    };
  }, []);
  useLayoutEffect(() => {
    const measured = list.current?.firstElementChild?.getBoundingClientRect().height;
    if (measured && measured !== height) setHeight(measured);
  });
  const first = Math.max(0, Math.min(rows, Math.floor(top / height) - SPARE));
  const last = Math.min(rows, Math.max(first, Math.ceil((top + screen) / height) + SPARE));
  return { first, last, height };
}
