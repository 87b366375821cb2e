// Carries out what a schedule says, one deed after the other, on the world as it is at that moment. A deed
// that has nobody to befall passes.
import { stepMarket } from "../../src/venue/house.ts";
import { settle } from "../../src/venue/aftermath.ts";
import type { Deed } from "./schedule.ts";
import type { SimProcess } from "./sim-process.ts";
import type { World } from "./sim-world.ts";

/** Does one deed. */
export async function carryOut(world: World, deed: Deed): Promise<void> {
  const { clock, exchange, services, trace } = world;
  trace.note(clock.now(), JSON.stringify(deed));
  trace.count(`deed ${deed.kind}`);
  switch (deed.kind) {
    case "weather":
      exchange.setWeather(deed.weather);
      return;
    case "fault":
      // A stranger who trades in the wrong mode would leave legs that cannot be carried back.
      if (world.isModeFlipped && deed.request.name === "manual_trade") return;
      exchange.fault(deed.request);
      if (deed.forMs === null) return;
      clock.at(clock.now() + deed.forMs, () => exchange.endFault(deed.request.name));
      return;
    case "clear_faults":
      exchange.clearFaults();
      return;
    case "crash":
      return crash(world, deed);
    case "freeze":
      return freeze(world, deed.forMs);
    case "second_worker":
      world.spawnAfter(0, true);
      return;
    case "control":
      return world.setStates(deed.scope, deed.state);
    case "flatten":
      for (const botId of world.botIds) world.flattens.add(botId);
      return;
    case "clock_jump":
      clock.jump(deed.ms);
      return;
    case "database_down":
      services.database.goDown(deed.forMs);
      services.locks.loseAll();
      return;
    case "strike":
      services.simulated.failNext(deed.strike);
      return;
    case "deaf_bus":
      services.bus.isDeaf = true;
      clock.at(clock.now() + deed.forMs, () => {
        services.bus.isDeaf = false;
      });
      return;
    case "price":
      return movePrice(world, deed);
    case "mode_flip":
      return flipMode(world, deed.forMs);
  }
}

/** The worker that matters: the one with the account, else any. */
function chosen({ processes, holder }: World): SimProcess | null {
  const living = processes.filter((process) => !process.isDead() && !process.isFrozen());
  return living.find(({ number }) => number === holder()) ?? living[0] ?? null;
}

function crash(world: World, deed: Deed & { kind: "crash" }): void {
  const process = chosen(world);
  if (process === null) return;
  process.crashAt(deed);
  world.followers.set(process.number, { restartMs: deed.restartMs, isHostLost: deed.isHostLost });
}

function freeze(world: World, forMs: number): void {
  const process = chosen(world);
  if (process === null) return;
  const { clock } = world;
  process.freeze();
  world.spawnAfter(1000, true);
  clock.at(clock.now() + forMs, process.thaw);
}

function movePrice({ exchange }: World, { symbol, permille }: Deed & { kind: "price" }): void {
  exchange.advance();
  const { x } = exchange;
  const market = x.markets.get(symbol);
  if (market === undefined) return;
  const ticks = Math.round(market.lastTicks * (1 + permille / 1000));
  stepMarket(x, market, { at: x.now, ticks, lots: 100_000 });
  settle(x);
}

/** Only a flat account is switched: what two legs net out to is in nobody's trade records. */
function flipMode(world: World, forMs: number): void {
  const { exchange, clock } = world;
  exchange.advance();
  const isFlat = [...exchange.account.legs.values()].every(({ lots }) => lots === 0);
  if (!world.isModeFlipped && !isFlat) return;
  exchange.fault({ name: "mode_flip" });
  world.isModeFlipped = !world.isModeFlipped;
  if (!world.isModeFlipped) return;
  clock.at(clock.now() + forMs, () => {
    if (world.isModeFlipped) flipMode(world, 0);
  });
}
