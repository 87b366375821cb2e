// Position mode and leverage of a symbol against the real simulated exchange: read, compared, set where nothing is
// held, read back. What is not known blocks and is asked again; the position mode is never switched.
import { afterEach, describe, expect, test } from "bun:test";
import type { Bot, BotId } from "../../../src/ports/bot-store.ts";
import type { Broker, PositionMode } from "../../../src/ports/broker.ts";
import type { TradingState } from "../../../src/risk/trading-state.ts";
import {
  createPositionSettings,
  type PositionSettings,
} from "../../../src/services/live/position-settings.ts";
import { botConfig, eagerStrategy } from "../../support/live-session.ts";
import { type ReconcileLab, startReconcileLab, SYMBOL } from "../../support/reconcile-lab.ts";
import { stopLabs } from "../../venue/lab.ts";

afterEach(stopLabs);

const MINUTE = 60_000;
const signal = new AbortController().signal;

type Side = "long" | "short" | "both";

/** A bot as far as position settings look at it. */
function bot(id: number, leverage: number, side: Side = "long", symbol = SYMBOL): Bot {
  const general = { allow_long: side !== "short", allow_short: side !== "long" };
  const config = botConfig(eagerStrategy({ general }), { leverage });
  return { id: id as BotId, name: `Bot ${id}`, symbol, config } as Bot;
}

type Case = {
  readonly lab: ReconcileLab;
  readonly settings: PositionSettings;
  /** Settings that remember nothing, with other parts. */
  fresh(change: {
    readonly broker?: Partial<Broker>;
    readonly state?: TradingState;
  }): PositionSettings;
  readonly asked: string[];
};

async function open(mode: PositionMode = "one_way"): Promise<Case> {
  const asked: string[] = [];
  const lab = await startReconcileLab({
    mode,
    broker: (broker) => ({
      ...broker,
      positionMode: (...call) => {
        asked.push("mode");
        return broker.positionMode(...call);
      },
      leverage: (...call) => {
        asked.push("leverage");
        return broker.leverage(...call);
      },
      setLeverage: (...call) => {
        asked.push(`set ${call[1]}`);
        return broker.setLeverage(...call);
      },
      setPositionMode: () => {
        throw new Error("the position mode is a person's decision");
      },
    }),
  });
  const fresh: Case["fresh"] = ({ broker, state = "active" }) =>
    createPositionSettings({
      ...lab.deps,
      broker: { ...lab.deps.broker, ...broker },
      cells: { cell: () => ({ epoch: 1, state, reason: "", since: 0 }) },
    });
  return { lab, settings: fresh({}), fresh, asked };
}

async function look(settings: PositionSettings, ...bots: readonly Bot[]): Promise<void> {
  settings.look(bots, signal);
  await settings.idle();
}

const blocks = (settings: PositionSettings, { id }: Bot) => [
  settings.modeBlock(id),
  settings.leverageBlock(id),
];

