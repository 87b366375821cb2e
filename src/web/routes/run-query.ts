// The query string of a run page, both ways: chart window, tab, table page, order and what is marked.
// Everything a person sees is in it, so an address can be shared. Pure; used by run*.ts(x).
import { InputError } from "../../model/result.ts";
import { type EpochMs, isoUtc, parseInstant } from "../../model/time.ts";

/** Tabs below the charts, in their order. */
export const RUN_TABS = ["figures", "cycles", "fills", "analysis", "decision", "settings"] as const;
/** One of {@link RUN_TABS}. */
export type RunTab = (typeof RUN_TABS)[number];

/** Columns cycles can be sorted by. */
export const CYCLE_SORTS = [
  "cycle",
  "opened",
  "closed",
  "duration",
  "side",
  "entries",
  "qty",
  "avg_entry",
  "exit",
  "reason",
  "net",
  "fees",
  "mae",
  "mfe",
] as const;
/** One of {@link CYCLE_SORTS}. */
export type CycleSort = (typeof CYCLE_SORTS)[number];

/** What stands below the charts. */
export type PanelQuery = {
  readonly tab: RunTab;
  /** From 1; a page beyond the last one shows the last. */
  readonly page: number;
  readonly sort: CycleSort;
  readonly direction: "asc" | "desc";
  /** The cycle to show and mark. */
  readonly cycle: number | null;
  /** The candle to explain, or the fill to show and mark. */
  readonly at: EpochMs | null;
  /** A time a person typed that cannot be read: the text, and the sentence for its field. */
  readonly refused: { readonly typed: string; readonly sentence: string } | null;
};

/** A stretch of the chart, `to` exclusive. */
export type WindowQuery = { readonly from: EpochMs; readonly to: EpochMs };

type Asked = Readonly<Record<string, string | undefined>>;

function chosen<T extends string>(
  asked: string | undefined,
  field: string,
  allowed: readonly T[],
): T {
  const found = allowed.find((each) => each === asked);
  if (asked === undefined || asked === "") return allowed[0] as T;
  if (found === undefined) {
    throw new InputError(`${field}: "${asked}" is none of ${allowed.join(", ")}`);
  }
  return found;
}

function whole(asked: string | undefined, field: string): number | null {
  if (asked === undefined || asked === "") return null;
  if (!/^[1-9]\d{0,8}$/.test(asked)) {
    throw new InputError(`${field}: "${asked}" is no whole number from 1 to 999999999`);
  }
  return Number(asked);
}

function instant(asked: string | undefined, field: string): EpochMs | null {
  return asked === undefined || asked === "" ? null : parseInstant(asked, field);
}

/** Reads what stands below the charts. @throws InputError naming field, value and what is allowed */
export function readPanel(asked: Asked): PanelQuery {
  const sort = chosen(asked["sort"], "sort", CYCLE_SORTS);
  const tab = chosen(asked["tab"], "tab", RUN_TABS);
  return {
    tab,
    page: whole(asked["page"], "page") ?? 1,
    sort,
    direction: chosen(asked["dir"], "dir", ["asc", "desc"]),
    cycle: whole(asked["cycle"], "cycle"),
    ...(tab === "decision" ? typedInstant(asked["at"]) : noRefusal(instant(asked["at"], "at"))),
  };
}

function noRefusal(at: EpochMs | null): Pick<PanelQuery, "at" | "refused"> {
  return { at, refused: null };
}

/** The one time that people type: it is refused at its field, not with an error page. */
function typedInstant(typed: string | undefined): Pick<PanelQuery, "at" | "refused"> {
  try {
    return noRefusal(instant(typed?.trim(), "time"));
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return { at: null, refused: { typed: typed ?? "", sentence: `${error.message}.` } };
  }
}

/** Reads the chart window; null for the whole run. @throws InputError like {@link readPanel} */
export function readWindow(asked: Asked): WindowQuery | null {
  const from = instant(asked["from"], "from");
  const to = instant(asked["to"], "to");
  if (from === null && to === null) return null;
  if (from === null || to === null) throw new InputError("from and to: give both or none");
  if (to <= from) throw new InputError(`to: ${isoUtc(to)} must be after from (${isoUtc(from)})`);
  return { from, to };
}

/** Minutes are exact enough for every candle: `2024-01-31T12:00Z`; else with seconds. */
export function shortIso(at: EpochMs): string {
  return isoUtc(at).replace(":00Z", "Z");
}

/** What the panel says in an address, without what is usual: `tab=cycles&sort=net&dir=desc`. */
export function panelText(panel: PanelQuery): string {
  const { tab, page, sort, direction, cycle, at } = panel;
  const parts: string[] = [`tab=${tab}`];
  if (tab === "cycles" && sort !== CYCLE_SORTS[0]) parts.push(`sort=${sort}`);
  if (tab === "cycles" && direction !== "asc") parts.push(`dir=${direction}`);
  if (page > 1 && (tab === "cycles" || tab === "fills")) parts.push(`page=${page}`);
  if (cycle !== null && (tab === "cycles" || tab === "fills")) parts.push(`cycle=${cycle}`);
  if (at !== null && (tab === "decision" || tab === "fills")) parts.push(`at=${shortIso(at)}`);
  return parts.join("&");
}

/** What the chart window says in an address; empty for the whole run. */
export function windowText(window: WindowQuery | null): string {
  return window ? `from=${shortIso(window.from)}&to=${shortIso(window.to)}` : "";
}
