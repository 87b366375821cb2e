// What a run of kills came to, added up over its stages and put into lines for a person. Made by kill-harness.ts.

/** What is counted while a stage lives; durations in real ms. */
export type Tally = {
  /** Lives that ended with an order written down and its answer not. */
  inFlight: number;
  /** Lives that were meant to. */
  aimed: number;
  /** Start of the process to its first tick on compared books; lives that were killed before have none. */
  readonly recoveryMs: number[];
  /** Positions without enough stop while a program traded. */
  readonly uncoveredMs: number[];
};

/** One stage. */
export type StageReport = Tally & {
  readonly lives: number;
  readonly ambiguous: number;
  readonly abandoned: number;
  readonly fills: number;
  readonly accepted: number;
  /** What is wrong, one sentence each. */
  readonly violations: readonly string[];
};

/** All of them. */
export type KillReport = StageReport;

/** Nothing counted. */
export function newTally(): Tally {
  return { inFlight: 0, aimed: 0, recoveryMs: [], uncoveredMs: [] };
}

/** The sum of stages. */
export function addUp(stages: readonly StageReport[]): KillReport {
  const sum = (of: (stage: StageReport) => number) => stages.reduce((all, one) => all + of(one), 0);
  return {
    lives: sum(({ lives }) => lives),
    inFlight: sum(({ inFlight }) => inFlight),
    aimed: sum(({ aimed }) => aimed),
    recoveryMs: stages.flatMap(({ recoveryMs }) => recoveryMs),
    uncoveredMs: stages.flatMap(({ uncoveredMs }) => uncoveredMs),
    ambiguous: sum(({ ambiguous }) => ambiguous),
    abandoned: sum(({ abandoned }) => abandoned),
    fills: sum(({ fills }) => fills),
    accepted: sum(({ accepted }) => accepted),
    violations: stages.flatMap(({ violations }, index) =>
      violations.map((sentence) => `stage ${index + 1}: ${sentence}`),
    ),
  };
}

/** Fewer lives are too few for a share and a percentile. */
const LIVES_TO_JUDGE = 20;
const IN_FLIGHT_SHARE_MIN = 0.6;
const RECOVERY_P95_MAX_MS = 10_000;

/** What the kills did not reach, one sentence each; none for a handful of lives. */
export function shortfalls({ lives, inFlight, recoveryMs }: KillReport): string[] {
  if (lives < LIVES_TO_JUDGE) return [];
  const found: string[] = [];
  if (inFlight < lives * IN_FLIGHT_SHARE_MIN) {
    found.push(`only ${inFlight} of ${lives} died with an order on its way`);
  }
  const p95Ms = percentile(recoveryMs, 0.95);
  if (!(p95Ms <= RECOVERY_P95_MAX_MS)) found.push(`it recovered in ${Math.round(p95Ms)} ms (p95)`);
  return found;
}

/** The value below which a share of the numbers lies; NaN without any. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

/** The report in lines for a person. */
export function reportLines(report: KillReport): string[] {
  const { lives, inFlight, aimed, recoveryMs, uncoveredMs, violations } = report;
  const seconds = (values: readonly number[], share: number) =>
    `${(percentile(values, share) / 1000).toFixed(2)} s`;
  const times = (values: readonly number[]) =>
    `p50 ${seconds(values, 0.5)}, p95 ${seconds(values, 0.95)}, p99 ${seconds(values, 0.99)}`;
  return [
    `${lives} lives, ${aimed} aimed at an order on its way`,
    `${inFlight} died with an order on its way (${Math.round((inFlight / lives) * 100)} %)`,
    `recovery to the first reconciled tick: ${times(recoveryMs)}`,
    `position without its stop: ${times(uncoveredMs)}, ${uncoveredMs.length} spans`,
    `${report.ambiguous} doubtful orders, ${report.abandoned} abandoned`,
    `${report.fills} fills, ${report.accepted} orders accepted`,
    ...violations.map((sentence) => `  ${sentence}`),
  ];
}
