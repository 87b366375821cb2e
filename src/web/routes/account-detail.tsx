// The page of one account, as it is and after a change that was refused. Used by routes/accounts.tsx.
import { AccountDetailPage } from "../../../views/pages/accounts-detail.tsx";
import type { AccountId } from "../../ports/account-store.ts";
import { actorOf } from "../../services/desk/account.ts";
import { findExchange } from "../../services/desk/account-exchanges.ts";
import {
  ACCOUNT_NAME_CHARS_MAX,
  KEY_CHARS_MAX,
  SYMBOL_CHARS_MAX,
  type TypedLimits,
} from "../../services/desk/account-wish.ts";
import { includesRole } from "../../services/desk/tokens.ts";
import type { AccountOutcome, KeysRefusal } from "../../services/desk/trading-accounts.ts";
import { RESET_WORD } from "../../services/live/account-live.ts";
import type { WebDeps } from "../deps.ts";
import { sentence } from "../forms/backtest-sentences.ts";
import { NOT_FOUND, type Refuse } from "../problems.tsx";
import { forForm, frameOf, idOf, respondPage } from "../respond.ts";
import type { Visitor, WebContext } from "../route.ts";
import { liveCard, reachedRows, standingShown } from "./account-live-shown.ts";
import {
  accountRow,
  checkRows,
  exchangeName,
  keyRow,
  limitFields,
  testTiles,
} from "./accounts-shown.ts";

/** What a refused change leaves on the page. */
export type Shown = {
  readonly refused?: Extract<AccountOutcome | KeysRefusal, { readonly ok: false }>;
  /** What was typed, for the forms that show it again; never a key. */
  readonly kept?:
    | {
        readonly name?: string;
        readonly symbol?: string;
        readonly limits?: TypedLimits;
        /** Typed to arm the account. */
        readonly typedName?: string;
      }
    | undefined;
};

const DONE: Readonly<Record<string, string>> = {
  added: "The account is added.",
  tested: "The test is done.",
  renamed: "The account has a new name.",
  limits: "The limits are saved.",
  keys: "The keys are replaced; the former ones are removed. End the old key at the exchange.",
  disabled: "The account is disabled.",
  enabled: "The account is enabled.",
  blocked: "New entries are blocked; exits and stops go on.",
  unblocked: "New entries are allowed.",
  checking: "The pre-flight began; it takes up to a minute or two.",
  armed: "The account is armed: its bots trade real money.",
  disarmed: "Live trading of the account is off.",
  reset: "The limit is reset.",
  settled: "The worker of the account was asked; it reports in the events.",
};

/** Answers with the page; 422 after a refused change. */
export async function showAccount(
  deps: WebDeps,
  refuse: Refuse,
  c: WebContext,
  { session, csrf }: Visitor,
  { refused, kept }: Shown = {},
) {
  const { about, accountLive, tradingAccounts } = deps;
  const { scope } = actorOf(session);
  const id = idOf<AccountId>(c.req.param("id"));
  const account = id === undefined ? null : await tradingAccounts.find(scope, id);
  if (!account) return refuse(c, NOT_FOUND);
  const { name, exchangeId, credential, probe } = account;
  const exchange = findExchange(exchangeId);
  const { mode, status, isBlocked } = accountRow(account);
  const visitor = { session, csrf };
  const { timeZone } = session.user;
  const live = mode === "live" ? await accountLive.live(scope, account.id) : null;
  const now = tradingAccounts.now();
  const problems = problemsOf(refused);
  const card = { account, visitor, now, problems, typedName: kept?.typedName };
  const report = refused?.reason === "keys_refused" ? refused : undefined;
  const shown = (
    <AccountDetailPage
      frame={frameOf(c, about)}
      csrf={csrf}
      id={account.id}
      name={name}
      typedName={kept?.name}
      exchangeName={exchangeName(exchangeId)}
      permissions={exchange?.permissions ?? ""}
      needsPassphrase={exchange?.needsPassphrase ?? false}
      nameCharsMax={ACCOUNT_NAME_CHARS_MAX}
      keyCharsMax={KEY_CHARS_MAX}
      symbolCharsMax={SYMBOL_CHARS_MAX}
      state={{ mode, status, isBlocked }}
      createdAt={account.createdAt}
      presentKey={credential && keyRow(credential)}
      formerKeys={(await tradingAccounts.formerCredentials(scope, account.id)).map(keyRow)}
      test={
        probe && {
          at: probe.at,
          symbol: probe.symbol,
          tiles: testTiles(probe),
          checks: checkRows(probe),
        }
      }
      testSymbol={kept?.symbol ?? probe?.symbol ?? exchange?.testSymbol ?? ""}
      limits={limitFields(account.limits, kept?.limits)}
      canTrade={includesRole(session.role, "trader")}
      canOwn={includesRole(session.role, "owner")}
      now={now}
      timeZone={timeZone}
      problems={problems}
      live={live && liveCard(live, card)}
      standing={standingShown(await accountLive.standing(scope, account.id), account, visitor)}
      reached={reachedRows(await accountLive.reached(scope, account.id), timeZone)}
      resetWord={RESET_WORD}
      refused={report && { sentence: sentence(report.detail), checks: checkRows(report.report) }}
      done={refused ? undefined : DONE[c.req.query("done") ?? ""]}
    />
  );
  return respondPage(c, shown, refused ? 422 : 200);
}

function problemsOf(refused: Shown["refused"]): Readonly<Record<string, string | undefined>> {
  if (!refused || refused.reason === "keys_refused") return {};
  const field = refused.reason === "refused" ? refused.field : "form";
  return { [field]: forForm(refused.detail) };
}
