// Who armed an account for real money, as a setting of the workspace. Written by preflight.ts alone; read where
// something would let an account trade again. Without the mark only a pre-flight may do that.
import { z } from "zod";
import type { EpochMs } from "../../model/time.ts";
import type { Scope } from "../../ports/access-store.ts";
import type { AccountId } from "../../ports/account-store.ts";
import type { SettingsStore } from "../../ports/settings-store.ts";

/** When an account was armed, and the e-mail of who did it. */
export type ArmedMark = { readonly at: EpochMs; readonly by: string };

const stored = z.strictObject({ at: z.number(), by: z.string() });
const keyOf = (accountId: AccountId) => `live_armed.${accountId}`;

/** The mark of an account; null when it was never armed, was disarmed, or the mark cannot be read. */
export async function readArmed(
  settings: Pick<SettingsStore, "read">,
  scope: Scope,
  accountId: AccountId,
): Promise<ArmedMark | null> {
  const parsed = stored.safeParse((await settings.read(scope, keyOf(accountId)))?.value);
  return parsed.success ? parsed.data : null;
}

/** Sets the mark; null takes it away. @throws when it was not kept */
export async function writeArmed(
  settings: Pick<SettingsStore, "write">,
  scope: Scope,
  accountId: AccountId,
  { mark, at }: { readonly mark: ArmedMark | null; readonly at: EpochMs },
): Promise<void> {
  const value = mark === null ? null : { ...mark };
  const written = await settings.write(scope, { key: keyOf(accountId), value }, at);
  if (!written.ok) throw new Error(`who armed the account was not kept: ${written.detail}`);
}
