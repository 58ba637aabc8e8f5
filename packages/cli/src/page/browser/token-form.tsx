import type { VNode } from "preact";
import { useState } from "preact/hooks";

interface Props {
  readonly problem: string | undefined;
  readonly onEnter: (token: string) => void;
}

export function TokenForm({ problem, onEnter }: Props): VNode {
  const [token, setToken] = useState("");
  return (
    <main class="alone">
      <h1>redislock</h1>
      <p>{problem ?? "This page opens with its token."}</p>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (token.trim() !== "") onEnter(token.trim().replace(/^.*#token=/, ""));
        }}
      >
        <label>
          Token, as <code>redislock page</code> printed it
          <input
            type="password"
            autocomplete="off"
            autofocus
            onInput={(event) => setToken(event.currentTarget.value)}
          />
        </label>
        <button type="submit">Open</button>
      </form>
    </main>
  );
}
