// The fields of a new bot: where, money, limits, life. Rendered by pages/bot-new.tsx; what was refused has its
// sentence at the field.
import type { Child } from "hono/jsx";
import { ariaOf, Field, SelectField, TextField } from "./form.tsx";

type Option = { readonly value: string; readonly label: string };

/** Names of the fields, as they are posted. */
export type NewBotField =
  | "account"
  | "name"
  | "direction"
  | "allocation"
  | "balanceCap"
  | "leverage"
  | "pauseMode"
  | "begin"
  | "maxOrderQty"
  | "maxOrderNotional"
  | "maxOpenOrders"
  | "maxPositionNotional"
  | "maxDrawdownPct";

/** What the fields are drawn from. */
export type BotFieldsProps = {
  readonly quote: string;
  readonly values: Readonly<Record<NewBotField, string>>;
  readonly problems: Readonly<Partial<Record<NewBotField, string>>>;
  readonly accounts: readonly Option[];
  readonly directions: readonly Option[];
  readonly nameCharsMax: number;
  readonly leverageMax: number;
};

type AmountProps = {
  readonly id: NewBotField;
  readonly label: string;
  readonly unit?: string;
  readonly hint?: string;
  readonly page: BotFieldsProps;
};

function Amount({ id, label, unit, hint, page }: AmountProps) {
  const field = { id, label, hint, problem: page.problems[id] };
  return (
    <Field {...field} {...(unit === undefined ? {} : { unit })}>
      <input
        id={id}
        name={id}
        inputmode="decimal"
        autocomplete="off"
        value={page.values[id]}
        {...ariaOf(field)}
      />
    </Field>
  );
}

function Card({ id, title, children }: { id: string; title: string; children: Child }) {
  return (
    <section class="card" aria-labelledby={`card-${id}`}>
      <h2 id={`card-${id}`}>{title}</h2>
      {children}
    </section>
  );
}

function PlaceCard({ page }: { page: BotFieldsProps }) {
  const { values, problems, accounts, directions, nameCharsMax } = page;
  const choices = values.account === "" ? [{ value: "", label: "Choose an account" }] : [];
  return (
    <Card id="place" title="Where and what">
      <SelectField
        id="account"
        label="Account"
        hint="Only active accounts are offered. Its mode decides whether the money is real."
        problem={problems.account}
        value={values.account}
        options={[...choices, ...accounts]}
      />
      {accounts.length === 0 ? (
        <p class="small">
          No active account trades this kind of market. <a href="/accounts">Look at the accounts</a>
        </p>
      ) : null}
      <TextField
        id="name"
        label="Name"
        problem={problems.name}
        value={values.name}
        maxlength={nameCharsMax}
        autocomplete="off"
      />
      <SelectField
        id="direction"
        label="Direction"
        hint={directions.length > 1 ? "A bot of its own for each side is recommended." : undefined}
        problem={problems.direction}
        value={values.direction}
        options={directions}
      />
    </Card>
  );
}

function MoneyCard({ page }: { page: BotFieldsProps }) {
  const { quote, leverageMax } = page;
  return (
    <Card id="money" title="Money">
      <Amount
        id="allocation"
        label="Allocation"
        unit={quote}
        hint="What the bot begins with and sizes by; what it earns is added. Per bot."
        page={page}
      />
      <div class="pair">
        <Amount id="leverage" label="Leverage" hint={`1 to ${leverageMax}`} page={page} />
        <Amount
          id="balanceCap"
          label="Cap"
          unit={quote}
          hint="The most it sizes by; empty for none"
          page={page}
        />
      </div>
    </Card>
  );
}

function LimitsCard({ page }: { page: BotFieldsProps }) {
  const { quote, problems } = page;
  const fields: readonly (readonly [id: NewBotField, label: string, unit?: string])[] = [
    ["maxPositionNotional", "Position", quote],
    ["maxOrderNotional", "One order", quote],
    ["maxOrderQty", "Quantity of one order"],
    ["maxOpenOrders", "Open orders"],
    ["maxDrawdownPct", "Drawdown", "%"],
  ];
  const isRefused = fields.some(([id]) => problems[id] !== undefined);
  const isSet = fields.some(([id]) => page.values[id] !== "");
  return (
    <Card id="limits" title="Limits">
      <details open={isRefused || isSet}>
        <summary>Limits of this bot, beside those of its account</summary>
        <p class="muted small">
          Empty is no limit. An order above a limit is not sent; a drawdown stops the bot.
        </p>
        <div class="limit-fields">
          {fields.map(([id, label, unit]) => (
            <Amount id={id} label={label} {...(unit === undefined ? {} : { unit })} page={page} />
          ))}
        </div>
      </details>
    </Card>
  );
}

function LifeCard({ page }: { page: BotFieldsProps }) {
  const { values, problems } = page;
  return (
    <Card id="life" title="Life">
      <SelectField
        id="pauseMode"
        label="While it is paused"
        problem={problems.pauseMode}
        value={values.pauseMode}
        options={[
          { value: "exits_only", label: "Guard: exits and stops go on" },
          { value: "freeze", label: "Freeze: touch nothing" },
        ]}
      />
      <SelectField
        id="begin"
        label="After it is created"
        problem={problems.begin}
        value={values.begin}
        options={[
          { value: "paused", label: "Wait until I start it" },
          { value: "running", label: "Run at once" },
        ]}
      />
    </Card>
  );
}

/** All cards of the form. */
export function BotFields({ page }: { page: BotFieldsProps }) {
  return (
    <div class="bot-fields">
      <PlaceCard page={page} />
      <MoneyCard page={page} />
      <LimitsCard page={page} />
      <LifeCard page={page} />
    </div>
  );
}
