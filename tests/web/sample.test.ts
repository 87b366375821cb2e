// The sample market: offered while there are no candles, made once, the same for whoever asks again.
import { expect, test } from "bun:test";
import { createCandleRepository } from "../../src/adapters/postgres/candle-repository.ts";
import { createInstrumentRepository } from "../../src/adapters/postgres/instrument-repository.ts";
import { SAMPLE_INSTRUMENT } from "../../src/services/research/sample-market.ts";
import { browserOf, withCase, workspaceWith } from "./web-case.ts";

test("the first page offers sample candles until there are candles, and never to a viewer", () =>
  withCase(async (made) => {
    await workspaceWith(made, "alpha");
    const trader = browserOf(made);
    await trader.signIn("trader@alpha.example");
    const offer = "Try with sample candles";
    expect(await (await trader.get("/")).text()).toContain(offer);
    const viewer = browserOf(made);
    await viewer.signIn("viewer@alpha.example");
    expect(await (await viewer.get("/")).text()).not.toContain(offer);
    expect((await viewer.post("/sample")).status).toBe(403);
    await trader.post("/sample");
    expect(await (await trader.get("/")).text()).not.toContain(offer);
  }));

test("the sample is one series of a year with trading rules, made once per workspace", () =>
  withCase(async (made) => {
    const { trader } = await workspaceWith(made, "alpha");
    await workspaceWith(made, "beta");
    const browser = browserOf(made);
    await browser.signIn("trader@alpha.example");
    await browser.get("/");
    const first = (await browser.post("/sample")).headers.get("location");
    expect(first).toMatch(/^\/backtest\?series=\d+$/);
    expect((await browser.post("/sample")).headers.get("location")).toBe(first);
    const { sql } = made.database;
    const workspaces = await sql<{ id: number; name: string }[]>`select id, name from workspaces`;
    const store = createCandleRepository(sql);
    for (const { id, name } of workspaces) {
      const scope = { workspaceId: id as never, userId: trader.id, role: "trader" as const };
      const series = await store.listSeries(scope);
      expect([name, series.map(({ items }) => items)]).toEqual([
        name,
        name === "alpha" ? [365 * 288] : [],
      ]);
    }
    const { exchangeId, symbol, kind } = SAMPLE_INSTRUMENT;
    const rules = await createInstrumentRepository(sql).find(exchangeId, symbol, kind);
    expect(rules).toMatchObject({ priceTick: 0.1, qtyStep: 0.0001, minNotional: 5 });
    const [noted] = await sql`select count(*)::int as n from audit_log
      where action = 'sample_market_made'`;
    expect(noted?.n).toBe(1);
  }));
