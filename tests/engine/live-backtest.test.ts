// A live bot that hears what the simulator did wishes for the same orders, step by step; it goes on from what is
// stored as if it had never stopped, and a recorded session replays to the same intents. Judged on the generated
// cases of the oracle.
import { describe, expect, test } from "bun:test";
import { recordBot, replay } from "../../src/engine/replay.ts";
import { generateCase } from "../oracle/cases.ts";
import { createRandom } from "../oracle/prng.ts";
import {
  candlesUpTo,
  simStory,
  type SimStory,
  tellCandle,
  worldOf,
} from "../support/live-parity.ts";
import { aLiveBot, type LiveWorld } from "../support/live-world.ts";

const CASES = Number(process.env["DRAGON_TEST_LIVE_CASES"] ?? 300);
const RESTART_CASES = 24;

type Story = { readonly seed: number; readonly story: SimStory };

/** A case without an activation band of the take-profit: rule E68 is a difference that is meant. */
function caseOf(seed: number) {
  const documents = generateCase(seed);
  const general = documents.config["general"] as Record<string, unknown> | undefined;
  const bands = general?.["dynamic_activation"] as object | undefined;
  const dynamic_activation = { ...bands, tp_pct: 0 };
  return {
    ...documents,
    config: { ...documents.config, general: { ...general, dynamic_activation } },
  };
}

/** The first stories in which something happens. */
function* stories(count: number): Generator<Story> {
  let left = count;
  for (let seed = 1; left > 0; seed++) {
    const story = simStory(caseOf(seed));
    if (!story || story.fills < 4) continue;
    left -= 1;
    yield { seed, story };
  }
}

describe("a live bot", () => {
  test(`wishes for the same orders as the backtest at every fill and close of ${CASES} cases`, () => {
    const found: string[] = [];
    const reasons = new Set<string>();
    let fills = 0;
    for (const { seed, story } of stories(CASES)) {
      const world = worldOf(story);
      fills += story.fills;
      for (const candle of story.candles) {
        for (const step of candle.steps) if (step.kind === "fill") reasons.add(step.fill.reason);
        const [difference] = tellCandle(world, candle);
        if (!difference) continue;
        found.push(`seed ${seed}: ${difference}`);
        break;
      }
    }
    expect(found).toEqual([]);
    expect(fills).toBeGreaterThan(CASES * 10);
    const met = ["ENTRY", "DCA_1", "TP_PCT", "TP_ATR", "SL_PCT", "SL_ATR", "TRAILING_EXIT"];
    expect([...reasons]).toEqual(expect.arrayContaining(met));
  }, 120_000);

  /** A session restarted now and then; what it wanted, and where it ended. */
  function session({ story, seed }: Story, restarts: boolean, change?: (body: unknown) => unknown) {
    const world = worldOf(story);
    const random = createRandom(seed);
    const { candles, first } = story.prepared;
    let told = first;
    const restart = () => {
      if (restarts && random.chance(0.05)) world.restart(candlesUpTo(candles, told), change);
    };
    const wishes: unknown[] = [];
    for (const candle of story.candles.slice(0, 250)) {
      let fed = 0;
      tellCandle(world, candle, () => {
        const { lastCandleOpenAt } = world.bot.view();
        if (lastCandleOpenAt === candles.openAt[told] && fed === 0) {
          fed = 1;
          told += 1;
        }
        restart();
      });
      wishes.push(world.bot.view().slots.map(({ wanted }) => wanted));
    }
    return { world, wishes };
  }

  const endOf = (world: LiveWorld) => {
    const { position, slots, strategy } = world.bot.view();
    return { position, strategy, wanted: slots.map(({ wanted }) => wanted) };
  };

  test("restarted after any input goes on as if it had not been", () => {
    for (const each of stories(RESTART_CASES)) {
      const plain = session(each, false);
      const restarted = session(each, true);
      expect(restarted.world.wanted).toEqual(plain.world.wanted);
      expect(restarted.wishes).toEqual(plain.wishes);
      expect(restarted.world.bot.body()).toEqual(plain.world.bot.body());
    }
  }, 120_000);

  test("restarted without anything that follows from orders and candles finds the same wishes", () => {
    const withoutDerived = (body: unknown) => ({ ...(body as object), slots: null });
    for (const each of stories(RESTART_CASES)) {
      const plain = session(each, false);
      const rebuilt = session(each, true, withoutDerived);
      expect(rebuilt.wishes).toEqual(plain.wishes);
      expect(endOf(rebuilt.world)).toEqual(endOf(plain.world));
      expect(rebuilt.world.wanted).toEqual(plain.world.wanted);
    }
  }, 120_000);
});

describe("a recorded session", () => {
  function recorded({ story }: Story) {
    const lines: string[] = [];
    const world = worldOf(story, (bot) => recordBot(bot, (line) => lines.push(line)));
    for (const candle of story.candles.slice(0, 250)) tellCandle(world, candle);
    return { lines, settings: world.settings };
  }

  test("replays to identical intents: keys, ticks and lots", () => {
    let intents = 0;
    for (const each of stories(RESTART_CASES)) {
      const { lines, settings } = recorded(each);
      expect(lines.every((line) => !line.includes("\n"))).toBe(true);
      const report = replay(lines, aLiveBot(settings));
      expect(report).toMatchObject({ inputs: lines.length, differences: [] });
      intents += report.intents;
    }
    expect(intents).toBeGreaterThan(RESTART_CASES * 10);
  }, 60_000);

  test("shows where another configuration leads elsewhere, and names a line that is none", () => {
    const [each] = [...stories(1)];
    const { lines, settings } = recorded(each!);
    const exits = { ...settings.config.exits, sl_mode: "PCT" as const, sl_pct: 33, tp_pct: 17 };
    const other = aLiveBot({ ...settings, config: { ...settings.config, exits } });
    expect(replay(lines, other).differences.length).toBeGreaterThan(0);
    expect(() => replay(["{}"], aLiveBot(settings))).toThrow("line 1 is not an input");
    expect(() => replay(["{"], aLiveBot(settings))).toThrow("line 1 is not an input");
  });
});
