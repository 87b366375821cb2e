// The sample market: a year of invented candles with rules of their own, so that somebody without any
// history can try everything at once. Asked for by the first page; it never mixes with real markets.
import { sampleCandles } from "../../engine/sample-candles.ts";
import { DAY_MS, utcDayStart } from "../../model/time.ts";
import type { Scope } from "../../ports/access-store.ts";
import type { AuditStore } from "../../ports/audit-store.ts";
import type { CandleStore, SeriesId } from "../../ports/candle-store.ts";
import type { Clock } from "../../ports/clock.ts";
import type { InstrumentStore, NewInstrument } from "../../ports/instrument-store.ts";
import { type Actor, noteAct } from "../desk/actor.ts";

/** The invented contract; its exchange exists nowhere. */
export const SAMPLE_INSTRUMENT: NewInstrument = {
  exchangeId: "sample",
  symbol: "SAMPLE/USDT:USDT",
  kind: "perps",
  base: "SAMPLE",
  quote: "USDT",
  settle: "USDT",
  isLinear: true,
  isActive: true,
  priceTick: 0.1,
  qtyStep: 0.0001,
  minQty: 0.0001,
  minNotional: 5,
  contractSize: 1,
};

const TIMEFRAME_MIN = 5;
const DAYS = 365;
const SEED = 2;
const START_PRICE = 30_000;

/** What the sample market needs. */
export type SampleDeps = {
  readonly candles: Pick<
    CandleStore,
    "findCandles" | "openCandles" | "mergeCandles" | "listSeries"
  >;
  readonly instruments: Pick<InstrumentStore, "saveAll">;
  readonly audit: Pick<AuditStore, "append">;
  readonly clock: Clock;
};

/** The sample market of a workspace. */
export type SampleMarket = {
  /** Its candle series: the one that is there, else a new one of the last 365 UTC days. */
  install(actor: Actor): Promise<SeriesId>;
  /** Whether the workspace has no candles at all, so that the sample is worth offering. */
  isWorthOffering(scope: Scope): Promise<boolean>;
};

/** Builds the service. */
export function createSampleMarket(deps: SampleDeps): SampleMarket {
  const { candles, instruments, clock } = deps;
  const { exchangeId, symbol, kind } = SAMPLE_INSTRUMENT;
  const key = { exchangeId, symbol, kind, timeframeMin: TIMEFRAME_MIN };
  return {
    async install(actor) {
      const known = await candles.findCandles(actor.scope, key);
      if (known !== null) return known;
      const now = clock.now();
      const to = utcDayStart(now);
      const series = sampleCandles({
        seed: SEED,
        timeframeMin: TIMEFRAME_MIN,
        from: to - DAYS * DAY_MS,
        to,
        startPrice: START_PRICE,
        tick: SAMPLE_INSTRUMENT.priceTick,
      });
      await instruments.saveAll([SAMPLE_INSTRUMENT], now);
      const id = await candles.openCandles(actor.scope, key, now);
      await candles.mergeCandles(actor.scope, id, { series }, now);
      await noteAct(deps, actor, { action: "sample_market_made", object: `series:${id}` });
      return id;
    },
    isWorthOffering: async (scope) => (await candles.listSeries(scope)).length === 0,
  };
}
