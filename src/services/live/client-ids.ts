// Client order ids of one account under its lease: one rising sequence per bot and stamp. Used by the
// order dispatcher alone; an id it gave out is never given out again.
import {
  type ClientOrderId,
  type ClientOrderIdSource,
  clientOrderIdSource,
  issueClientOrderId,
} from "../../model/client-order-id.ts";
import type { BotId } from "../../ports/bot-store.ts";
import type { LiveDeps } from "./live-types.ts";

/** Gives out client order ids. */
export type ClientIds = {
  /** Null when the lease, and with it the right to a stamp, is lost. */
  next(botId: BotId): Promise<ClientOrderId | null>;
  /** Begins a fresh stamp; false when the lease is lost. */
  renew(): Promise<boolean>;
};

/** What ids are made from. */
export type ClientIdDeps = {
  readonly account: Pick<LiveDeps["account"], "instance">;
  readonly lease: Pick<LiveDeps["lease"], "stampS" | "freshStamp">;
};

/** A source of ids that begins every stamp of the lease at its first id. */
export function createClientIds({ account, lease }: ClientIdDeps): ClientIds {
  const sources = new Map<BotId, ClientOrderIdSource>();
  let stampS = lease.stampS();

  async function renew(): Promise<boolean> {
    const fresh = await lease.freshStamp();
    if (fresh === null) return false;
    stampS = fresh;
    return true;
  }

  function issue(botId: BotId): ClientOrderId | null {
    const known = sources.get(botId);
    const source =
      known?.stampS === stampS ? known : clientOrderIdSource(stampS, account.instance, botId);
    const issued = issueClientOrderId(source);
    if (!issued.ok) return null;
    sources.set(botId, issued.value.next);
    return issued.value.id;
  }

  return {
    renew,
    async next(botId) {
      // The lease may have been taken again since, with a stamp of its own.
      stampS = Math.max(stampS, lease.stampS());
      return issue(botId) ?? ((await renew()) ? issue(botId) : null);
    },
  };
}
