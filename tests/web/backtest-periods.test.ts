// Saved periods over the real app: saved, offered, renamed, deleted, refused, and nobody else's.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { PERIODS_MAX } from "../../src/services/research/periods.ts";
import {
  type BacktestCase,
  backtestCase,
  type Fields,
  formOf,
  FROM,
  problemAt,
} from "./backtest-case.ts";

let made: BacktestCase;

beforeAll(async () => {
  made = await backtestCase();
}, 60_000);

afterAll(() => made.end());

describe("saved periods", () => {
  const audited = async () => {
    const rows = await made.database.sql<{ action: string }[]>`
      select action from audit_log where action like 'period%' order by id`;
    return rows.map(({ action }) => action);
  };

  test("are saved, offered, renamed and deleted, each with an audit entry", async () => {
    const prefilled = await (
      await made.trader.get(`/backtest/periods?from=${FROM}&to=${FROM + 86_400_000}`)
    ).text();
    expect(prefilled).toContain('value="2024-01-02T00:00"');
    const wish = { name: "January", from: "2024-01-05T00:00", to: "2024-01-19T00:00" };
    const saved = await made.trader.post("/backtest/periods", wish);
    expect(saved.headers.get("location")).toBe("/backtest/periods?done=saved");
    const page = await (await made.trader.get("/backtest/periods?done=saved")).text();
    expect(page).toContain("The period is saved.");
    const id = Number(/backtest\?period=(\d+)/.exec(page)?.[1]);
    const fields = await formOf(made.trader, `?period=${id}`);
    expect([fields["range.mode"], fields["range.period"]]).toEqual(["period", String(id)]);
    await made.trader.post(`/backtest/periods/${id}/rename`, { name: " First  weeks " });
    expect(await (await made.trader.get("/backtest/periods")).text()).toContain("First  weeks");
    const stranger = await made.signedIn("owner@beta.example");
    expect((await stranger.post(`/backtest/periods/${id}/rename`, { name: "x" })).status).toBe(404);
    expect((await stranger.post(`/backtest/periods/${id}/delete`)).status).toBe(404);
    expect(await (await stranger.get("/backtest/periods")).text()).not.toContain("First");
    const gone = await made.trader.post(`/backtest/periods/${id}/delete`);
    expect(gone.headers.get("location")).toBe("/backtest/periods?done=deleted");
    expect((await made.trader.post(`/backtest/periods/${id}/delete`)).status).toBe(404);
    expect(await audited()).toEqual(["period_created", "period_renamed", "period_deleted"]);
  });

  test("with a bad name or range are refused at the field", async () => {
    const good = { name: "ok", from: "2024-01-05T00:00", to: "2024-01-19T00:00" };
    const cases: [Fields, string, string][] = [
      [{ name: " " }, "name", "must have 1 to 60"],
      [{ name: "n".repeat(61) }, "name", "61 characters"],
      [{ from: "soon" }, "from", '"soon" is not a date'],
      [{ to: "2024-01-05T00:00" }, "to", "must be after its start"],
      [{ from: "1999-01-01T00:00" }, "to", "between 2009"],
      [{ to: "2199-01-01T00:00" }, "to", "between 2009"],
    ];
    for (const [changes, field, sentence] of cases) {
      const answer = await made.trader.post("/backtest/periods", { ...good, ...changes });
      expect(answer.status).toBe(422);
      expect(problemAt(await answer.text(), field)).toContain(sentence);
    }
    await made.trader.post("/backtest/periods", good);
    const twice = await (
      await made.trader.post("/backtest/periods", { ...good, name: "OK" })
    ).text();
    expect(problemAt(twice, "name")).toContain("exists already");
    const id = Number(/backtest\?period=(\d+)/.exec(twice)?.[1]);
    const rename = await made.trader.post(`/backtest/periods/${id}/rename`, { name: "" });
    expect(rename.status).toBe(422);
    expect(await rename.text()).toContain(`id="rename-${id}-problem"`);
  });

  test("there is a most of them", async () => {
    const { periods } = made.deps;
    const actor = {
      user: made.foreign.trader,
      scope: { ...made.foreign.scope, userId: made.foreign.trader.id },
    };
    const wish = (n: number) => ({ name: `p${n}`, fromAt: FROM, toAt: FROM + 1000 + n });
    for (let n = 0; n < PERIODS_MAX; n++) {
      expect((await periods.create(actor, wish(n))).ok).toBe(true);
    }
    expect(await periods.create(actor, wish(PERIODS_MAX))).toMatchObject({
      ok: false,
      detail: expect.stringContaining("the most allowed") as string,
    });
  });
});