describe("the leverage", () => {
  test("blocks until it was looked at, is set when it differs, and is not set again", async () => {
    const { settings, asked, lab } = await open();
    const one = bot(1, 7);
    expect(blocks(settings, one).every((block) => block?.includes("not asked for yet"))).toBe(true);
    await look(settings, one);
    expect(blocks(settings, one)).toEqual([null, null]);
    expect(asked).toEqual(["mode", "leverage", "set 7", "leverage"]);
    expect(lab.kinds()).toEqual(["leverage_set"]);
    expect(await lab.deps.broker.leverage(SYMBOL, { signal })).toEqual({ long: 7, short: 7 });
    asked.length = 0;
    await look(settings, one);
    expect(asked).toEqual([]);
  });

  test("is asked for again after 20 minutes, and set again when somebody changed it", async () => {
    const { settings, asked, lab } = await open();
    const one = bot(1, 7);
    await look(settings, one);
    await lab.deps.broker.setLeverage(SYMBOL, 3, null, { signal });
    asked.length = 0;
    await lab.lab.step(20 * MINUTE - 1000);
    await look(settings, one);
    expect(asked).toEqual([]);
    await lab.lab.step(2000);
    await look(settings, one);
    expect(asked).toContain("set 7");
    expect(blocks(settings, one)).toEqual([null, null]);
  });

  test("is not touched while something is held, and is set once nothing is", async () => {
    const { settings, asked, lab } = await open();
    const one = bot(1, 7);
    await lab.send({ bot: 1, qty: "1" });
    await lab.settle();
    await look(settings, one);
    expect(settings.leverageBlock(one.id)).toContain("it is set once nothing is held there");
    expect(lab.kinds()).toContain("leverage_differs");
    expect(asked).not.toContain("set 7");
    await lab.send({ bot: 1, side: "sell", qty: "1", isReduceOnly: true });
    await lab.settle();
    await lab.lab.step(15_000);
    await look(settings, one);
    expect(settings.leverageBlock(one.id)).toBeNull();
  });

  test("of each leg of a hedge account is its bot's", async () => {
    const { settings, lab } = await open("hedge");
    await look(settings, bot(1, 7, "long"), bot(2, 9, "short"));
    expect(await lab.deps.broker.leverage(SYMBOL, { signal })).toEqual({ long: 7, short: 9 });
    expect(blocks(settings, bot(1, 7))).toEqual([null, null]);
    expect(blocks(settings, bot(2, 9))).toEqual([null, null]);
  });

  test("of one position is the older bot's when two bots differ", async () => {
    const { settings, asked } = await open();
    const [older, younger] = [bot(1, 7), bot(2, 9)];
    await look(settings, younger, older);
    expect(settings.leverageBlock(older.id)).toBeNull();
    expect(settings.leverageBlock(younger.id)).toContain("Bot 1 uses 7 on the same position");
    expect(asked).not.toContain("set 9");
  });

  test("above what is allowed is refused without asking anybody", async () => {
    const { settings, asked, lab } = await open();
    await look(settings, bot(1, 51));
    expect(settings.leverageBlock(bot(1, 51).id)).toContain("leverage 51 is above the 50");
    expect(asked).toEqual(["mode"]);
    expect(lab.kinds()).toEqual(["leverage_differs"]);
  });

  test("the exchange refuses blocks, is told once, and is tried again after two minutes", async () => {
    const { lab, fresh, asked } = await open();
    const { broker } = lab.deps;
    const refusing = fresh({
      broker: {
        setLeverage: async (...call) => {
          await broker.setLeverage(call[0], 999, call[2], call[3]);
          return broker.setLeverage(call[0], 999, call[2], call[3]);
        },
      },
    });
    const one = bot(1, 7);
    await look(refusing, one);
    await look(refusing, one);
    expect(refusing.leverageBlock(one.id)).toContain("leverage 10 in PERP_BTC_USDT, 7 is wanted");
    expect(lab.kinds()).toEqual(["leverage_set_failed"]);
    const tries = asked.length;
    await lab.lab.step(2 * MINUTE);
    await look(refusing, one);
    expect(asked.length).toBeGreaterThan(tries);
    expect(lab.kinds()).toEqual(["leverage_set_failed"]);
  });

  test("that was taken and is not there blocks", async () => {
    const { lab, fresh } = await open();
    const accepted = { outcome: "accepted", value: null } as const;
    const settings = fresh({ broker: { setLeverage: async () => accepted } });
    await look(settings, bot(1, 7));
    expect(settings.leverageBlock(bot(1, 7).id)).toContain("it was set and is not there");
    expect(lab.kinds()).toEqual(["leverage_differs"]);
  });

  for (const state of ["reducing", "halted", "frozen"] as const) {
    test(`is not set while trading is ${state}`, async () => {
      const { fresh, asked } = await open();
      const settings = fresh({ state });
      await look(settings, bot(1, 7));
      expect(settings.leverageBlock(bot(1, 7).id)).toContain(`while trading is ${state}`);
      expect(asked).not.toContain("set 7");
    });
  }

  test("comes with every order where the exchange wants it so, and is not asked for", async () => {
    const { lab, fresh, asked } = await open();
    const capabilities = { ...lab.deps.broker.capabilities, leverageWithOrder: true };
    const settings = fresh({ broker: { capabilities } });
    await look(settings, bot(1, 7));
    expect(blocks(settings, bot(1, 7))).toEqual([null, null]);
    expect(asked).toEqual(["mode"]);
  });

  test("is 1 where there is none", async () => {
    const { lab, fresh } = await open();
    const capabilities = { ...lab.deps.broker.capabilities, leverage: false };
    const settings = fresh({ broker: { capabilities } });
    await look(settings, bot(1, 1), bot(2, 2, "long", "PERP_ETH_USDT"));
    expect(settings.leverageBlock(bot(1, 1).id)).toBeNull();
    expect(settings.leverageBlock(bot(2, 2).id)).toContain("has no leverage, and 2 is wanted");
  });
});

