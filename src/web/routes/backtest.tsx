// The backtest page: the form, the preview while somebody types, and the run it asks for. Whatever was typed comes
// back with a sentence at every field that is wrong; nothing is stored of a refused run but the inputs themselves.
import { BacktestPage } from "../../../views/pages/backtest.tsx";
import { PreviewAnswer } from "../../../views/components/backtest-estimate.tsx";
import { OTHER_SERIES } from "../../../views/components/backtest-run-fields.ts";
import { ON } from "../../../views/components/backtest-field-kinds.ts";
import type { RulesView } from "../../../views/components/backtest-rules.tsx";
import type { Scope } from "../../ports/access-store.ts";
import type { CandleSummary } from "../../ports/candle-store.ts";
import type { Run, RunId } from "../../ports/run-store.ts";
import { actorOf } from "../../services/desk/account.ts";
import { requestOf } from "../../services/research/run-request.ts";
import type { WebDeps } from "../deps.ts";
import { type FormReading, marketKey, readBacktestForm } from "../forms/backtest-form.ts";
import { type Problems, problemsOf, RANGE } from "../forms/backtest-sentences.ts";
import {
  DEFAULT_VALUES,
  type FormValues,
  numberText,
  postedValues,
  valuesOfConfig,
  valuesOfRules,
  valuesOfRun,
} from "../forms/backtest-values.ts";
import { type FormFacts, momentText, storedOf } from "../forms/backtest-window.ts";
import { NOT_FOUND, type Refuse } from "../problems.tsx";
import { frameOf, idOf, respondPage } from "../respond.ts";
import { action, page, type Route, type Visitor, type WebContext } from "../route.ts";
import { keep, readKept, type WithRules, withRules } from "./backtest-inputs.ts";
import { previewOf } from "./backtest-preview.ts";
import { formView, summaryOf } from "./backtest-view.ts";

/** A run that is over this soon is shown at once. */
const SETTLE_MS = 400;

const DONE: Readonly<Record<string, string>> = {
  reset: "The form is back at its defaults.",
};

/** What every backtest route is judged against. */
export async function factsOf(
  { backtestDesk, markets, periods }: WebDeps,
  scope: Scope,
): Promise<FormFacts> {
  const [series, saved] = await Promise.all([backtestDesk.series(scope), periods.list(scope)]);
  return {
    series,
    periods: saved,
    now: backtestDesk.now(),
    normalise: (exchange, symbol, kind) => markets.normalise(exchange, symbol, kind),
  };
}

/** What stands above the rules of the instrument. */
export function rulesView(
  { source, fetchedAt }: WithRules,
  { market }: FormReading,
  timeZone: string,
  problem?: string,
): RulesView {
  const name = market && `${market.symbol} on ${market.exchangeId}`;
  return { market: name, source, fetchedAt, problem, timeZone };
}

/** Routes of `/backtest` but those of the rules and the periods. */
export function backtestRoutes(deps: WebDeps, refuse: Refuse): Route[] {
  const { backtestDesk } = deps;
  return [
    page("/backtest", "trader", (c, visitor) => showForm(deps, refuse, c, visitor)),
    action("/backtest", "trader", (c, visitor) => ask(deps, c, visitor)),
    action("/backtest/preview", "trader", async (c, { session }) => {
      const { scope } = actorOf(session);
      const values = postedValues(await c.req.parseBody());
      const reading = readBacktestForm(values, await factsOf(deps, scope));
      await keep(backtestDesk, scope, await readKept(backtestDesk, scope), values);
      const { timeZone } = session.user;
      const preview = await previewOf(backtestDesk, scope, reading, values, timeZone);
      return c.html(<PreviewAnswer preview={preview} />);
    }),
    action("/backtest/reset", "trader", async (c, { session }) => {
      await backtestDesk.keepInputs(actorOf(session).scope, null);
      return c.redirect("/backtest?done=reset", 303);
    }),
  ];
}

/** The form of a former run, of a series, of a period, or as it was left. */
async function showForm(deps: WebDeps, refuse: Refuse, c: WebContext, visitor: Visitor) {
  const { scope } = actorOf(visitor.session);
  const facts = await factsOf(deps, scope);
  const kept = await readKept(deps.backtestDesk, scope);
  let values = kept.values ?? (await firstValues(deps, scope, facts));
  const asked = c.req.query("run");
  if (asked !== undefined) {
    const id = idOf<RunId>(asked);
    const run = id === undefined ? null : await deps.runs.find(scope, id);
    if (!run) return refuse(c, NOT_FOUND);
    values = valuesOfStored(run, facts);
  }
  const chosen = facts.series.find(({ id }) => String(id) === c.req.query("series"));
  if (chosen) values = { ...values, ...(await valuesOfSeries(deps, scope, chosen)) };
  const period = facts.periods.find(({ id }) => String(id) === c.req.query("period"));
  if (period) values = { ...values, "range.mode": "period", "range.period": String(period.id) };
  const given = { values, problems: {}, facts, typed: kept.typed };
  return respondForm(deps, c, visitor, given, DONE[c.req.query("done") ?? ""]);
}

