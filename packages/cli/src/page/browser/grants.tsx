/** What happened, the last first. */
import type { VNode } from "preact";

import type { Grant } from "../messages.js";
import { Other } from "./text.js";

interface Props {
  readonly grants: readonly Grant[];
  readonly onOpen: (key: string) => void;
}

/** Beside the locks where there is room, else above them and closed. */
const hasRoom = matchMedia("(min-width: 60rem)").matches;

export function Grants({ grants, onOpen }: Props): VNode {
  return (
    <details class="grants" open={hasRoom}>
      <summary>
        Hand-offs <span class="hint">seen since a page was opened</span>
      </summary>
      {grants.length === 0 && <p class="empty">None yet.</p>}
      <ol>
        {grants.map((grant) => (
          <li key={`${grant.at} ${grant.change} ${grant.key}`}>
            <button type="button" onClick={() => onOpen(grant.key)}>
              <time>{timeOf(grant.at)}</time> <Other text={grant.key} none="(the empty key)" />
              <GrantText grant={grant} />
            </button>
          </li>
        ))}
      </ol>
    </details>
  );
}

export function GrantText({ grant: { change, from, to } }: { grant: Grant }): VNode {
  return (
    <span class={`change ${change === "passed on" ? "passed" : change}`}>
      <span class="what">{change}</span>
      {change === "passed on" && (
        <>
          {" from "}
          <Other text={from} none="one without metadata" />
        </>
      )}
      {change !== "freed" && (
        <>
          {change === "held" ? " by " : " to "}
          <Other text={to} none="one without metadata" />
        </>
      )}
      {change === "freed" && from && (
        <>
          {" by "}
          <Other text={from} />
        </>
      )}
    </span>
  );
}

export function timeOf(at: number): string {
  return new Date(at).toLocaleTimeString([], { hour12: false });
}
