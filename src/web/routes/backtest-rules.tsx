// The rules of the instrument on the backtest form: those of a newly chosen market, and those the exchange tells now.
// Answers with the fields alone; without a network the fields stay as they are, with a sentence.
import { RulesFields } from "../../../views/components/backtest-rules.tsx";
import { InputError } from "../../model/result.ts";
import type { Market } from "../../ports/market-data.ts";
import { actorOf } from "../../services/desk/account.ts";
import type { WebDeps } from "../deps.ts";
import { marketKey, readBacktestForm } from "../forms/backtest-form.ts";
import { sentence } from "../forms/backtest-sentences.ts";
import { type FormValues, postedValues } from "../forms/backtest-values.ts";
import { action, type Route, type Visitor, type WebContext } from "../route.ts";
import { factsOf, rulesView } from "./backtest.tsx";
import { keep, readKept, rulesOfRecord, withRules } from "./backtest-inputs.ts";
import { formView } from "./backtest-view.ts";

/** An exchange that says nothing for so long is given up. */
const FETCH_MS = 20_000;

/** Routes of `/backtest/instrument`. */
export function backtestRulesRoutes(deps: WebDeps): Route[] {
  return [
    action("/backtest/instrument", "trader", async (c, visitor) =>
      respondRules(deps, c, visitor, postedValues(await c.req.parseBody())),
    ),
    action("/backtest/instrument/fetch", "trader", async (c, visitor) => {
      const values = postedValues(await c.req.parseBody());
      const { scope } = actorOf(visitor.session);
      const { market, problems } = readBacktestForm(values, await factsOf(deps, scope));
      if (!market) return respondRules(deps, c, visitor, values, problems["series"]);
      const answer = await fetched(deps, c, market);
      if (!answer.ok) return respondRules(deps, c, visitor, values, answer.detail);
      const filled = { ...values, ...answer.rules };
      const kept = await readKept(deps.backtestDesk, scope);
      const rules = { market: marketKey(market), isTyped: false };
      await keep(deps.backtestDesk, scope, kept, filled, rules);
      return respondRules(deps, c, visitor, filled);
    }),
  ];
}

type Answer =
  | { readonly ok: true; readonly rules: FormValues }
  | { readonly ok: false; readonly detail: string };

/** Asks the exchange, as long as the person waits. */
async function fetched({ markets }: WebDeps, c: WebContext, market: Market): Promise<Answer> {
  const limit = AbortSignal.timeout(FETCH_MS);
  try {
    const record = await markets.fetch(market, AbortSignal.any([limit, c.req.raw.signal]));
    return {
      ok: true,
      rules: { ...rulesOfRecord(record), "instrument.market": marketKey(market) },
    };
  } catch (error) {
    if (limit.aborted) {
      const seconds = FETCH_MS / 1000;
      return {
        ok: false,
        detail: `${market.exchangeId} did not answer within ${seconds} seconds.`,
      };
    }
    const isTold =
      error instanceof InputError || (error instanceof Error && error.name === "MarketDataError");
    if (!isTold) throw error;
    const text = error.message.replace(/^(symbol|exchange): /, "");
    return { ok: false, detail: `${sentence(text)} The fields below can be typed in.` };
  }
}

async function respondRules(
  deps: WebDeps,
  c: WebContext,
  { session }: Visitor,
  values: FormValues,
  problem?: string,
) {
  const { scope } = actorOf(session);
  const { timeZone } = session.user;
  const facts = await factsOf(deps, scope);
  const reading = readBacktestForm(values, facts);
  const { typed } = await readKept(deps.backtestDesk, scope);
  const ruled = await withRules(deps.markets, typed, values, reading.market);
  const view = formView(ruled.values, {}, { ...facts, timeZone });
  c.header("HX-Trigger", JSON.stringify({ rules: {} }));
  return c.html(<RulesFields rules={rulesView(ruled, reading, timeZone, problem)} view={view} />);
}
