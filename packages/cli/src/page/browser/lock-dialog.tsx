/** One lock: who has it, the line, its last grants; and the way to take it away. */
import type { ComponentChildren, VNode } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";

import { kindShown } from "../../locks/lock-table.js";
import { count } from "../../output/text.js";
import type { Opened } from "../messages.js";
import type { Api } from "./api.js";
import { useNow } from "./clock.js";
import { GrantText, timeOf } from "./grants.js";
import { Other, spanOf } from "./text.js";

interface Props {
  readonly name: string;
  /** Goes up when there may be news. */
  readonly looks: number;
  readonly readOnly: boolean;
  readonly api: Api;
  readonly onClose: () => void;
}

/** An answer, and when it came. */
interface Answer extends Opened {
  readonly at: number;
}

export function LockDialog({ name, looks, readOnly, api, onClose }: Props): VNode {
  const [answer, setAnswer] = useState<Answer | undefined>(undefined);
  const [problem, setProblem] = useState("");
  // As it was when the question came up: who says yes means those whom it shows.
  const [asking, setAsking] = useState<Answer | undefined>(undefined);
  const [outcome, setOutcome] = useState("");
  const isAsked = useRef(false);
  useEffect(() => {
    // One at a time, however slow the answer is.
    if (isAsked.current) return;
    isAsked.current = true;
    api
      .open(name, AbortSignal.timeout(30_000))
      .then((opened) => {
        setAnswer({ ...opened, at: performance.now() });
        setProblem("");
      })
      .catch((error: unknown) => setProblem(textOf(error)))
      .finally(() => (isAsked.current = false));
  }, [looks, outcome]);
  const takeAway = async (fencingToken: number | null): Promise<void> => {
    setAsking(undefined);
    try {
      setOutcome((await api.release(name, fencingToken)).outcome);
    } catch (error) {
      setOutcome(textOf(error));
    }
  };
  const isThere = answer !== undefined && answer.lock.kind !== "free";
  return (
    <Dialog labelledby="lock-title" onClose={onClose}>
      <header>
        <h2 id="lock-title">
          <Other text={name} none="(the empty key)" />
        </h2>
        <button type="button" class="plain" onClick={onClose}>
          Close
        </button>
      </header>
      {problem !== "" && (
        <p class="problem" role="status">
          <Other text={problem} />
        </p>
      )}
      {answer ? <Details answer={answer} /> : problem === "" && <p>looking …</p>}
      <p class="outcome" role="status">
        <Other text={outcome} none="" />
      </p>
      {!readOnly && isThere && (
        <button type="button" class="danger" onClick={() => setAsking(answer)}>
          Take away …
        </button>
      )}
      {asking && (
        <Confirmation
          name={name}
          answer={asking}
          onNo={() => setAsking(undefined)}
          onYes={() => void takeAway(asking.lock.fencingToken)}
        />
      )}
    </Dialog>
  );
}