describe("the position mode", () => {
  test("must keep sides apart when two bots may hold both", async () => {
    const { settings, lab } = await open("one_way");
    const [long, short, other] = [bot(1, 10), bot(2, 10, "short"), bot(3, 10, "long")];
    await look(settings, long, short, other);
    expect(settings.modeBlock(long.id)).toContain("Bot 2 may hold the other side");
    expect(settings.modeBlock(short.id)).toContain("must be in hedge mode");
    expect(lab.kinds().filter((kind) => kind === "hedge_mode_required")).toHaveLength(3);
    await look(settings, long, other);
    expect(settings.modeBlock(long.id)).toBeNull();
  });

  test("that keeps sides apart serves them, and one bot of both sides needs none", async () => {
    const hedge = await open("hedge");
    await look(hedge.settings, bot(1, 10), bot(2, 10, "short"));
    expect(hedge.settings.modeBlock(bot(1, 10).id)).toBeNull();
    const one = await open("one_way");
    await look(one.settings, bot(1, 10, "both"));
    expect(one.settings.modeBlock(bot(1, 10).id)).toBeNull();
  });

  test("that is another one than when the account was opened blocks", async () => {
    const { lab, fresh } = await open("one_way");
    const settings = fresh({ broker: { positionMode: async () => "hedge" } });
    await look(settings, bot(1, 10));
    expect(settings.modeBlock(bot(1, 10).id)).toContain("long and short apart");
    expect(lab.kinds()).toContain("position_mode_changed");
  });

  test("that is not told is not fatal: it is asked for again, later and later", async () => {
    const { lab, fresh } = await open();
    let [isMute, count] = [true, 0];
    const settings = fresh({
      broker: {
        positionMode: async () => {
          count += 1;
          if (isMute) throw new Error("no answer");
          return "one_way";
        },
      },
    });
    const one = bot(1, 10);
    const at: number[] = [];
    for (let second = 0; second <= 400; second += 5) {
      const before = count;
      await look(settings, one);
      if (count > before) at.push(second);
      await lab.lab.step(5_000);
    }
    expect(at).toEqual([0, 5, 20, 80, 200, 320]);
    expect(settings.modeBlock(one.id)).toContain("is not known yet");
    expect(lab.kinds().filter((kind) => kind === "hedge_mode_unknown")).toHaveLength(1);
    isMute = false;
    await lab.lab.step(2 * MINUTE);
    await look(settings, one);
    expect(settings.modeBlock(one.id)).toBeNull();
  });
});

test("a look that is under way is not begun again, and waiting for it keeps nobody", async () => {
  const { lab, fresh } = await open();
  let answer: (mode: PositionMode) => void = () => undefined;
  let count = 0;
  const settings = fresh({
    broker: {
      positionMode: () => {
        count += 1;
        return new Promise((resolve) => {
          answer = resolve;
        });
      },
    },
  });
  settings.look([bot(1, 10)], signal);
  settings.look([bot(1, 10)], signal);
  expect(count).toBe(1);
  expect(settings.modeBlock(bot(1, 10).id)).toContain("not asked for yet");
  answer("one_way");
  await settings.idle();
  expect(settings.modeBlock(bot(1, 10).id)).toBeNull();
  expect(lab.kinds()).toEqual([]);
});
