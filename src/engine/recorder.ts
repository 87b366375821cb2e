// What a run leaves behind: fills, cycles and the counts behind the metrics. Written by the simulator,
// read once at the end; it decides nothing.
import type { Cycle, Fill } from "../model/fill.ts";
import type { CycleTally, EngineState } from "./state.ts";

/** Lists and sums of one run; money in quote units. */
export class Recorder {
  readonly fills: Fill[] = [];
  readonly cycles: Cycle[] = [];
  readonly cycleNets: number[] = [];
  readonly cycleDurationsMs: number[] = [];
  readonly depths: number[] = [];
  feesMaker = 0;
  feesTaker = 0;
  slippageCost = 0;
  entries = 0;
  dcaFills = 0;
  exposedCandles = 0;
  maxNotional = 0;
  firstEntryNotional: number | null = null;
  openCycles = 0;
  isLiquidated = false;

  /** Counts one fill. */
  fill(fill: Fill, contractSize: number): void {
    this.fills.push(fill);
    if (fill.liquidity === "maker") this.feesMaker += fill.fee;
    else {
      this.feesTaker += fill.fee;
      this.slippageCost += Math.abs(fill.price - fill.pathPrice) * fill.qty * contractSize;
    }
  }

  /** Counts an entry or rung after it was booked. */
  expansion(cycle: CycleTally, fill: Fill, contractSize: number): void {
    if (cycle.entries === 1) {
      this.entries += 1;
      this.firstEntryNotional ??= fill.price * fill.qty * contractSize;
    } else this.dcaFills += 1;
    this.maxNotional = Math.max(this.maxNotional, cycle.qty * cycle.averageEntry * contractSize);
  }

  /** Adds the cycle an exit just ended. */
  closed(cycle: CycleTally, fill: Fill): void {
    const record = this.record(cycle, cycle.realised);
    this.cycles.push({
      ...record,
      closedAt: fill.at,
      exitPrice: fill.price,
      exitReason: fill.reason,
    });
    this.cycleNets.push(record.net);
    this.cycleDurationsMs.push(fill.at - cycle.openedAt);
  }

  /** Adds the cycle that is still open at the end of the data, valued at its unrealised profit (rule E56). */
  stillOpen<S>(state: EngineState<S>, unrealised: number): void {
    this.cycles.push({
      ...this.record(state.cycle, unrealised),
      closedAt: null,
      exitPrice: null,
      exitReason: "END_OF_DATA",
    });
    this.openCycles = 1;
  }

  private record(cycle: CycleTally, gross: number) {
    const depth = cycle.entries - 1;
    this.depths[depth] = (this.depths[depth] ?? 0) + 1;
    return {
      cycle: cycle.number,
      positionSide: cycle.sign > 0 ? ("long" as const) : ("short" as const),
      openedAt: cycle.openedAt,
      entries: cycle.entries,
      qty: cycle.qty,
      averageEntry: cycle.averageEntry,
      net: gross - cycle.fees + cycle.funding,
      fees: cycle.fees,
      funding: cycle.funding,
      mae: cycle.mae,
      mfe: cycle.mfe,
    };
  }

  /** Cycles by depth without holes. */
  histogram(): number[] {
    return Array.from(this.depths, (count) => count ?? 0);
  }
}
