/** Begins, connects, and connects again; a page that nobody sees is told nothing, and asks nothing. */
import { render } from "preact";

import { Api, Refusal } from "./api.js";
import { afterMessage, nothing, type State } from "./model.js";
import { Page } from "./page.js";
import { TokenForm } from "./token-form.js";
import { forgetToken, keepToken, takeToken } from "./token.js";

/** Milliseconds between two tries. */
const AGAIN = 1_000;

let state: State = nothing;

function begin(token: string | null, problem: string | undefined): void {
  if (token === null) {
    const enter = (given: string): void => {
      keepToken(given);
      begin(given, undefined);
    };
    render(<TokenForm problem={problem} onEnter={enter} />, document.body);
    return;
  }
  const api = new Api(token);
  draw(api);
  void stay(api);
}

async function stay(api: Api): Promise<void> {
  for (;;) {
    await seen();
    const hidden = new AbortController();
    const leave = (): void => {
      if (document.hidden) hidden.abort();
    };
    document.addEventListener("visibilitychange", leave);
    try {
      for await (const message of api.messages(hidden.signal)) {
        state = afterMessage(state, message, performance.now());
        drawSoon(api);
      }
    } catch (error) {
      if (error instanceof Refusal && (error.status === 401 || error.status === 400)) {
        forgetToken();
        begin(null, "That is not the token of this page: it is made anew with each start.");
        return;
      }
      if (error instanceof Refusal) state = { ...state, refused: error.message };
    } finally {
      document.removeEventListener("visibilitychange", leave);
    }
    // Nobody sees it, and it is connected again before anybody does.
    if (document.hidden) continue;
    state = { ...state, connected: false };
    drawSoon(api);
    await new Promise((resolve) => setTimeout(resolve, AGAIN));
  }
}

function seen(): Promise<void> {
  return new Promise((resolve) => {
    const look = (): void => {
      if (document.hidden) return;
      document.removeEventListener("visibilitychange", look);
      resolve();
    };
    document.addEventListener("visibilitychange", look);
    look();
  });
}

let isDue = false;

/** Once a frame, however much there is to tell. */
function drawSoon(api: Api): void {
  if (isDue) return;
  isDue = true;
  requestAnimationFrame(() => {
    isDue = false;
    draw(api);
  });
}

function draw(api: Api): void {
  render(<Page state={state} api={api} />, document.body);
}

begin(takeToken(), undefined);
