// Accounts at exchanges: list, new account, one account and its changes. An account of another workspace
// is not found here, whatever the number in the address. Traders may make an account safer (test, block,
// disable); what makes it riskier (keys, limits, lifting a block, enabling) is for owners.
import { AccountPlacePage, NewAccountPage } from "../../../views/pages/accounts-new.tsx";
import { AccountsPage } from "../../../views/pages/accounts.tsx";
import type { AccountId } from "../../ports/account-store.ts";
import { actorOf } from "../../services/desk/account.ts";
import { ACCOUNT_EXCHANGES, needsKeys } from "../../services/desk/account-exchanges.ts";
import {
  ACCOUNT_NAME_CHARS_MAX,
  checkPlace,
  KEY_CHARS_MAX,
} from "../../services/desk/account-wish.ts";
import type { Actor } from "../../services/desk/actor.ts";
import type { AccountOutcome, KeysRefusal } from "../../services/desk/trading-accounts.ts";
import { includesRole } from "../../services/desk/tokens.ts";
import type { WebDeps } from "../deps.ts";
import { sentence } from "../forms/backtest-sentences.ts";
import { readFields } from "../forms/fields.ts";
import { NOT_FOUND, type Refuse } from "../problems.tsx";
import { forForm, frameOf, idOf, respondPage } from "../respond.ts";
import { action, page, type Route, type Visitor, type WebContext } from "../route.ts";
import { type Shown, showAccount } from "./account-detail.tsx";
import { accountRow, checkRows, LIMIT_NAMES } from "./accounts-shown.ts";

const KEY_NAMES = ["apiKey", "apiSecret", "passphrase"] as const;

/** Routes of `/accounts`. */
export function accountsRoutes(deps: WebDeps, refuse: Refuse): Route[] {
  const { tradingAccounts } = deps;
  const change = (done: string, run: Run) => changing(deps, refuse, done, run);
  return [
    page("/accounts", "viewer", (c, visitor) => showList(deps, c, visitor)),
    page("/accounts/new", "owner", (c, visitor) => showNew(deps, c, visitor)),
    action("/accounts", "owner", (c, visitor) => add(deps, c, visitor)),
    page("/accounts/:id", "viewer", (c, visitor) => showAccount(deps, refuse, c, visitor)),
    action(
      "/accounts/:id/test",
      "trader",
      change("tested", async (c, actor, id) => {
        const { symbol } = await readFields(c, "symbol");
        return { outcome: await tradingAccounts.test(actor, id, symbol), kept: { symbol } };
      }),
    ),
    action(
      "/accounts/:id/rename",
      "owner",
      change("renamed", async (c, actor, id) => {
        const { name } = await readFields(c, "name");
        return { outcome: await tradingAccounts.rename(actor, id, name), kept: { name } };
      }),
    ),
    action(
      "/accounts/:id/limits",
      "owner",
      change("limits", async (c, actor, id) => {
        const limits = await readFields(c, ...LIMIT_NAMES);
        return { outcome: await tradingAccounts.setLimits(actor, id, limits), kept: { limits } };
      }),
    ),
    action(
      "/accounts/:id/keys",
      "owner",
      change("keys", async (c, actor, id) => ({
        outcome: await tradingAccounts.replaceKeys(actor, id, await readFields(c, ...KEY_NAMES)),
      })),
    ),
    ...switches(deps, change),
    action("/accounts/:id/delete", "owner", (c, visitor) => remove(deps, refuse, c, visitor)),
  ];
}

type Tried = { readonly outcome: AccountOutcome | KeysRefusal; readonly kept?: Shown["kept"] };
type Run = (c: WebContext, actor: Actor, id: AccountId) => Promise<Tried>;
type Changing = (done: string, run: Run) => Parameters<typeof action>[2];

function switches({ tradingAccounts }: WebDeps, change: Changing): Route[] {
  const setStatus =
    (status: "active" | "disabled"): Run =>
    async (_c, actor, id) => ({
      outcome: await tradingAccounts.setStatus(actor, id, status),
    });
  const setBlock =
    (blocks: boolean): Run =>
    async (_c, actor, id) => ({
      outcome: await tradingAccounts.setBlock(actor, id, blocks),
    });
  return [
    action("/accounts/:id/disable", "trader", change("disabled", setStatus("disabled"))),
    action("/accounts/:id/enable", "owner", change("enabled", setStatus("active"))),
    action("/accounts/:id/block", "trader", change("blocked", setBlock(true))),
    action("/accounts/:id/unblock", "owner", change("unblocked", setBlock(false))),
  ];
}