/** The first visit: the first stored series, if there is one. */
async function firstValues(deps: WebDeps, scope: Scope, { series }: FormFacts) {
  const first = series.find(({ items }) => items > 0);
  if (!first) return DEFAULT_VALUES;
  return { ...DEFAULT_VALUES, ...(await valuesOfSeries(deps, scope, first)) };
}

/** A series with its timeframe, and its funding where rates are stored. */
async function valuesOfSeries(
  { backtestDesk }: WebDeps,
  scope: Scope,
  series: CandleSummary,
): Promise<FormValues> {
  const hasFunding = await backtestDesk.hasFunding(scope, series);
  return {
    series: String(series.id),
    "run.timeframe_min": numberText(series.timeframeMin),
    funding: hasFunding ? ON : "",
  };
}

/** Everything a run was asked with; its market by a stored series where there is one. */
function valuesOfStored(run: Run, facts: FormFacts): FormValues {
  const {
    market,
    config,
    instrument,
    run: settings,
    withFunding,
    fetchMissing,
    name,
  } = requestOf(run);
  const own = storedOf(facts, market).find(({ id }) => id === run.seriesId);
  const series = own ?? storedOf(facts, market)[0];
  return {
    ...DEFAULT_VALUES,
    ...valuesOfConfig(config),
    ...valuesOfRun(settings),
    ...valuesOfRules(instrument),
    "instrument.market": marketKey(market),
    "market.exchange": market.exchangeId,
    "market.symbol": market.symbol,
    "market.kind": market.kind,
    series: series ? String(series.id) : OTHER_SERIES,
    "range.mode": "dates",
    "range.from": momentText(run.fromAt),
    "range.to": momentText(run.toAt),
    funding: withFunding ? ON : "",
    fetch: fetchMissing ? ON : "",
    name: name ?? "",
  };
}

type Given = {
  readonly values: FormValues;
  readonly problems: Problems;
  readonly facts: FormFacts;
  readonly typed: Parameters<typeof withRules>[1];
};

async function respondForm(
  deps: WebDeps,
  c: WebContext,
  { session, csrf }: Visitor,
  { values: typedIn, problems, facts, typed }: Given,
  done?: string,
) {
  const { scope } = actorOf(session);
  const { timeZone } = session.user;
  const { market } = readBacktestForm(typedIn, facts);
  const ruled = await withRules(deps.markets, typed, typedIn, market);
  const { values } = ruled;
  const reading = readBacktestForm(values, facts);
  const stored = { series: facts.series, periods: facts.periods, timeZone };
  const shown = (
    <BacktestPage
      frame={frameOf(c, deps.about)}
      csrf={csrf}
      view={formView(values, problems, stored)}
      summary={summaryOf(problems)}
      rules={rulesView(ruled, reading, timeZone)}
      preview={await previewOf(deps.backtestDesk, scope, reading, values, timeZone)}
      exchanges={deps.markets.exchangeIds()}
      hasSeries={facts.series.length > 0}
      done={done}
    />
  );
  return respondPage(c, shown, Object.keys(problems).length > 0 ? 422 : 200);
}

/** A posted form: the run, or the form with its sentences. */
async function ask(deps: WebDeps, c: WebContext, visitor: Visitor) {
  const actor = actorOf(visitor.session);
  const { scope } = actor;
  const values = postedValues(await c.req.parseBody());
  const facts = await factsOf(deps, scope);
  const kept = await readKept(deps.backtestDesk, scope);
  const { request, problems, market } = readBacktestForm(values, facts);
  const again = (found: Problems) =>
    respondForm(deps, c, visitor, { values, problems: found, facts, typed: kept.typed });
  if (!request) return again(problems);
  const asked = await deps.runs.request(actor, request);
  if (!asked.ok) return again(placed(problemsOf(asked.sentences), values));
  const { source } = await withRules(deps.markets, kept.typed, values, market);
  const rules = market && { market: marketKey(market), isTyped: source === "typed" };
  await keep(deps.backtestDesk, scope, kept, values, rules);
  await deps.runs.settled(scope, asked.id, SETTLE_MS);
  return c.redirect(`/runs/${asked.id}`, 303);
}

const RANGE_FIELDS: Readonly<Record<string, string>> = {
  bars: "range.bars",
  dates: "range.from",
  period: "range.period",
};

/** A sentence about the window stands at the field that gives it. */
function placed({ [RANGE]: window, ...others }: Problems, values: FormValues): Problems {
  if (window === undefined) return others;
  return { ...others, [RANGE_FIELDS[values["range.mode"] ?? ""] ?? "range.duration"]: window };
}
