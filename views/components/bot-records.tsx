// The tabs "Ledger" and "Events" of a bot: filters as links, pages by what came before, an empty state with a
// sentence. Rendered by pages/bot.tsx.
import type { Severity } from "../../src/model/bot.ts";
import { dateTime } from "../format.ts";
import { LedgerTable, type ShownEntry } from "./bot-ledger.tsx";
import { Scroll } from "./run-tables.tsx";

/** One choice of a filter. */
export type FilterLink = {
  readonly label: string;
  readonly href: string;
  readonly isCurrent: boolean;
};

function Filters({ links, label }: { links: readonly FilterLink[]; label: string }) {
  return (
    <nav class="tabs filters" aria-label={label}>
      {links.map(({ label: text, href, isCurrent }) => (
        <a href={href} aria-current={isCurrent ? "true" : undefined}>
          {text}
        </a>
      ))}
    </nav>
  );
}

type Paged = { readonly newestHref: string | null; readonly olderHref: string | null };

function Pages({ newestHref, olderHref }: Paged) {
  if (newestHref === null && olderHref === null) return null;
  return (
    <nav class="pager" aria-label="Pages">
      {newestHref === null ? null : (
        <a class="button plain" href={newestHref}>
          ← Newest
        </a>
      )}
      {olderHref === null ? null : (
        <a class="button plain" href={olderHref}>
          Older →
        </a>
      )}
    </nav>
  );
}

/** Props of the ledger tab. */
export type LedgerTabProps = Paged & {
  readonly timeZone: string;
  readonly asset: string;
  readonly rows: readonly ShownEntry[];
  readonly filters: readonly FilterLink[];
  /** What every row of the filter adds up to, exact. */
  readonly total: string;
};

/** The ledger, with running sums of what is shown. */
export function LedgerTab(props: LedgerTabProps) {
  const { rows, filters, total, asset } = props;
  return (
    <>
      <Filters links={filters} label="Kinds of entries" />
      {rows.length === 0 ? (
        <p class="muted">There is no such entry.</p>
      ) : (
        <>
          <p>
            Together{" "}
            <code>
              {total} {asset}
            </code>
            ; “Sum” is what everything up to a row adds up to.
          </p>
          <LedgerTable {...props} />
        </>
      )}
      <Pages {...props} />
    </>
  );
}

/** An event as it is shown. */
export type ShownEvent = {
  readonly id: number;
  readonly at: number;
  readonly kind: string;
  readonly severity: Severity;
  readonly sentence: string;
  /** Figures by name. */
  readonly fields: readonly EventField[];
};

/** A figure of an event; an order leads to its row. */
export type EventField = {
  readonly name: string;
  readonly value: string;
  readonly href: string | null;
};

/** Props of the events tab. */
export type EventsTabProps = Paged & {
  readonly timeZone: string;
  readonly events: readonly ShownEvent[];
  readonly filters: readonly FilterLink[];
};

const TONES: Readonly<Record<Severity, string>> = {
  debug: "",
  info: "blue",
  warning: "amber",
  error: "red",
};

/** `targetKey` → `target key`. */
const spaced = (name: string) => name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);

function Figure({ field: { name, value, href } }: { field: EventField }) {
  return (
    <>
      , {spaced(name)} {href === null ? value : <a href={href}>{value}</a>}
    </>
  );
}

/** Events, newest first. */
export function EventsTab(props: EventsTabProps) {
  const { events, filters, timeZone } = props;
  return (
    <>
      <Filters links={filters} label="Severities" />
      {events.length === 0 ? (
        <p class="muted">There is no such event.</p>
      ) : (
        <Scroll label="Events">
          <table class="dense numbers events">
            <thead>
              <tr>
                <th>Time</th>
                <th>Severity</th>
                <th>What happened</th>
              </tr>
            </thead>
            <tbody>
              {events.map((event) => (
                <tr id={`event-${event.id}`}>
                  <td>{dateTime(event.at, timeZone)}</td>
                  <td>
                    <span class={`pill ${TONES[event.severity]}`}>{event.severity}</span>
                  </td>
                  <td class="wraps">
                    {event.sentence}{" "}
                    <span class="muted small">
                      {event.kind.replaceAll("_", " ")}
                      {event.fields.map((field) => (
                        <Figure field={field} />
                      ))}
                    </span>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </Scroll>
      )}
      <Pages {...props} />
    </>
  );
}
