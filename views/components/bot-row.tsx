// One bot as a row of the list, a card on narrow screens. Rendered by bots-table.tsx. Plain props in, HTML out.
import { asset, money, signTone, timeframe } from "../format.ts";
import { Heartbeat } from "./heartbeat.tsx";

/** Kinds of money. */
export type BotMode = "live" | "paper" | "demo";

/** Tones of pills. */
export type PillTone = "green" | "amber" | "red" | "blue" | "purple" | "";

/** A flag and its sentence. */
export type FlagView = { readonly label: string; readonly tone: PillTone; readonly about: string };

/** A bot as a row. */
export type BotRowView = {
  readonly id: number;
  readonly name: string;
  readonly symbol: string;
  readonly timeframeMin: number;
  readonly health: "ok" | "warning" | "error";
  /** `running → paused` while the wish is not carried out. */
  readonly status: string;
  readonly statusTone: PillTone;
  readonly quote: string;
  /** Realised and open together; null while unknown. */
  readonly pnl: number | null;
  readonly openPnl: number | null;
  /** Entries whose worth is not known: the sum lacks them. */
  readonly pnlMissing: number;
  readonly position: string | null;
  readonly nextAction: string;
  readonly account: string;
  readonly accountId: number;
  readonly mode: BotMode;
  readonly isAccountActive: boolean;
  readonly flags: readonly FlagView[];
  readonly heartbeats: readonly number[];
  /** When its figures were taken; null before anybody told any. */
  readonly asOf: string | null;
  /** When its worker was heard last; null unless that is too long ago. */
  readonly silence: string | null;
  readonly warnings: number;
  readonly errors: number;
  readonly hasMoreAlerts: boolean;
};

const MODES: Readonly<Record<BotMode, { tone: PillTone; label: string }>> = {
  live: { tone: "amber", label: "live" },
  paper: { tone: "purple", label: "paper" },
  demo: { tone: "blue", label: "demo" },
};

/** Which kind of money. */
export function ModePill({ mode }: { mode: BotMode }) {
  return <span class={`pill ${MODES[mode].tone}`}>{MODES[mode].label}</span>;
}

const HEALTH = {
  ok: { glyph: "✓", label: "Well" },
  warning: { glyph: "!", label: "Something keeps it from trading" },
  error: { glyph: "✕", label: "Needs a person" },
} as const;

function Pnl({ row }: { row: BotRowView }) {
  const { pnl, openPnl, quote, pnlMissing } = row;
  const about = pnlMissing > 0 ? `${pnlMissing} entries of unknown worth are missing` : undefined;
  return (
    <td class="b-pnl r" data-label="PnL" title={about}>
      <span class={signTone(pnl)}>{money(pnl, quote, { signed: true })}</span>
      {pnlMissing > 0 ? <span class="warn"> incomplete</span> : null}
      {row.position === null ? null : (
        <span class="below">
          {row.position}, {money(openPnl, quote, { signed: true })}
        </span>
      )}
    </td>
  );
}

function Alerts({ row }: { row: BotRowView }) {
  const { id, warnings, errors, hasMoreAlerts } = row;
  const more = hasMoreAlerts ? "+" : "";
  return (
    <td class="b-alerts r" data-label="Last 24 h" title="Errors and warnings of the last 24 hours">
      {errors + warnings === 0 ? (
        <span class="muted">0{more}</span>
      ) : (
        <a href={`/bots/${id}?tab=events&severity=warnings`}>
          {errors > 0 ? (
            <span class="down" role="img" aria-label={`${errors}${more} errors`}>
              {errors}
              {more} ✕
            </span>
          ) : null}
          {warnings > 0 ? (
            <span class="warn" role="img" aria-label={`${warnings}${more} warnings`}>
              {warnings}
              {more} !
            </span>
          ) : null}
        </a>
      )}
    </td>
  );
}

function Flags({ flags }: { flags: readonly FlagView[] }) {
  return (
    <td class="b-flags" data-label="Flags">
      {flags.length === 0 ? <span class="muted">—</span> : null}
      {flags.map(({ label, tone, about }) => (
        <span class={`pill ${tone}`} title={about}>
          {label}
        </span>
      ))}
    </td>
  );
}

/** When its figures were taken, louder when that is too long ago. */
function Told({ row: { asOf, silence } }: { row: BotRowView }) {
  if (silence !== null) return <span class="below warn">{silence}</span>;
  return asOf === null ? null : <span class="below number">as of {asOf}</span>;
}

/** The row; its id lets a live update find it again. */
export function BotRow({ row, isSelectable }: { row: BotRowView; isSelectable: boolean }) {
  const { id, name, health, mode } = row;
  return (
    <tr id={`bot-${id}`} data-id={id} tabindex={-1}>
      {isSelectable ? (
        <td class="k">
          <input type="checkbox" name="id" value={id} aria-label={`Select ${name}`} />
        </td>
      ) : null}
      <td class="b-health">
        <span class={`health ${health}`} role="img" aria-label={HEALTH[health].label}>
          {HEALTH[health].glyph}
        </span>
      </td>
      <td class="p b-name">
        <a href={`/bots/${id}`} title={name}>
          {name}
        </a>
      </td>
      <td class="b-asset" data-label="Asset" title={row.symbol}>
        {asset(row.symbol)}
      </td>
      <td class="b-tf" data-label="TF">
        {timeframe(row.timeframeMin)}
      </td>
      <td class="b-status" data-label="Status">
        <span class={`pill ${row.statusTone}`}>{row.status}</span>
      </td>
      <Pnl row={row} />
      <td class="b-next" data-label="Next action" title={row.nextAction}>
        <span class="clamp">{row.nextAction}</span>
      </td>
      <td class="b-account" data-label="Account">
        <a href={`/accounts/${row.accountId}`} title={row.account}>
          {row.account}
        </a>
        <span class="below">
          <ModePill mode={mode} />
          {row.isAccountActive ? null : <span class="pill red">disabled</span>}
        </span>
      </td>
      <Flags flags={row.flags} />
      <td class="b-beat" data-label="Heartbeat">
        <Heartbeat ticks={row.heartbeats} />
        <Told row={row} />
      </td>
      <Alerts row={row} />
    </tr>
  );
}
