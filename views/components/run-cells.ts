// How the values of a run look in the list of runs. Plain text in, HTML out, as strings: a page holds
// thousands of cells. Everything that came from a person or an exchange is escaped here.
import {
  quoteOf,
  asset,
  count,
  date,
  dateTime,
  duration,
  money,
  number,
  percent,
  timeframe,
} from "../format.ts";
import { halfTone, lossTone, ratioTone, rewardTone, signTone } from "../tones.ts";

/** A value as the store gives it: instants in epoch milliseconds, fractions, seconds, minutes. */
export type CellValue = string | number | boolean | null;

/** What cells need to know beside their own value. */
export type RunCellContext = {
  readonly id: number;
  readonly symbol: string;
  /** Of a failed run. */
  readonly error: string | null;
  readonly isLiquidated: boolean;
  readonly timeZone: string;
};

type Cell = (value: CellValue, context: RunCellContext) => string;

const NONE = "<td>—";
const safe = (text: string) => Bun.escapeHTML(text);

/** A cell of digits with a colour. */
function figure(tone: string, text: string): string {
  return tone === "" ? `<td class=r>${text}` : `<td class="r ${tone}">${text}`;
}

function figureCell(write: (value: number, context: RunCellContext) => string): Cell {
  return (value, context) => (typeof value === "number" ? write(value, context) : "<td class=r>—");
}

function textCell(write: (text: string, context: RunCellContext) => string): Cell {
  return (value, context) => (typeof value === "string" ? write(value, context) : NONE);
}

/** Whole percents; one decimal below one. */
function share(value: number, signed: boolean): string {
  return percent(value, { decimals: Math.abs(value) < 0.01 ? 1 : 0, signed });
}

function ratio(tone: (value: number) => string): Cell {
  return figureCell((value) =>
    Number.isFinite(value) ? figure(tone(value), number(value)) : figure("u8", "∞"),
  );
}

const returns = (full: number) =>
  figureCell((value) => figure(signTone(value, full), share(value, true)));
const counted = figureCell((value) => figure("", count(value)));
const amount = (tone: (value: number) => string, signed: boolean) =>
  figureCell((value, { symbol }) =>
    figure(tone(value), safe(money(value, quoteOf(symbol), { signed }))),
  );
const plainText = textCell((text) => `<td>${safe(text)}`);
const utcDate = figureCell((value) => `<td class=r>${date(value, "UTC")}`);

function pill(tone: string, text: string, title = ""): string {
  const about = title === "" ? "" : ` title="${safe(title)}"`;
  return `<td><span class="pill ${tone}"${about}>${text}</span>`;
}

const DIRECTIONS: Readonly<Record<string, readonly [tone: string, text: string]>> = {
  long: ["green", "▲ LONG"],
  short: ["red", "▼ SHORT"],
  both: ["", "◆ BOTH"],
};
const STATUSES: Readonly<Record<string, string>> = {
  queued: "blue",
  running: "green",
  finished: "purple",
  failed: "red",
  cancelled: "",
};

function status(text: string, { error, isLiquidated }: RunCellContext): string {
  if (isLiquidated) return pill("red", "liquidated", "The position was liquidated");
  return pill(STATUSES[text] ?? "", safe(text), error ?? "");
}

function frame(minutes: number): string {
  const tone = minutes >= 240 ? "green" : minutes >= 15 ? "amber" : "blue";
  return pill(tone, timeframe(minutes));
}

function star(value: CellValue, { id }: RunCellContext): string {
  const isSet = value === true;
  return (
    `<td class=c><button class="star small-target" formaction="/runs/${id}/mark" ` +
    `name=isShortlisted value=${isSet ? "no" : "yes"} aria-pressed=${isSet} ` +
    `aria-label="Shortlist run ${id}">${isSet ? "★" : "☆"}</button>`
  );
}

function note(value: CellValue, { id }: RunCellContext): string {
  const text = typeof value === "string" ? safe(value) : "";
  return (
    `<td><button type=button class="note small-target" data-note ` +
    `aria-label="Note of run ${id}">${text}</button>`
  );
}

const CELLS: Readonly<Record<string, Cell>> = {
  symbol: textCell((text, { id }) => `<td class=p><a href="/runs/${id}">${safe(asset(text))}</a>`),
  createdAt: figureCell((at, { timeZone }) => `<td class=r>${dateTime(at, timeZone)}`),
  name: plainText,
  exchangeId: plainText,
  kind: plainText,
  timeframeMin: figureCell(frame),
  direction: textCell((text) => pill(...(DIRECTIONS[text] ?? (["", safe(text)] as const)))),
  strategyName: plainText,
  fromAt: utcDate,
  toAt: utcDate,
  span: figureCell((seconds) => figure("", duration(seconds * 1000))),
  netReturn: returns(0.5),
  netProfit: amount((value) => signTone(value, 1000), true),
  cagr: returns(0.5),
  maxDrawdown: figureCell((value) => figure(lossTone(value, 0.3), share(value, false))),
  sharpe: ratio(rewardTone),
  sortino: ratio(rewardTone),
  calmar: ratio(rewardTone),
  profitFactor: ratio(ratioTone),
  winRate: figureCell((value) => figure(halfTone(value), share(value, false))),
  cpcIndex: ratio(ratioTone),
  commonSenseRatio: ratio(ratioTone),
  roiOnMargin: returns(2),
  cycles: counted,
  fills: counted,
  feesTotal: amount(() => "", false),
  fundingTotal: amount(() => "", true),
  exposure: figureCell((value) => figure("", share(value, false))),
  avgPositionTime: figureCell((seconds) => figure("", duration(seconds * 1000))),
  status: textCell(status),
  isShortlisted: star,
  note,
};

/** The cell of a column; plain text for one that has no look of its own. */
export function runCell(key: string): Cell {
  return CELLS[key] ?? plainText;
}
