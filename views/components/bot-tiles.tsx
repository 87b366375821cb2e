// The figures of a bot; every amount is a link that opens where it comes from. Kept fresh by the server's
// stream; rendered by pages/bot.tsx and web/routes/bot-data.tsx.
import { money, signTone } from "../format.ts";

/** One figure. */
export type BotTile = {
  readonly label: string;
  /** Null while a part of it is not known. */
  readonly value: number | null;
  /** What it is opened with; null for one that has no rows. */
  readonly part: string | null;
  readonly note?: string;
  readonly isSigned: boolean;
};

/** Props of the figures. */
export type BotTilesProps = {
  readonly botId: number;
  readonly asset: string;
  readonly tiles: readonly BotTile[];
  /** A sentence about entries the sums lack; null when they lack none. */
  readonly lack: string | null;
};

function Value({ tile, botId, asset }: { tile: BotTile; botId: number; asset: string }) {
  const { value, part, label, isSigned } = tile;
  const text = value === null ? "unknown" : money(value, asset, { signed: isSigned });
  if (part === null) return <>{text}</>;
  return (
    <a
      href={`/bots/${botId}?derive=${part}#derivation`}
      hx-get={`/bots/${botId}/derivation?part=${part}`}
      hx-target="#derivation"
      hx-swap="outerHTML"
      aria-label={`${label} ${text}: where it comes from`}
    >
      {text}
    </a>
  );
}

/** The row of figures. */
export function BotTiles({ botId, asset, tiles, lack }: BotTilesProps) {
  return (
    <>
      <dl class="kpis bot-tiles number" aria-label="Profit and loss">
        {tiles.map((tile) => (
          <div class="kpi">
            <dt>{tile.label}</dt>
            <dd class={tile.isSigned ? signTone(tile.value) : undefined}>
              <Value tile={tile} botId={botId} asset={asset} />
            </dd>
            {tile.note === undefined ? null : <dd class="note">{tile.note}</dd>}
          </div>
        ))}
      </dl>
      {lack === null ? null : <p class="muted small">{lack}</p>}
    </>
  );
}
