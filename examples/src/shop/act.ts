import type { Account } from "./account.js";
import { type Adapter, connect } from "./connection.js";
import type { News } from "./news.js";
import { runTogether, type ShopProcess, startProcess } from "./shop-process.js";
import { LOCK, Stock } from "./stock.js";

/** How the sellers work. */
export interface Act {
  readonly title: string;
  readonly story: string;
  readonly adapter: Adapter;
  readonly lock: boolean;
  /** Whether one seller is killed while it holds the lock. */
  readonly kill: boolean;
}

/** How big the show is. */
export interface Scale {
  readonly sellers: number;
  readonly tickets: number;
  /** Milliseconds that a sale takes, on the average. */
  readonly pause: number;
  /** Milliseconds after which the lock of a dead seller is free. */
  readonly lease: number;
}

export interface Outcome {
  readonly sold: number;
  readonly left: number;
  readonly oversold: number;
  /** How often the lock went from one seller to another. */
  readonly handOffs: number;
  /** Milliseconds from asking for the lock to having it. */
  readonly longestWait: number;
}

type Turn = { readonly seller: string } & Extract<News, { type: "serves" }>;

/** How many want a ticket, for each that there is. */
const DEMAND = 2.5;
/** The part of the tickets that is sold before a seller is killed. */
const KILL_AFTER = 0.25;

/** Opens the shop, lets all sellers sell at the same time, and counts what came of it. */
export async function play(
  act: Act,
  scale: Scale,
  place: { readonly url: string; readonly shop: string },
  account: Account,
  interrupted: AbortSignal,
): Promise<Outcome> {
  const { adapter, lock } = act;
  const { tickets, pause, lease } = scale;
  const { url, shop } = place;
  interrupted.throwIfAborted();
  const connection = await connect(adapter, url, shop);
  const stock = new Stock(connection, shop);
  await stock.fill(tickets);

  const turns: Turn[] = [];
  const looks: Promise<void>[] = [];
  let sales = 0;
  const killed = new Set<ShopProcess>();
  let killing = act.kill;

  const sellers = Array.from({ length: scale.sellers }, (_, index) => {
    const name = String.fromCharCode("A".charCodeAt(0) + index);
    const buyers = Math.ceil((DEMAND * tickets) / scale.sellers);
    const duty = { name, adapter, lock, shop, buyers, pause, lease };
    const seller = startProcess(new URL("./seller.js", import.meta.url), url, duty, (news) =>
      hear(seller, news),
    );
    return seller;
  });
  const killAll = (): void => sellers.forEach((seller) => seller.kill());
  interrupted.addEventListener("abort", killAll);
  try {
    await runTogether(
      sellers,
      () => account.opens(act),
      (seller) => killed.has(seller),
    );
    await Promise.all(looks);
    const [sold, left] = [await stock.sold(), await stock.left()];
    return { sold, left, oversold: Math.max(0, sold - tickets), ...summary(turns) };
  } finally {
    interrupted.removeEventListener("abort", killAll);
    killAll();
    await connection.close();
    interrupted.throwIfAborted();
  }

  function hear(seller: ShopProcess, news: News): void {
    const { name } = seller;
    switch (news.type) {
      case "ready":
        break;
      case "serves": {
        turns.push({ ...news, seller: name });
        if (!lock) break;
        account.holds(name, news.waited);
        const looking = look(seller);
        looking.catch(killAll); // The show is over; what was wrong is thrown in the end.
        looks.push(looking);
        break;
      }
      case "sold":
        sales++;
        account.sold(name, tickets - news.left, news.left);
        break;
      case "soldOut":
        account.soldOut(name);
        break;
      case "read":
      case "changed":
        break;
    }
  }

  /** Looks who waits while a seller holds the lock, and kills it if its hour has come. */
  async function look(seller: ShopProcess): Promise<void> {
    const strikes = killing && sales >= tickets * KILL_AFTER && killed.size < sellers.length - 1;
    if (strikes) {
      killing = false;
      killed.add(seller);
      seller.kill();
      await seller.ended;
    }
    const { holder, line } = await connection.locker.inspect(LOCK);
    account.waiting(
      seller.name,
      line.map(({ metadata }) => metadata),
    );
    if (strikes) {
      const lease = holder?.metadata === seller.name ? holder.remaining : undefined;
      account.killed(seller.name, lease);
      killing = lease === undefined; // It was too late to die holding: the next one, then.
    }
  }
}

/** Counted in the order of the fencing tokens, which is the order in which the lock was held. */
function summary(turns: readonly Turn[]): Pick<Outcome, "handOffs" | "longestWait"> {
  const inOrder = [...turns].sort((a, b) => a.fencingToken - b.fencingToken);
  const handOffs = inOrder.filter(({ seller }, index) => {
    const before = inOrder[index - 1];
    return before !== undefined && before.seller !== seller;
  });
  return {
    handOffs: handOffs.length,
    longestWait: Math.max(0, ...turns.map(({ waited }) => waited)),
  };
}
