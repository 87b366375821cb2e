// Findings a person wants left alone, as a setting of the workspace: by whom and since when. Used by findings.ts of
// whoever trades the account; a finding that changed is another one and is not in here.
import { z } from "zod";
import { ok, refuse, type Result } from "../../model/result.ts";
import type { EpochMs } from "../../model/time.ts";
import type { Scope } from "../../ports/access-store.ts";
import type { AccountId } from "../../ports/account-store.ts";
import type { SettingsStore } from "../../ports/settings-store.ts";

/** One finding that is left alone. */
export type Ignored = {
  readonly key: string;
  readonly by: string;
  readonly at: EpochMs;
};

/** The findings of an account that are left alone, with the revision they were read at. */
export type StoredIgnored = {
  readonly list: readonly Ignored[];
  /** 0 when nothing is stored. */
  readonly revision: number;
};

/** Findings left alone at the same time. */
const IGNORED_MAX = 50;

const document = z.strictObject({
  format: z.literal(1),
  ignored: z
    .array(z.strictObject({ key: z.string(), by: z.string(), at: z.number() }))
    .max(IGNORED_MAX),
});

const keyOf = (accountId: AccountId) => `account_ignored.${accountId}`;

/** Reads them. @throws Error when what is stored is not such a list */
export async function readIgnored(
  settings: Pick<SettingsStore, "read">,
  scope: Scope,
  accountId: AccountId,
): Promise<StoredIgnored> {
  const setting = await settings.read(scope, keyOf(accountId));
  if (setting === null) return { list: [], revision: 0 };
  const parsed = document.safeParse(setting.value);
  if (!parsed.success) throw new Error(`the setting ${setting.key} lists no ignored findings`);
  return { list: parsed.data.ignored, revision: setting.revision };
}

/** Writes them; refused when there are too many or somebody else wrote since they were read. */
export async function writeIgnored(
  settings: Pick<SettingsStore, "write">,
  scope: Scope,
  accountId: AccountId,
  { list, revision }: StoredIgnored,
  at: EpochMs,
): Promise<Result<StoredIgnored, "too_many" | "revision_changed">> {
  if (list.length > IGNORED_MAX) {
    return refuse("too_many", `${IGNORED_MAX} findings of the account are ignored already`);
  }
  const value = {
    format: 1,
    ignored: list.map(({ key, by, at: since }) => ({ key, by, at: since })),
  };
  const change = { key: keyOf(accountId), value, expectedRevision: revision };
  const written = await settings.write(scope, change, at);
  if (!written.ok) return refuse(written.reason, written.detail);
  return ok({ list, revision: written.value.revision });
}
