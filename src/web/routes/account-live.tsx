// Pre-flight, arming and disarming of an account, limits that were reached, and the streams of its page. Whoever trades
// may check and switch off, only an owner arms and resets. An account of another workspace is not found here.
import { AccountStandingView } from "../../../views/components/account-standing.tsx";
import { LiveCard } from "../../../views/pages/accounts-live.tsx";
import type { AccountId, TradingAccount } from "../../ports/account-store.ts";
import { actorOf } from "../../services/desk/account.ts";
import { refuseField } from "../../services/desk/actor.ts";
import type { ArmRefusal, DisarmRefusal } from "../../services/live/preflight.ts";
import type { BeginRefusal } from "../../services/live/preflight-runs.ts";
import type { AccountStanding, ChangeOutcome } from "../../services/live/account-live.ts";
import type { WebDeps } from "../deps.ts";
import { readFields } from "../forms/fields.ts";
import { NOT_FOUND, type Refuse } from "../problems.tsx";
import { idOf } from "../respond.ts";
import { action, part, type Route, type Visitor, type WebContext } from "../route.ts";
import { showAccount } from "./account-detail.tsx";
import { liveCard, standingShown } from "./account-live-shown.ts";

type Answer = (
  c: WebContext,
  visitor: Visitor,
  account: TradingAccount,
) => Response | Promise<Response>;

/** Routes below `/accounts/:id` that are about live trading. */
export function accountLiveRoutes(deps: WebDeps, refuse: Refuse): Route[] {
  const about = (answer: Answer) => async (c: WebContext, visitor: Visitor) => {
    const { scope } = actorOf(visitor.session);
    const id = idOf<AccountId>(c.req.param("id"));
    const account = id === undefined ? null : await deps.tradingAccounts.find(scope, id);
    return account ? answer(c, visitor, account) : refuse(c, NOT_FOUND);
  };
  const change = (done: string, run: Run) =>
    about((c, visitor, account) => changing(deps, refuse, c, visitor, { account, done, run }));
  return [
    part(
      "/accounts/:id/stream",
      "viewer",
      about((c, visitor, account) => streamStanding(deps, c, visitor, account)),
    ),
    part(
      "/accounts/:id/live",
      "viewer",
      about((c, visitor, account) => showLiveCard(deps, c, visitor, account)),
    ),
    part(
      "/accounts/:id/preflight/stream",
      "viewer",
      about((c, _visitor, account) => streamPreflight(deps, c, account)),
    ),
    action("/accounts/:id/preflight", "trader", change("checking", begin)),
    action("/accounts/:id/arm", "owner", change("armed", arm)),
    action("/accounts/:id/disarm", "trader", change("disarmed", disarm)),
    action("/accounts/:id/reset-limit", "owner", change("reset", reset)),
  ];
}

type Tried = { readonly outcome: ChangeOutcome; readonly typedName?: string };
type Run = (deps: WebDeps, c: WebContext, visitor: Visitor, accountId: AccountId) => Promise<Tried>;

async function changing(
  deps: WebDeps,
  refuse: Refuse,
  c: WebContext,
  visitor: Visitor,
  wish: { readonly account: TradingAccount; readonly done: string; readonly run: Run },
) {
  const { id } = wish.account;
  const { outcome, typedName } = await wish.run(deps, c, visitor, id);
  if (outcome.ok) return c.redirect(`/accounts/${id}?done=${wish.done}`, 303);
  if (outcome.reason === "unknown_account") return refuse(c, NOT_FOUND);
  const kept = typedName === undefined ? {} : { kept: { typedName } };
  return showAccount(deps, refuse, c, visitor, { refused: outcome, ...kept });
}

/** A refusal of a service at the field it is about; `rest` for what is about none. */
function atField<Reason extends string>(
  { reason, detail }: { readonly reason: Reason; readonly detail: string },
  fields: Partial<Record<Reason, string>>,
  rest: string,
): ChangeOutcome {
  if (reason === "unknown_account") return { ok: false, reason: "unknown_account" };
  return refuseField(fields[reason] ?? rest, detail);
}

const begin: Run = async ({ accountLive }, _c, { session }, accountId) => {
  const begun = await accountLive.begin(actorOf(session).scope, accountId);
  return { outcome: begun.ok ? begun : atField<BeginRefusal>(begun, {}, "preflight") };
};

const arm: Run = async ({ accountLive }, c, { session }, accountId) => {
  const { typedName, keyBackup } = await readFields(c, "typedName", "keyBackup");
  const wish = { accountId, typedName, hasKeyBackup: keyBackup === "yes" };
  const armed = await accountLive.arm(actorOf(session), wish);
  if (armed.ok) return { outcome: armed };
  const fields = { wrong_name: "typedName", key_backup_missing: "keyBackup" };
  return { outcome: atField<ArmRefusal>(armed, fields, "arm"), typedName };
};

const disarm: Run = async ({ accountLive }, c, { session }, accountId) => {
  const { confirm } = await readFields(c, "confirm");
  const wish = { accountId, typedWord: confirm };
  const disarmed = await accountLive.disarm(actorOf(session), wish);
  return { outcome: disarmed.ok ? disarmed : atField<DisarmRefusal>(disarmed, {}, "disarm") };
};

const reset: Run = async ({ accountLive }, c, { session }, accountId) => {
  const { confirm } = await readFields(c, "confirm");
  const wish = { accountId, limit: c.req.query("limit") ?? "", typedWord: confirm };
  return { outcome: await accountLive.reset(actorOf(session), wish) };
};

/** Sends the card whenever it looks different. */
async function streamStanding(
  { accountLive, streams }: WebDeps,
  c: WebContext,
  visitor: Visitor,
  account: TradingAccount,
) {
  const { scope } = actorOf(visitor.session);
  const { id } = account;
  const first = await accountLive.standing(scope, id);
  return streams.open(c, (send) => {
    let sent = "";
    const show = (standing: AccountStanding) => {
      const shown = standingShown(standing, account, visitor);
      const html = String(<AccountStandingView {...shown} />);
      if (html !== sent) send({ html });
      sent = html;
    };
    show(first);
    return accountLive.watch(scope, id, show);
  });
}

/** Ends with the run; the card then asks for itself again. */
function streamPreflight({ accountLive, streams }: WebDeps, c: WebContext, { id }: TradingAccount) {
  return streams.open(c, (send, end) =>
    accountLive.whenEnded(id, () => {
      send({ event: "ended" });
      end();
    }),
  );
}

/** The card alone; nothing for an account without real money. */
async function showLiveCard(
  { accountLive, tradingAccounts }: WebDeps,
  c: WebContext,
  visitor: Visitor,
  account: TradingAccount,
) {
  if (account.mode !== "live") return c.body(null, 204);
  const live = await accountLive.live(actorOf(visitor.session).scope, account.id);
  const now = tradingAccounts.now();
  return c.html(<LiveCard {...liveCard(live, { account, visitor, now, problems: {} })} />);
}
