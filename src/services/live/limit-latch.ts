// What an account's limits remember, as a setting of the workspace: highest profits and limits that were reached.
// Written by the risk watch of whoever trades the account; a person resets it from a page or a command.
import { z } from "zod";
import { decimal } from "../../model/decimal.ts";
import { ok, refuse, type Result } from "../../model/result.ts";
import type { EpochMs } from "../../model/time.ts";
import type { Scope } from "../../ports/access-store.ts";
import type { AccountId } from "../../ports/account-store.ts";
import type { BotId } from "../../ports/bot-store.ts";
import type { Json, SettingsStore } from "../../ports/settings-store.ts";
import {
  EMPTY_LATCH,
  type LimitKind,
  type LimitLatch,
  resetTrips,
  type Trip,
} from "../../risk/account-limits.ts";
import type { LiveDeps } from "./live-types.ts";

/** The latches of an account. */
type AccountLatch = {
  readonly account: LimitLatch;
  /** By the number of the bot; bots without a past are absent. */
  readonly bots: Readonly<Record<string, LimitLatch>>;
};

/** The latches together with the revision they were read at; 0 when nothing is stored. */
type StoredLatch = AccountLatch & { readonly revision: number };

/** Where latches are kept. */
export type LatchSettings = Pick<SettingsStore, "read" | "write">;

const amount = z
  .string()
  .regex(/^-?\d+(\.\d+)?$/)
  .transform((text) => decimal(text));
const latch = z.strictObject({
  peakProfit: amount.nullable(),
  trips: z
    .array(
      z.strictObject({
        kind: z.enum(["daily_loss", "total_loss", "drawdown"]),
        at: z.number(),
        sentence: z.string(),
      }),
    )
    .max(3),
});
const document = z.strictObject({
  format: z.literal(1),
  account: latch,
  bots: z.record(z.string(), latch),
});

const keyOf = (accountId: AccountId) => `account_latch.${accountId}`;

/**
 * Reads the latches of an account.
 * @throws Error when what is stored is not one: a limit that was reached must not be forgotten
 */
export async function readLatch(
  settings: Pick<SettingsStore, "read">,
  scope: Scope,
  accountId: AccountId,
): Promise<StoredLatch> {
  const setting = await settings.read(scope, keyOf(accountId));
  if (setting === null) return { account: EMPTY_LATCH, bots: {}, revision: 0 };
  const parsed = document.safeParse(setting.value);
  if (!parsed.success) throw new Error(`the setting ${setting.key} is not what limits remember`);
  const { account, bots } = parsed.data;
  return { account, bots, revision: setting.revision };
}

/** Writes them; refused when somebody else wrote since they were read. */
async function writeLatch(
  settings: LatchSettings,
  scope: Scope,
  accountId: AccountId,
  { account, bots, revision }: StoredLatch,
  at: EpochMs,
): Promise<Result<number, "revision_changed">> {
  const value = { format: 1, account, bots } as unknown as Json;
  const change = { key: keyOf(accountId), value, expectedRevision: revision };
  const written = await settings.write(scope, change, at);
  return written.ok ? ok(written.value.revision) : refuse(written.reason, written.detail);
}

/** The latches of an account in memory, and what of them is not written down yet. */
export type LatchBook = {
  /** Takes what is stored when somebody else wrote it. @throws when it cannot be read */
  read(): Promise<void>;
  isRead(): boolean;
  /** @param botId null for the limits of the account itself */
  of(botId: BotId | null): LimitLatch;
  keep(botId: BotId | null, latch: LimitLatch): void;
  /** Limits a person reset since the last call. */
  takeReset(botId: BotId | null): readonly Trip[];
  /** Writes what changed: limits that were reached at once, new highs now and then. @throws when it cannot */
  save(): Promise<void>;
};

/** New highs alone are written at most so often. */
const HIGHS_EVERY_MS = 60_000;

/** An account whose latches have to be read first. */
export function createLatchBook({
  settings,
  account: { scope, accountId },
  clock,
}: Pick<LiveDeps, "account" | "clock"> & { readonly settings: LatchSettings }): LatchBook {
  let stored: StoredLatch | null = null;
  let present: AccountLatch = { account: EMPTY_LATCH, bots: {} };
  let savedMs = Number.NEGATIVE_INFINITY;
  const reset = new Map<BotId | null, readonly Trip[]>();
  const latchOf = ({ account, bots }: AccountLatch, botId: BotId | null) =>
    botId === null ? account : (bots[botId] ?? EMPTY_LATCH);

  async function read(): Promise<void> {
    const found = await readLatch(settings, scope, accountId);
    if (found.revision === stored?.revision) return;
    const ids = [null, ...Object.keys(present.bots).map((id) => Number(id) as BotId)];
    for (const id of ids) {
      const kinds = latchOf(found, id).trips.map(({ kind }) => kind);
      const gone = latchOf(present, id).trips.filter(({ kind }) => !kinds.includes(kind));
      if (gone.length > 0) reset.set(id, gone);
    }
    stored = found;
    present = found;
  }

  return {
    read,
    isRead: () => stored !== null,
    of: (botId) => latchOf(present, botId),
    keep(botId, latch) {
      const { account, bots } = present;
      present =
        botId === null ? { account: latch, bots } : { account, bots: { ...bots, [botId]: latch } };
    },
    takeReset(botId) {
      const taken = reset.get(botId) ?? [];
      reset.delete(botId);
      return taken;
    },
    async save() {
      if (stored === null) return;
      const isChanged = textOf(present) !== textOf(stored);
      const isUrgent = textOf(present, isPeak) !== textOf(stored, isPeak);
      const nowMs = clock.monotonicMs();
      if (!isUrgent && (!isChanged || nowMs - savedMs < HIGHS_EVERY_MS)) return;
      const { revision } = stored;
      const next = { ...present, revision };
      const written = await writeLatch(settings, scope, accountId, next, clock.now());
      if (!written.ok) return read();
      stored = { ...present, revision: written.value };
      savedMs = nowMs;
    },
  };
}

const isPeak = (key: string) => key === "peakProfit";

function textOf({ account, bots }: AccountLatch, leavesOut = (_key: string) => false): string {
  return JSON.stringify({ account, bots }, (key, value: unknown) =>
    leavesOut(key) ? undefined : value,
  );
}

/** What a person resets. */
export type LatchReset = {
  readonly accountId: AccountId;
  /** Null for the limits of the account itself. */
  readonly botId: BotId | null;
  readonly kinds: readonly LimitKind[];
};

/**
 * Forgets limits that were reached; the caller has asked for a confirmation and writes the audit entry. Who trades
 * the account takes it up with its next read.
 */
export async function resetLatch(
  settings: LatchSettings,
  scope: Scope,
  { accountId, botId, kinds }: LatchReset,
  at: EpochMs,
): Promise<Result<number, "revision_changed">> {
  const stored = await readLatch(settings, scope, accountId);
  if (botId === null) {
    const account = resetTrips(stored.account, kinds);
    return writeLatch(settings, scope, accountId, { ...stored, account }, at);
  }
  const own = resetTrips(stored.bots[botId] ?? EMPTY_LATCH, kinds);
  const bots = { ...stored.bots, [botId]: own };
  return writeLatch(settings, scope, accountId, { ...stored, bots }, at);
}