function Details({ answer }: { answer: Answer }): VNode {
  const { lock, grants, now: told, at } = answer;
  const now = useNow();
  const passed = Math.max(0, now - at);
  const isForeign = lock.kind === "other";
  const length = lock.waiters;
  return (
    <>
      <p class="facts">
        {lock.kind === "free" && (length === 0 ? "free" : "free, and kept for the first in line")}
        {lock.kind !== "free" && kindShown(lock)}
        {lock.age !== null && `, held for ${spanOf(0, lock.age + passed)}`}
        {lock.fencingToken !== null && `, fencing token ${lock.fencingToken}`}
        {isForeign && ", not taken by this library"}
      </p>
      {lock.holders.length > 0 && (
        <>
          <h3>{lock.held > 1 ? `${lock.held} holders` : "Holder"}</h3>
          <ol class="people">
            {lock.holders.map((holder, i) => (
              <li key={i}>
                <span class="who">
                  <Other text={holder.metadata} none="no metadata" />
                </span>
                <span class="mode">{modeOf(holder)}</span>
                <span class="time">
                  {holder.remaining === null
                    ? "no end"
                    : `${spanOf(passed, Math.max(passed, holder.remaining))} left`}
                </span>
              </li>
            ))}
          </ol>
          <More number={lock.held - lock.holders.length} />
        </>
      )}
      <h3>{length === 0 ? "Nobody waits" : count(length, "waiter")}</h3>
      <ol class="people line">
        {lock.line.map((waiter) => (
          <li key={waiter.position}>
            <span class="place">{waiter.position}</span>
            <span class="who">
              <Other text={waiter.metadata} none="no metadata" />
            </span>
            <span class="mode">{modeOf(waiter)}</span>
            <span class="time">waited {spanOf(0, waiter.waited + passed)}</span>
          </li>
        ))}
      </ol>
      <More number={length - lock.line.length} />
      <h3>Last grants</h3>
      <ol class="last">
        {grants.map((grant) => (
          <li key={`${grant.at} ${grant.change}`}>
            <time>{timeOf(grant.at)}</time> <GrantText grant={grant} />
          </li>
        ))}
      </ol>
      {grants.length === 0 && (
        <p class="empty">
          {lock.age === null
            ? "None was seen since a page was opened."
            : `The one of ${timeOf(told - lock.age)}; none since a page was opened.`}
        </p>
      )}
    </>
  );
}

function Confirmation({ name, answer, onYes, onNo }: ConfirmationProps): VNode {
  const { holders, held, line, waiters } = answer.lock;
  const [next] = line;
  return (
    <Dialog labelledby="confirm-title" onClose={onNo} class="confirm">
      <h2 id="confirm-title">
        Take <Other text={name} none="(the empty key)" /> away?
      </h2>
      <p>This cuts off {held > 1 ? `all ${held}` : "whoever has it"}:</p>
      <ul class="victims">
        {holders.map(({ metadata }, i) => (
          <li key={i}>
            <Other text={metadata} none="one without metadata" />
          </li>
        ))}
      </ul>
      <More number={held - holders.length} />
      <p>
        The holder is not asked. It learns of it when it next renews; until then only the fencing
        token keeps it out. So make sure that it does not run any more.
      </p>
      <p>
        {next ? (
          <>
            The next of {count(waiters, "waiter")} gets it:{" "}
            <Other text={next.metadata} none="one without metadata" />.
          </>
        ) : (
          "Nobody waits for it."
        )}
      </p>
      <div class="buttons">
        <button type="button" autofocus onClick={onNo}>
          Leave it
        </button>
        <button type="button" class="danger" onClick={onYes}>
          Take it away
        </button>
      </div>
    </Dialog>
  );
}

interface ConfirmationProps {
  readonly name: string;
  readonly answer: Answer;
  readonly onYes: () => void;
  readonly onNo: () => void;
}

interface DialogProps {
  readonly labelledby: string;
  readonly class?: string;
  readonly onClose: () => void;
  readonly children: ComponentChildren;
}

/** The browser keeps the focus within it, closes it by Escape, and gives the focus back. */
function Dialog({ labelledby, class: name = "", onClose, children }: DialogProps): VNode {
  const dialog = useRef<HTMLDialogElement>(null);
  useLayoutEffect(() => {
    const element = dialog.current;
    element?.showModal();
    return () => element?.close();
  }, []);
  return (
    <dialog
      ref={dialog}
      class={name}
      aria-labelledby={labelledby}
      onCancel={(event) => {
        // It is ours to take out of the document.
        event.preventDefault();
        onClose();
      }}
      onClick={(event) => {
        if (event.target === dialog.current) onClose();
      }}
    >
      <div class="inside">{children}</div>
    </dialog>
  );
}

function More({ number }: { number: number }): VNode | null {
  return number > 0 ? <p class="more">… and {number} more</p> : null;
}

function modeOf({ mode, permits, limit }: ModeProps): string {
  return mode === "counted" ? `${count(permits, "permit")} of ${limit ?? "?"}` : mode;
}

type ModeProps = Opened["lock"]["holders"][number] | Opened["lock"]["line"][number];

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
