// Import of configurations written by older programs: old field names become today's. Used by import only;
// a configuration given for a run never goes through here.
import { InputError } from "../../model/result.ts";
import { type DcaAtrConfig, parseConfig } from "./config.ts";
import { LEGACY_ALIASES } from "./legacy-names.ts";

type Group = Record<string, unknown>;

const USE_ATR_TP = "use_atr_tp";

function isGroup(value: unknown): value is Group {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Moves one aliased field; a value already present under today's name wins. */
function move(groups: Map<string, Group>, from: Group, key: string, to: readonly [string, string]) {
  const group = groups.get(to[0]) ?? {};
  groups.set(to[0], group);
  if (!(to[1] in group)) group[to[1]] = from[key];
  delete from[key];
}

/**
 * Reads a configuration that may use old names and returns it in today's form.
 * @throws InputError as parseConfig does, for anything that is neither an old nor a present name
 */
export function importLegacyConfig(raw: unknown): DcaAtrConfig {
  if (!isGroup(raw)) throw new InputError("config: must be a JSON object");
  const top: Group = { ...raw };
  const groups = new Map<string, Group>();
  for (const [name, value] of Object.entries(top)) {
    if (isGroup(value)) groups.set(name, { ...value });
  }
  for (const [alias, to] of Object.entries(LEGACY_ALIASES)) {
    const [first, second] = alias.split(".");
    if (first === undefined) continue;
    if (second === undefined) {
      if (first in top) move(groups, top, first, to);
      for (const group of [...groups.values()]) if (first in group) move(groups, group, first, to);
    } else {
      const group = groups.get(first);
      if (group && second in group) move(groups, group, second, to);
    }
  }
  const exits = groups.get("exits");
  if (exits && USE_ATR_TP in exits) {
    if (!("tp_mode" in exits)) exits["tp_mode"] = exits[USE_ATR_TP] === true ? "ATR" : "PCT";
    delete exits[USE_ATR_TP];
  }
  return parseConfig({ ...top, ...Object.fromEntries(groups) });
}
