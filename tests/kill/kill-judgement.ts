// Judges what kills left behind: by the exchange's books, by our rows, and by both against each other. Called by
// kill-harness.ts after the last life of a stage.
import { comesToRest, type World } from "./kill-world.ts";

const SETTLE_MS = 120_000;

/** Waits until a program that runs settled and closed everything. @returns what is wrong with that */
export async function settled(world: World): Promise<string[]> {
  try {
    await world.until("no order is in doubt any more", SETTLE_MS, () => hasNoDoubt(world));
    await comesToRest(world, SETTLE_MS);
    return [];
  } catch (error) {
    return [String(error)];
  }
}

/** Compares both books after the last program ended. @returns what is wrong, one sentence each */
export async function differing(world: World): Promise<string[]> {
  const violations: string[] = [];
  const { bots, scope } = world;
  for (const [account, accountId] of world.accountIds.entries()) {
    violations.push(...(await world.differences(account)));
    const { twice } = await world.facts(account);
    violations.push(...twice.map((id) => `two orders were accepted under ${id}`));
    for (const { name, status, lastError } of await bots.list(scope, accountId)) {
      if (status !== "paused") violations.push(`${name} is ${status}: ${lastError}`);
    }
  }
  for (const { at, sentence } of await strangers(world)) violations.push(`${at} ${sentence}`);
  return violations;
}

async function hasNoDoubt({ database: { sql } }: World): Promise<boolean> {
  const [row] = await sql<{ count: number }[]>`
    select count(*) from order_intents where status in ('sending', 'unverified')`;
  return row?.count === 0;
}

/** Nobody but the bots traded: whatever was booked as a stranger's was ours. */
async function strangers({ database: { sql } }: World) {
  return sql<{ at: number; sentence: string }[]>`
    select at, trade_id || ' of ' || symbol || ' has no owner' as sentence
    from fills where intent_id is null`;
}

/** What happened, as our rows and the exchange count it. */
export async function countsOf(world: World) {
  const { sql } = world.database;
  const [row] = await sql<{ ambiguous: number; abandoned: number }[]>`
    select count(*) filter (where kind = 'order_unverified') as ambiguous,
      count(*) filter (where kind = 'order_abandoned') as abandoned from events`;
  const { trades, accepted } = await sumOfFacts(world);
  const { ambiguous = 0, abandoned = 0 } = row ?? {};
  return { ambiguous, abandoned, fills: trades, accepted };
}

/** What all accounts look like from the exchange's side. */
export async function sumOfFacts(world: World) {
  const sum = { trades: 0, openLegs: 0, accepted: 0 };
  for (const account of world.accountIds.keys()) {
    const { trades, openLegs, accepted } = await world.facts(account);
    sum.trades += trades;
    sum.openLegs += openLegs;
    sum.accepted += accepted.length;
  }
  return sum;
}