/** A change of one account: back to its page, or that page with the sentence. */
function changing(deps: WebDeps, refuse: Refuse, done: string, run: Run) {
  return async (c: WebContext, visitor: Visitor) => {
    const id = idOf<AccountId>(c.req.param("id"));
    if (id === undefined) return refuse(c, NOT_FOUND);
    const { outcome, kept } = await run(c, actorOf(visitor.session), id);
    if (outcome.ok) return c.redirect(`/accounts/${id}?done=${done}`, 303);
    if (outcome.reason === "unknown_account") return refuse(c, NOT_FOUND);
    return showAccount(deps, refuse, c, visitor, { refused: outcome, kept });
  };
}

async function remove(deps: WebDeps, refuse: Refuse, c: WebContext, visitor: Visitor) {
  const actor = actorOf(visitor.session);
  const id = idOf<AccountId>(c.req.param("id"));
  const account = id === undefined ? null : await deps.tradingAccounts.find(actor.scope, id);
  if (!account) return refuse(c, NOT_FOUND);
  const { confirm } = await readFields(c, "confirm");
  if (confirm.trim() !== account.name) {
    const detail = `“${confirm.slice(0, 60)}” is not ${account.name}; nothing was deleted`;
    const refused = { ok: false, reason: "refused", field: "confirm", detail } as const;
    return showAccount(deps, refuse, c, visitor, { refused });
  }
  const removed = await deps.tradingAccounts.remove(actor, account.id);
  if (removed.ok) return c.redirect("/accounts?done=deleted", 303);
  if (removed.reason === "unknown_account") return refuse(c, NOT_FOUND);
  return showAccount(deps, refuse, c, visitor, { refused: removed });
}

const DONE: Readonly<Record<string, string>> = {
  deleted: "The account is deleted. End its key at the exchange as well.",
};

async function showList({ about, tradingAccounts }: WebDeps, c: WebContext, visitor: Visitor) {
  const { session } = visitor;
  const list = await tradingAccounts.list(actorOf(session).scope);
  const shown = (
    <AccountsPage
      frame={frameOf(c, about)}
      accounts={list.map(accountRow)}
      now={tradingAccounts.now()}
      canAdd={includesRole(session.role, "owner")}
      done={DONE[c.req.query("done") ?? ""]}
    />
  );
  return respondPage(c, shown);
}

function showNew(deps: WebDeps, c: WebContext, visitor: Visitor) {
  const exchange = c.req.query("exchange");
  const mode = c.req.query("mode");
  if (exchange === undefined && mode === undefined) return showPlaces(deps, c, {}, {});
  const wish = { exchange: exchange ?? "", mode: mode ?? "" };
  return showForm(deps, c, visitor, { ...wish, name: "" }, {});
}

type Problems = Readonly<Record<string, string | undefined>>;
type Wish = { readonly exchange: string; readonly mode: string; readonly name: string };

function showPlaces(
  { about }: WebDeps,
  c: WebContext,
  { exchange = "", mode = "" }: Partial<Wish>,
  problems: Problems,
) {
  const shown = (
    <AccountPlacePage
      frame={frameOf(c, about)}
      exchanges={ACCOUNT_EXCHANGES.map(({ id, name }) => ({ value: id, label: name }))}
      exchange={exchange}
      mode={mode}
      problems={problems}
    />
  );
  return respondPage(c, shown, Object.keys(problems).length > 0 ? 422 : 200);
}

function showForm(
  deps: WebDeps,
  c: WebContext,
  { csrf }: Visitor,
  wish: Wish,
  problems: Problems,
  refused?: KeysRefusal,
) {
  const place = checkPlace(wish);
  if (!place.ok) return showPlaces(deps, c, wish, { [place.field]: forForm(place.detail) });
  const { exchange, mode } = place.value;
  const shown = (
    <NewAccountPage
      frame={frameOf(c, deps.about)}
      csrf={csrf}
      exchange={exchange.id}
      exchangeName={exchange.name}
      mode={mode}
      needsKeys={needsKeys(mode)}
      needsPassphrase={exchange.needsPassphrase}
      permissions={exchange.permissions}
      name={wish.name}
      nameCharsMax={ACCOUNT_NAME_CHARS_MAX}
      keyCharsMax={KEY_CHARS_MAX}
      problems={problems}
      refused={refused && { sentence: sentence(refused.detail), checks: checkRows(refused.report) }}
    />
  );
  const isGood = Object.keys(problems).length === 0 && refused === undefined;
  return respondPage(c, shown, isGood ? 200 : 422);
}

async function add(deps: WebDeps, c: WebContext, visitor: Visitor) {
  const fields = await readFields(c, "exchange", "mode", "name", ...KEY_NAMES);
  const made = await deps.tradingAccounts.create(actorOf(visitor.session), fields);
  if (made.ok) return c.redirect(`/accounts/${made.account.id}?done=added`, 303);
  const { exchange, mode, name } = fields;
  const wish = { exchange, mode, name };
  if (made.reason === "keys_refused") return showForm(deps, c, visitor, wish, {}, made);
  const field = made.reason === "refused" ? made.field : "form";
  return showForm(deps, c, visitor, wish, { [field]: forForm(made.detail) });
}
