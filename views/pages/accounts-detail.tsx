// One account: where it stands, what the exchange answered, its keys and limits, and what the reader may
// change. Rendered by web/routes/account-detail.tsx.
import { type AccountStandingProps, AccountStandingView } from "../components/account-standing.tsx";
import { Alert, Done } from "../components/form.tsx";
import { date } from "../format.ts";
import { type Frame, Layout } from "../layout.tsx";
import { type AccountCardsProps, KeyCard, Limits, StateCard, TestCard } from "./accounts-cards.tsx";
import { type AccountLiveProps, LiveCard } from "./accounts-live.tsx";
import { DangerCard, LimitsForm, RenameForm } from "./accounts-manage.tsx";
import { Refused } from "./accounts-new.tsx";
import { type CheckRow, StatePills } from "./accounts-parts.tsx";
import { ReachedCards, type ReachedProps } from "./accounts-reached.tsx";

/** Props of the page. */
export type AccountDetailProps = AccountCardsProps & {
  readonly frame: Frame;
  readonly createdAt: number;
  readonly standing: AccountStandingProps;
  /** Null for an account without real money. */
  readonly live: AccountLiveProps | null;
  readonly reached: ReachedProps["reached"];
  readonly resetWord: string;
  readonly done?: string | undefined;
  readonly refused?:
    { readonly sentence: string; readonly checks: readonly CheckRow[] } | undefined;
};

/** The page at `/accounts/:id`. */
export function AccountDetailPage(props: AccountDetailProps) {
  const stream = { "hx-sse:connect": `/accounts/${props.id}/stream`, "hx-swap": "innerMorph" };
  const { name, exchangeName, state, canOwn, problems, refused, presentKey } = props;
  return (
    <Layout title={`${name} · Dragon`} frame={props.frame}>
      <p class="crumb">
        <a href="/accounts">Exchange accounts</a>
      </p>
      <h1 class="breakable">{name}</h1>
      {props.done ? <Done>{props.done}</Done> : null}
      {problems.form ? <Alert>{problems.form}</Alert> : null}
      {refused ? <Refused {...refused} /> : null}
      <p class="lead">
        <StatePills {...state} /> {exchangeName}, since {date(props.createdAt, props.timeZone)}
      </p>
      <section class="card" aria-labelledby="standing">
        <h2 id="standing">How it stands</h2>
        <div id="account-standing" {...stream}>
          <AccountStandingView {...props.standing} />
        </div>
      </section>
      <ReachedCards {...props} />
      <div class="columns">
        <div>
          {props.live ? <LiveCard {...props.live} /> : null}
          {presentKey ? <TestCard {...props} /> : null}
          <StateCard {...props} />
          {canOwn ? <RenameForm {...props} /> : null}
        </div>
        <div>
          <KeyCard {...props} />
          {canOwn ? <LimitsForm {...props} /> : <Limits limits={props.limits} />}
          {canOwn ? <DangerCard {...props} /> : null}
        </div>
      </div>
    </Layout>
  );
}
