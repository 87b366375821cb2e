// Limits, room and position settings in a whole trading session: what risk says really stops the order, and exits
// go on.
import { expect, test } from "bun:test";
import { decimal } from "../../../src/model/decimal.ts";
import type { BotConfig } from "../../../src/ports/bot-store.ts";
import {
  botConfig,
  eagerStrategy,
  type LiveSession,
  openSession,
  SYMBOL,
} from "../../support/live-session.ts";

const TIMEOUT_MS = 120_000;

function sessionTest(name: string, body: (session: LiveSession) => Promise<void>): void {
  test(
    name,
    async () => {
      const session = await openSession();
      try {
        await body(session);
      } finally {
        await session.close();
      }
    },
    TIMEOUT_MS,
  );
}

const kindsOf = async ({ bots, scope, accountId }: LiveSession) => {
  const query = { accountId, botId: null, severities: null, beforeId: null, limit: 500 };
  return (await bots.events(scope, query)).map(({ kind }) => kind);
};

const configOf = (limits: Partial<BotConfig["limits"]>) => {
  const config = botConfig(eagerStrategy());
  return { ...config, limits: { ...config.limits, ...limits } };
};

sessionTest("an order above the limit of its bot never reaches the exchange", async (session) => {
  await session.addBot({ config: configOf({ maxOrderNotional: decimal("1") }) });
  await session.startWorker();
  await session.until("an order was kept back", async () =>
    (await kindsOf(session)).includes("risk_limit_trip"),
  );
  const kinds = await kindsOf(session);
  expect(kinds).toContain("leverage_set");
  expect(kinds).not.toContain("order_placed");
  expect(await session.trading.fills(session.scope, session.accountId, SYMBOL)).toEqual([]);
});

sessionTest(
  "a limit of loss that was reached takes entries back, keeps the stop and opens nothing, also after a restart",
  async (session) => {
    const { accounts, scope, accountId, clock, trading } = session;
    const limits = {
      ...{ maxDailyLossUsd: null, maxTotalLossUsd: decimal("0.01"), maxDrawdownPct: null },
      ...{ maxSymbolExposureUsd: null, maxGrossExposureUsd: null },
    };
    await accounts.change(scope, accountId, { limits }, clock.now());
    await session.addBot();
    const worker = await session.startWorker();
    await session.until("the fee of the entry reached the limit", async () =>
      (await kindsOf(session)).includes("account_risk_block"),
    );
    const alive = () => trading.aliveIntents(scope, accountId);
    const isOpening = ({ purpose }: { readonly purpose: string }) =>
      purpose === "entry" || purpose === "rung";
    await session.until("no entry works any more", async () => !(await alive()).some(isOpening));
    await session.until(
      "the position was closed by its take-profit or stop",
      async () => (await trading.holdings(scope, accountId)).length === 0,
      6 * 3_600_000,
    );
    await worker.stop();
    const fills = (await trading.fills(scope, accountId, SYMBOL)).length;
    await session.startWorker();
    await clock.sleep(15 * 60_000);
    expect((await trading.fills(scope, accountId, SYMBOL)).length).toBe(fills);
  },
);
