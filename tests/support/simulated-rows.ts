// What the simulated store keeps per account. Used by simulated-store.ts, simulated-intents.ts and
// simulated-bots.ts.
import { EVENT_KINDS } from "../../src/model/event-kinds.ts";
import type { ExactFill, ExactFunding } from "../../src/model/trade-record.ts";
import type { WorkspaceId } from "../../src/ports/access-store.ts";
import type { AccountId, NewAccount } from "../../src/ports/account-store.ts";
import type {
  Bot,
  BotId,
  BotState,
  ConfigVersion,
  NewBot,
  NewEvent,
  StoredEvent,
} from "../../src/ports/bot-store.ts";
import type { IntentId, Lease, NewTransfer, StoredIntent } from "../../src/ports/trading-store.ts";

/** A fill and the intent it belongs to. */
export type StoredFill = { readonly fill: ExactFill; readonly intentId: IntentId | null };

/** A bot with its sides and every version of its configuration, oldest first. */
export type StoredBot = {
  readonly bot: Bot;
  readonly sides: NewBot["sides"];
  readonly configs: readonly ConfigVersion[];
  readonly isDeleted: boolean;
};

/** The rows of one account. */
export type Book = {
  readonly id: AccountId;
  readonly workspaceId: WorkspaceId;
  readonly account: NewAccount;
  lease:
    | (Omit<Lease, "accountId"> & { readonly holder: string | null; readonly ownsLock: boolean })
    | null;
  readonly intents: Map<IntentId, StoredIntent>;
  readonly fills: Map<string, StoredFill>;
  readonly funding: Map<string, ExactFunding>;
  readonly transfers: Map<string, NewTransfer>;
  readonly bots: Map<BotId, StoredBot>;
  readonly states: Map<BotId, BotState>;
  /** Oldest first; replaced, never changed in place. */
  events: readonly StoredEvent[];
};

/** A table by key. */
export type Table<Key, Row> = { get(key: Key): Row | undefined; set(key: Key, row: Row): unknown };

/** Everything committed, or a draft of it. */
export type World = {
  readonly accounts: Table<AccountId, Book>;
  readonly epochs: Table<WorkspaceId, number>;
  /** The account a bot belongs to. */
  readonly homes: Table<BotId, AccountId>;
  /** The last number that was given out. */
  readonly numbers: Table<"bot" | "event", number>;
};

/** What is committed, as a whole. */
export type Committed = World & { readonly accounts: ReadonlyMap<AccountId, Book> };

/** A world on top of another one, which it changes only when it is committed. */
export function draftOf(world: World): World & { commit(): void } {
  const [accounts, epochs] = [overlay(world.accounts), overlay(world.epochs)];
  const [homes, numbers] = [overlay(world.homes), overlay(world.numbers)];
  const commit = () => {
    for (const table of [accounts, epochs, homes, numbers]) table.commit();
  };
  return { accounts, epochs, homes, numbers, commit };
}

/** The next number of a kind. */
export function numbered({ numbers }: World, kind: "bot" | "event"): number {
  const number = (numbers.get(kind) ?? 0) + 1;
  numbers.set(kind, number);
  return number;
}

/** Adds events to an account. */
export function noteEvents(world: World, book: Book, events: readonly NewEvent[]): void {
  const noted = events.map((event): StoredEvent => ({
    ...event,
    id: numbered(world, "event"),
    accountId: book.id,
    severity: EVENT_KINDS[event.kind].severity,
  }));
  book.events = [...book.events, ...noted];
}

function overlay<Key, Row>(below: Table<Key, Row>): Table<Key, Row> & { commit(): void } {
  const changed = new Map<Key, Row>();
  return {
    get: (key) => changed.get(key) ?? below.get(key),
    set: (key, row) => changed.set(key, row),
    commit: () => {
      for (const [key, row] of changed) below.set(key, row);
    },
  };
}

/** An account without rows. */
export function emptyBookOf(id: AccountId, workspaceId: WorkspaceId, account: NewAccount): Book {
  return {
    id,
    workspaceId,
    account,
    lease: null,
    intents: new Map(),
    fills: new Map(),
    funding: new Map(),
    transfers: new Map(),
    bots: new Map(),
    states: new Map(),
    events: [],
  };
}

/** A draft of an account; the rows themselves are never changed in place. */
export function copyOf(book: Book): Book {
  return {
    ...book,
    intents: new Map(book.intents),
    fills: new Map(book.fills),
    funding: new Map(book.funding),
    transfers: new Map(book.transfers),
    bots: new Map(book.bots),
    states: new Map(book.states),
  };
}

/** The refusal of a write without the lease. */
export function leaseLost(): { ok: false; reason: "lease_lost"; detail: string } {
  return { ok: false, reason: "lease_lost", detail: "the lease of the account is not ours" };
}
