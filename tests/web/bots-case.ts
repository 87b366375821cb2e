// A workspace with bots in every situation, and the app that shows them. Used by the tests and the walk of the
// bots' pages.
import { composeBots } from "../../src/bots.ts";
import { decimal } from "../../src/model/decimal.ts";
import { createApp } from "../../src/web/app.tsx";
import { aPosition, botSeeder } from "../support/bot-desk.ts";
import { ETH } from "../support/trading.ts";
import { silentLog } from "../support/test-database.ts";
import { peopleOf } from "./runs-grid-case.ts";
import { type WebCase, webCase } from "./web-case.ts";

/** The app with the bots' pages. */
export async function botsCase(): Promise<WebCase> {
  const made = await webCase();
  const { clock, database } = made;
  const research = made.deps;
  const { bots } = composeBots({ sql: database.sql, research, clock, log: silentLog });
  const deps = { ...made.deps, bots };
  return { ...made, deps, app: createApp(deps) };
}

/** People with bots: well, in a position, stale, in error, blocked, closing, new and stopped. */
export async function botPeople(made: WebCase, name: string) {
  const people = await peopleOf(made, name);
  const { sql } = made.database;
  const seeder = botSeeder(sql, people.scope, () => made.clock.now());
  return { ...people, seeder };
}

/** What `botPeople` gives. */
export type BotPeople = Awaited<ReturnType<typeof botPeople>>;

/** Bots in every situation, by name. */
export async function seedBots({ seeder }: BotPeople) {
  const paper = await seeder.account("Paper one", "paper");
  const live = await seeder.account("Main account with a long name", "live");
  const running = { status: "running", desiredStatus: "running" } as const;
  await seeder.show(live, { blocks: ["the daily loss limit is reached"], exchange: "degraded" });
  await seeder.show(paper, {});
  const worried = { health: "warning", nextAction: "Opens nothing: price 31 s old" } as const;
  return {
    well: await seeder.bot(paper, { ...running, name: "Alpha well", figures: {} }),
    holding: await seeder.bot(paper, {
      ...{ ...running, name: "Bravo holding", symbol: ETH, timeframeMin: 240 },
      figures: {
        nextAction: "Holds a position and waits for its take-profit",
        position: aPosition(),
      },
      events: ["order_withheld", "stale_data_block"],
    }),
    stale: await seeder.bot(live, {
      ...{ ...running, name: "Charlie stale", sides: ["long"] },
      figures: { position: aPosition({ unrealised: null, notional: null }) },
      ageMs: 200_000,
    }),
    failed: await seeder.bot(paper, {
      ...{ status: "error", name: "Delta <b>failed</b>", symbol: "SOL/USDT:USDT" },
      lastError: "the exchange refused the leverage for the third time",
      figures: { health: "error" },
      events: ["bot_error", "leverage_set_failed"],
    }),
    blocked: await seeder.bot(live, {
      ...{ ...running, name: "Echo blocked", symbol: "XRP/USDT:USDT", timeframeMin: 5 },
      figures: { ...worried },
    }),
    closing: await seeder.bot(paper, {
      ...{ ...running, name: "Foxtrot closing", symbol: "ADA/USDT:USDT" },
      desiredAction: "flatten",
      figures: { position: aPosition({ positionSide: "short", unrealised: decimal("-7") }) },
    }),
    fresh: await seeder.bot(paper, { name: "Golf new", symbol: "DOT/USDT:USDT" }),
    pausing: await seeder.bot(paper, {
      ...{ status: "running", desiredStatus: "paused", name: "Hotel pausing" },
      symbol: "LTC/USDT:USDT",
      figures: {},
    }),
    stopped: await seeder.bot(paper, {
      ...{ status: "stopped", desiredStatus: "stopped", name: "India stopped" },
      symbol: "BNB/USDT:USDT",
      figures: { health: "ok" },
      ageMs: 86_400_000,
    }),
  };
}

/** Names of the bots a page shows, in order. */
export function shownNames(html: string): string[] {
  return [...html.matchAll(/<td class="p b-name"><a [^>]*>([^<]*)<\/a>/g)].map(
    (match) => match[1] ?? "",
  );
}
