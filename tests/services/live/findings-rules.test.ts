// The rules by which somebody may take over what a stranger did: over all holdings, changes and sides nobody is offered
// what he could not hold, and the one who gets it by itself is always the same.
import { expect, test } from "bun:test";
import fc from "fast-check";
import { add, compare, type Decimal, decimal } from "../../../src/model/decimal.ts";
import type { AccountId } from "../../../src/ports/account-store.ts";
import type { Bot, BotId } from "../../../src/ports/bot-store.ts";
import {
  type Candidate,
  type Claim,
  heirNamed,
  heirsOf,
  heirTyped,
  heirViews,
} from "../../../src/services/live/findings-heirs.ts";
import { aBot } from "../../support/bots.ts";
import { botConfig, quietStrategy } from "./findings-session.ts";

const BTC = "BTC/USDT:USDT";
const ACCOUNT = 1 as AccountId;
const RUNS = 400;

type Sides = readonly ("long" | "short")[];
type Wish = {
  readonly sides: Sides;
  readonly qty: number;
  readonly isRestored: boolean;
  readonly hasError: boolean;
  readonly isElsewhere: boolean;
};

function botOf(id: number, { sides, hasError, isElsewhere }: Partial<Wish>): Bot {
  const general = {
    allow_long: sides?.includes("long") ?? true,
    allow_short: sides?.includes("short") ?? false,
  };
  const { sides: _, ...made } = aBot(ACCOUNT, { name: `Bot ${id}` });
  return {
    ...made,
    ...{ id: id as BotId, accountName: "Account", mode: "demo", exchangeId: "woox" },
    ...{ status: hasError ? "error" : "running", desiredStatus: "running", desiredAction: null },
    ...{ lastError: null, configVersion: 1, createdAt: 0, updatedAt: 0 },
    symbol: isElsewhere ? "ETH/USDT:USDT" : BTC,
    config: botConfig(quietStrategy(general)),
  };
}

const candidate = (id: number, wish: Partial<Wish>): Candidate => ({
  bot: botOf(id, wish),
  runner: { isRestored: () => wish.isRestored ?? true },
});

const SIDES = fc.constantFrom<Sides>(["long"], ["short"], ["long", "short"]);
const wishes = fc.array(
  fc.record({
    sides: SIDES,
    qty: fc.integer({ min: -3, max: 3 }),
    isRestored: fc.boolean(),
    hasError: fc.boolean(),
    isElsewhere: fc.boolean(),
  }),
  { maxLength: 3 },
);
const leg = fc.constantFrom("net" as const, "long" as const, "short" as const);
const change = fc.integer({ min: -4, max: 4 }).filter((n) => n !== 0);
const person = fc.integer({ min: -3, max: 3 });

/** A hedge leg holds its own side only. */
const onLeg = (which: Claim["leg"], n: number) =>
  which === "net" ? n : which === "long" ? Math.abs(n) : -Math.abs(n);

const sign = (amount: Decimal) => compare(amount, "0" as Decimal);

test("nobody is offered what he could not hold, and the order of the offers is fixed", () => {
  const check = (which: Claim["leg"], by: number, list: readonly Wish[], own: number) => {
    const held = list.map(({ qty }) => decimal(onLeg(which, qty)));
    const persons = decimal(onLeg(which, own));
    const holders = [
      ...held.map((signedQty, n) => ({ holder: `bot:${n + 1}`, signedQty })),
      { holder: "group:0", signedQty: persons },
    ];
    const claim = { symbol: BTC, leg: which, change: decimal(by), holders };
    const running = list.map((wish, n) => candidate(n + 1, wish));
    const heirs = heirsOf(claim, running);
    for (const { bot } of heirs) {
      const before = bot === null ? persons : (held[bot.id - 1] ?? decimal(0));
      const after = sign(add(before, decimal(by)));
      if (which !== "net") expect([0, which === "long" ? 1 : -1]).toContain(after);
      if (bot === null) continue;
      const wish = list[bot.id - 1];
      expect([wish?.isRestored, wish?.hasError, wish?.isElsewhere]).toEqual([true, false, false]);
      const side = (sign(before) || after) < 0 ? "short" : "long";
      expect(wish?.sides).toContain(side);
      expect([0, side === "long" ? 1 : -1]).toContain(after);
    }
    const bots = heirs.filter(({ bot }) => bot !== null);
    const hasPerson = heirs.length > bots.length;
    if (which === "net") expect(hasPerson).toBe(true);
    const isPersonFirst = hasPerson && (sign(persons) !== 0 || bots.length !== 1);
    expect(heirs[0]?.bot === null).toBe(isPersonFirst);
    const ids = heirs.map(({ bot }) => bot?.id ?? 0);
    expect(new Set(ids).size).toBe(ids.length);
  };
  fc.assert(fc.property(leg, change, wishes, person, check), { numRuns: RUNS });
});

test("whoever is named gets it, or nobody does", () => {
  const claim: Claim = { symbol: BTC, leg: "net", change: decimal("1"), holders: [] };
  const heirs = heirsOf(claim, [candidate(1, {}), candidate(2, { sides: ["short"] })]);
  expect(heirViews(heirs)).toEqual([
    { botId: 1, name: "Bot 1" },
    { botId: null, name: null },
  ]);
  expect(heirNamed(heirs, undefined)).toMatchObject({ value: { owner: "bot:1" } });
  expect(heirNamed(heirs, null)).toMatchObject({ value: { owner: "group:0" } });
  expect(heirNamed(heirs, 2 as BotId)).toMatchObject({ ok: false });
  expect(heirNamed([], undefined)).toMatchObject({ ok: false });
});

test("a form names nothing, a person, or a bot of the account and market", () => {
  const bots = [botOf(1, {}), botOf(2, { isElsewhere: true })];
  const heirs = [...bots.map(({ id, name }) => ({ botId: id, name })), { botId: null, name: null }];
  const typed = (text: string, accountId = ACCOUNT, offered = heirs) =>
    heirTyped(text, { symbol: BTC, heirs: offered }, { accountId, bots });
  expect(typed("")).toEqual({ ok: true, named: {} });
  expect(typed(" person ")).toEqual({ ok: true, named: { heir: null } });
  expect(typed("1")).toEqual({ ok: true, named: { heir: 1 as BotId } });
  for (const text of ["2", "3", "0", "-1", "1.0", "01", "bot:1", "null", "PERSON"]) {
    expect([text, typed(text)]).toMatchObject([text, { ok: false, field: "bot" }]);
  }
  expect(typed("1", 9 as AccountId)).toMatchObject({ ok: false });
  expect(typed("1", ACCOUNT, [])).toMatchObject({ ok: false });
  expect(typed("person", ACCOUNT, [])).toMatchObject({ ok: false });
});
