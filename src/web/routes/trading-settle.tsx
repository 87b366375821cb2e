// Settling what does not agree with the exchange: from the page of trading states and from the page of the account.
// What is dangerous, and what somebody has to be named for, asks first. An account or finding of another workspace is
// not found here. Used by trading.tsx.
import { SelectField } from "../../../views/components/form.tsx";
import { TradingConfirmPage } from "../../../views/pages/trading.tsx";
import type { FindingHeir } from "../../model/live-figures.ts";
import type { AccountId } from "../../ports/account-store.ts";
import { actorOf } from "../../services/desk/account.ts";
import { includesRole } from "../../services/desk/tokens.ts";
import { type EmergencyOutcome, KILL_WORDS } from "../../services/live/emergency-types.ts";
import type { OpenFinding } from "../../services/live/emergency-view.ts";
import { PERSON_TYPED } from "../../services/live/findings-heirs.ts";
import type { WebDeps } from "../deps.ts";
import { sentence } from "../forms/backtest-sentences.ts";
import { readFields } from "../forms/fields.ts";
import { NOT_FOUND, type Refuse } from "../problems.tsx";
import { frameOf, idOf, respondPage } from "../respond.ts";
import type { Visitor, WebContext } from "../route.ts";

type Deps = Pick<WebDeps, "about" | "emergency">;

/** What is asked before a choice is carried out. */
type Question = {
  readonly title: string;
  readonly effect: string;
  readonly label: string;
  /** What has to be typed; null where pressing once more is enough. */
  readonly word: string | null;
};

const QUESTIONS = {
  adopt: {
    title: "Take over",
    effect: "Whoever takes it over owns it from now on.",
    label: "Take over",
    word: null,
  },
  flatten: {
    title: "Close what was found",
    effect: "It is closed at the market, reduce-only.",
    label: "Close at the market",
    word: KILL_WORDS.flatten,
  },
  cancel: {
    title: "Cancel an order",
    effect: "It is cancelled at the exchange; what it executed so far stays.",
    label: "Cancel order",
    word: null,
  },
} as const satisfies Readonly<Record<string, Question>>;

type Wish = Record<"account" | "finding" | "choice" | "bot" | "from" | "confirm", string>;

/** @param after answers with what came of it on the page of trading states */
export async function settleFinding(
  deps: Deps,
  refuse: Refuse,
  c: WebContext,
  visitor: Visitor,
  after: (outcome: EmergencyOutcome) => Response | Promise<Response>,
) {
  const wish = await readFields(c, "account", "finding", "choice", "bot", "from", "confirm");
  const { finding: findingKey, choice, bot, confirm } = wish;
  const accountId = idOf<AccountId>(wish.account);
  if (accountId === undefined) return refuse(c, NOT_FOUND);
  const actor = actorOf(visitor.session);
  if (isQuestion(visitor, wish)) {
    const { findings } = await deps.emergency.view(actor.scope);
    const found = findings.find((each) => each.accountId === accountId && each.key === findingKey);
    if (found === undefined) return refuse(c, NOT_FOUND);
    const isChosen = choice === "adopt" && (found.heirs ?? []).length < 2;
    if (!isChosen) return ask(deps, c, visitor, found, wish);
  }
  const outcome = await deps.emergency.settle(actor, {
    ...{ accountId, findingKey, choice, confirm, bot },
  });
  if (outcome.ok && wish.from === "account") {
    return c.redirect(`/accounts/${accountId}?done=settled`, 303);
  }
  return after(outcome);
}

/** Whether something has to be answered first. */
function isQuestion({ session }: Visitor, { choice, bot, confirm }: Wish): boolean {
  switch (choice) {
    case "adopt":
      return bot === "" && confirm === "" && includesRole(session.role, "owner");
    case "flatten":
      return confirm.trim() !== QUESTIONS.flatten.word;
    case "cancel":
      return confirm === "";
    default:
      return false;
  }
}

/** A form without the word only asks; one with another word was answered wrongly. */
async function ask(
  { about }: Deps,
  c: WebContext,
  { csrf }: Visitor,
  found: OpenFinding,
  { account, finding, choice, from }: Wish,
) {
  const asked = choice === "adopt" || choice === "flatten" ? choice : "cancel";
  const { title, effect, label, word } = QUESTIONS[asked];
  const { confirm } = await c.req.parseBody();
  const isWrong = word !== null && typeof confirm === "string";
  const problem = isWrong ? `Type ${word} in capital letters; nothing is changed.` : undefined;
  const place = { href: `/accounts/${found.accountId}`, label: found.account };
  const shown = (
    <TradingConfirmPage
      frame={frameOf(c, about)}
      csrf={csrf}
      title={`${title}: ${found.account}`}
      effect={`${sentence(found.sentence)} ${effect}`}
      groups={[]}
      action="/trading/settle"
      label={label}
      isPlain={asked === "adopt"}
      word={word}
      back={from === "account" ? place : undefined}
      fields={{ account, finding, choice, from }}
      problem={problem}
    >
      {asked === "adopt" ? <Heirs heirs={found.heirs ?? []} isOrder={isOrder(found)} /> : null}
    </TradingConfirmPage>
  );
  return respondPage(c, shown, problem === undefined ? 200 : 422);
}

function isOrder({ kind }: OpenFinding): boolean {
  return kind === "stranger_order";
}

const HINTS = {
  position:
    "A bot protects it with its stop and closes it by its rules. What nobody gets is known as a person's position, which no bot uses or protects.",
  order:
    "A bot keeps an order only if it fits its plan, else it takes it back. What an order of nobody fills is a person's position.",
};

/** Who takes it over; whoever gets it by itself is chosen. */
function Heirs({ heirs, isOrder }: { heirs: readonly FindingHeir[]; isOrder: boolean }) {
  const options = heirs.map(({ botId, name }) =>
    botId === null
      ? { value: PERSON_TYPED, label: "nobody (a person)" }
      : { value: String(botId), label: `the bot ${name ?? botId}` },
  );
  return (
    <SelectField
      id="bot"
      label="Who takes it over"
      value={options[0]?.value ?? ""}
      options={options}
      hint={isOrder ? HINTS.order : HINTS.position}
    />
  );
}
