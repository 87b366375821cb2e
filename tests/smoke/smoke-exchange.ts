// The tests' side of the simulated exchange: starts its process, looks into its books, and makes it misbehave, end
// keys and move prices. Used by smoke-world.ts; the program under test never hears of it.
import type { Scope } from "../../src/ports/access-store.ts";
import type { AccountId } from "../../src/ports/account-store.ts";
import type { ConnectTarget } from "../../src/adapters/postgres/connect.ts";
import type { VenueEvent } from "../../src/venue/event-log.ts";
import { startProgram } from "../support/child-program.ts";
import type { VenueAddress } from "../support/venue-process.ts";
import type {
  BookedOrder,
  SmokeBook,
  SmokeKeys,
  SmokeQuestion,
  SmokeVenueTask,
} from "./smoke-venue.ts";

/** A running exchange. */
export type SmokeExchange = Awaited<ReturnType<typeof openExchange>>;

/** An account by its name, which is the same here and there. */
type Named = { readonly name: string };

const ANSWER_LIMIT_MS = 60_000;
/** The exchange's code for a key it does not know. */
const BAD_KEY = -1002;
/** So much is traded at a price that is set, enough for what rests there. */
const PUSHED_QTY = "50";

/** Starts it. */
export async function openExchange(task: SmokeVenueTask) {
  const venue = startProgram(`${import.meta.dir}/smoke-venue.ts`, task);
  const address = (await venue.next("venue", ANSWER_LIMIT_MS)) as unknown as VenueAddress;

  async function ask(question: SmokeQuestion) {
    venue.tell(question);
    return venue.next(question.ask, ANSWER_LIMIT_MS);
  }
  async function admin(method: string, path: string, body?: object): Promise<unknown> {
    const answer = await fetch(`${address.url}/__venue__/${path}`, {
      ...{ method, headers: { "x-venue-token": address.adminToken } },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`);
    return answer.json();
  }
  return {
    address,
    now: () => Math.floor(address.at + (Date.now() - address.wallAt) * task.speed),
    /** Keys the account began with. */
    keys({ name }: Named): SmokeKeys {
      const keys = address.accounts[task.accounts.indexOf(name)];
      if (!keys) throw new Error(`the exchange has no account ${name}`);
      return keys;
    },
    async book({ name: account }: Named): Promise<SmokeBook> {
      return (await ask({ ask: "book", account })) as unknown as SmokeBook;
    },
    /** Differences between its books and our rows of an account at rest. */
    async differences({ name: account }: Named, rows: OurRows): Promise<string[]> {
      return (await ask({ ask: "differences", account, ...rows })).found as string[];
    },
    /** Ends the keys of an account and gives it new ones. */
    async renewKeys({ name: account }: Named): Promise<SmokeKeys> {
      return (await ask({ ask: "renewKeys", account })) as unknown as SmokeKeys;
    },
    /** How often a request of any account was refused for its key. */
    async refusedKeys(): Promise<number> {
      const { events } = (await admin("GET", "events")) as { events: readonly VenueEvent[] };
      const isRefusal = ({ kind, fields }: VenueEvent) =>
        kind === "refused" && fields.code === BAD_KEY;
      return events.filter(isRefusal).length;
    },
    /** Arms a fault, or does a deed. */
    fault: (name: string, rest: object = {}) => admin("POST", "faults", { name, ...rest }),
    clearFaults: () => admin("DELETE", "faults"),
    push: (symbol: string, price: string) =>
      admin("POST", "price", { symbol, price, quantity: PUSHED_QTY }),
    async stop(): Promise<void> {
      venue.signal("SIGKILL");
      await venue.ended;
    },
  };
}

/** Where our rows of an account are. */
export type OurRows = {
  readonly target: ConnectTarget;
  readonly scope: Scope;
  readonly accountId: AccountId;
};

/** Orders that open or enlarge a position. */
export function opening({ orders }: SmokeBook): readonly BookedOrder[] {
  return orders.filter(({ isReduceOnly }) => !isReduceOnly);
}

/** Orders that only close a position and are no stop. */
export function closing({ orders }: SmokeBook): readonly BookedOrder[] {
  return orders.filter(({ isReduceOnly, isTrigger }) => isReduceOnly && !isTrigger);
}

/** How often something of an account was sent or taken back. */
export function touches({ orders }: SmokeBook): readonly [sent: number, takenBack: number] {
  return [orders.length, orders.filter(({ status }) => status === "CANCELLED").length];
}

/** Protective stops that work. */
export function stops({ orders }: SmokeBook): readonly BookedOrder[] {
  return orders.filter(({ isReduceOnly, isTrigger, isWorking }) => {
    return isReduceOnly && isTrigger && isWorking;
  });
}
