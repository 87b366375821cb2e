// Where a number of a bot comes from: the ledger rows it is the sum of, and the formula of what is open, exact to
// the last unit. Opened below the figures; rendered by pages/bot.tsx and web/routes/bot-data.tsx.
import { dateTime } from "../format.ts";
import { LedgerTable, type ShownEntry } from "./bot-ledger.tsx";

/** An open leg with everything its worth is made of; exact texts. */
export type ShownFormula = {
  readonly positionSide: "long" | "short";
  readonly qty: string;
  readonly averageEntry: string;
  readonly cost: string;
  readonly contractSize: string | null;
  readonly price: string | null;
  readonly priceAt: number | null;
  readonly unrealised: string | null;
};

/** Props of an opened number. */
export type DerivationProps = {
  readonly botId: number;
  /** Name of the number in addresses. */
  readonly part: string;
  readonly timeZone: string;
  readonly asset: string;
  readonly title: string;
  /** The number, exact; null while unknown. */
  readonly value: string | null;
  /** Parts that add up to it; empty when it is a sum of rows alone. */
  readonly parts: readonly { readonly label: string; readonly value: string | null }[];
  /** Newest first; null when no row belongs to it. */
  readonly rows: readonly ShownEntry[] | null;
  readonly hasMore: boolean;
  readonly ledgerHref: string;
  readonly open: readonly ShownFormula[];
  readonly isOpenPart: boolean;
};

/** An average is a quotient: eight decimals of it say enough, the formula works with the cost. */
function shorter(average: string): string {
  const cut = /^\d+\.\d{8}/.exec(average)?.[0] ?? average;
  return cut === average ? average : `${cut}…`;
}

function Formula({ leg, asset, timeZone }: { leg: ShownFormula; asset: string; timeZone: string }) {
  const { positionSide, qty, cost, contractSize, price, priceAt, unrealised } = leg;
  const [size, at] = [contractSize ?? "unknown", price ?? "unknown"];
  const product = `${at} × ${qty}`;
  const gain = positionSide === "long" ? `${product} − ${cost}` : `${cost} − ${product}`;
  return (
    <div class="formula">
      <p>
        Open {positionSide} position: <code>{qty}</code> at an average of{" "}
        <code>{shorter(leg.averageEntry)}</code>, paid <code>{cost}</code>, contract size{" "}
        <code>{size}</code>; price <code>{at}</code>
        {priceAt === null ? null : ` of ${dateTime(priceAt, timeZone)}`}.
      </p>
      <p>
        <code>
          ({gain}) × {size} = {unrealised ?? "unknown"} {asset}
        </code>
      </p>
    </div>
  );
}

function Open({ open, asset, timeZone, isOpenPart }: DerivationProps) {
  if (open.length > 0) {
    return (
      <>
        {open.map((leg) => (
          <Formula leg={leg} asset={asset} timeZone={timeZone} />
        ))}
      </>
    );
  }
  return isOpenPart ? (
    <p>The bot holds nothing: there is nothing open to be worth anything.</p>
  ) : null;
}

function Parts({ parts, value, asset }: DerivationProps) {
  if (parts.length === 0) return null;
  return (
    <table class="dense numbers parts">
      <tbody>
        {parts.map((part) => (
          <tr>
            <th scope="row">{part.label}</th>
            <td class="figure">
              <code>{part.value ?? "unknown"}</code>
            </td>
          </tr>
        ))}
        <tr>
          <th scope="row">Together</th>
          <td class="figure">
            <code>
              {value ?? "unknown"} {asset}
            </code>
          </td>
        </tr>
      </tbody>
    </table>
  );
}

function Rows(props: DerivationProps) {
  const { rows, hasMore, ledgerHref, timeZone, asset, parts } = props;
  if (rows === null) return null;
  if (rows.length === 0) return <p class="muted">No row of the ledger belongs to it yet.</p>;
  return (
    <>
      <p class="muted small">
        The rows it is the sum of, newest first. “Sum” is what everything up to a row adds up to:
        the first row shows{" "}
        {parts.length === 0 ? "the number itself" : "all but what is still open"}.
      </p>
      <LedgerTable rows={rows} timeZone={timeZone} asset={asset} />
      <p>
        <a href={ledgerHref}>{hasMore ? "All rows, page by page" : "Open in the ledger"}</a>
      </p>
    </>
  );
}

/** The place below the figures while no number is open. */
export function NoDerivation() {
  return <div id="derivation" />;
}

/** An opened number; it follows the figures above it. */
export function Derivation(props: DerivationProps) {
  const { botId, part, title, value, asset } = props;
  return (
    <section
      id="derivation"
      class="card derivation"
      aria-label={`Where “${title}” comes from`}
      hx-get={`/bots/${botId}/derivation?part=${part}`}
      hx-trigger="bot-moved from:#bot-live"
      hx-swap="outerMorph"
    >
      <div class="title-row">
        <h2>
          {title}: <span class="number">{value === null ? "unknown" : `${value} ${asset}`}</span>
        </h2>
        <a
          class="button plain"
          href={`/bots/${botId}`}
          hx-get={`/bots/${botId}/derivation`}
          hx-target="#derivation"
          hx-swap="outerHTML"
        >
          Close
        </a>
      </div>
      <Parts {...props} />
      <Open {...props} />
      <Rows {...props} />
    </section>
  );
}
