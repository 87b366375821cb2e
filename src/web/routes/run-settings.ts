// The documents of a run as rows of a table: every setting with its default where the two differ. Pure.
import type { SettingGroup } from "../../../views/components/run-settings.tsx";
import { isoUtc } from "../../model/time.ts";
import type { Run } from "../../ports/run-store.ts";
import { parseInstrument, parseRun } from "../../services/research/backtest-inputs.ts";
import { requestOf } from "../../services/research/run-request.ts";
import { parseConfig } from "../../strategy/dca-atr/config.ts";
import type { Json } from "../../ports/settings-store.ts";

/** Settings without a default: every run has to give them. */
const GIVEN = ["timeframe_min", "from", "to", "symbol", "price_tick", "qty_step"];

/** Settings in milliseconds since 1970, which nobody reads. */
const INSTANTS = ["from", "to"];

type Leaf = readonly [path: string, value: string | number | boolean | null];

function isGroup(value: Json): value is { readonly [key: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Every value of a document with its dotted path, in the order of the document; lists as one text. */
export function leavesOf(document: Json, path = ""): Leaf[] {
  if (isGroup(document)) {
    return Object.entries(document).flatMap(([key, value]) =>
      leavesOf(value, path === "" ? key : `${path}.${key}`),
    );
  }
  return [[path, typeof document === "object" ? JSON.stringify(document) : document]];
}

const camel = (key: string) => key.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());

/**
 * The document with its keys in the order of a template: stored JSON keeps none. Keys the template
 * does not have come last.
 */
function inOrderOf(document: Json, template: object): Json {
  if (!isGroup(document)) return document;
  const known = Object.entries(template) as readonly (readonly [string, unknown])[];
  const place = (key: string) => {
    const at = known.findIndex(([name]) => name === key || name === camel(key));
    return at < 0 ? known.length : at;
  };
  const keys = Object.keys(document).sort((a, b) => place(a) - place(b));
  return Object.fromEntries(
    keys.map((key) => {
      const inner = known[place(key)]?.[1];
      const value = document[key] ?? null;
      return [key, typeof inner === "object" && inner !== null ? inOrderOf(value, inner) : value];
    }),
  );
}

/** Defaults under the names of the document, out of domain values named in camel case. */
function defaultsOf(document: Json, domain: object): Map<string, Leaf[1]> {
  const values = new Map<string, unknown>(Object.entries(domain));
  const found = new Map<string, Leaf[1]>();
  for (const [path] of leavesOf(document)) {
    const value = values.get(camel(path));
    const isPlain = ["string", "number", "boolean"].includes(typeof value);
    if (isPlain && !GIVEN.includes(path)) found.set(path, value as Leaf[1]);
  }
  return found;
}

function rowsOf(document: Json, defaults: ReadonlyMap<string, Leaf[1]>) {
  return leavesOf(document).map(([path, value]) => {
    const usual = defaults.get(path);
    const isChanged = usual !== undefined && usual !== value;
    return {
      path,
      value: INSTANTS.includes(path) ? `${value} (${isoUtc(Number(value))})` : String(value),
      usual: usual === undefined ? null : String(usual),
      isChanged,
    };
  });
}

/** The three documents of a run in the order people know, changed settings marked. */
export function settingGroups(stored: Run): SettingGroup[] {
  const asked = requestOf(stored);
  const usual = parseConfig({});
  const settings = parseRun({ timeframe_min: 1, from: 0, to: 60_000 });
  const rules = parseInstrument({ price_tick: 1, qty_step: 1 });
  const config = inOrderOf(stored.config, usual);
  const runSettings = inOrderOf(asked.run as Json, settings);
  const instrument = inOrderOf(stored.instrument, rules);
  const group = (
    name: SettingGroup["name"],
    title: string,
    document: Json,
    defaults: ReadonlyMap<string, Leaf[1]>,
  ): SettingGroup => ({
    name,
    title,
    rows: rowsOf(document, defaults),
    text: JSON.stringify(document, null, 2),
  });
  return [
    group("config", "Strategy", config, new Map(leavesOf(usual))),
    group("run", "Run", runSettings, defaultsOf(runSettings, settings)),
    // The exchange sets these: nobody changed them.
    group("instrument", "Instrument", instrument, new Map()),
  ];
}
