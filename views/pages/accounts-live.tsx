// What lets an account trade real money, on its page: pre-flight, arming, switching off. Rendered by
// accounts-detail.tsx, and alone by routes/account-live.tsx once a pre-flight has ended.
import { ActionButton, Alert, ariaOf, CsrfField } from "../components/form.tsx";
import { TypedConfirm } from "../components/parts.tsx";
import { OpenField } from "./accounts-parts.tsx";
import { type PreflightProps, PreflightView } from "./accounts-preflight.tsx";

/** Props of the card. */
export type AccountLiveProps = {
  readonly id: number;
  readonly csrf: string;
  readonly name: string;
  readonly canTrade: boolean;
  readonly canOwn: boolean;
  readonly problems: Readonly<Record<string, string | undefined>>;
  readonly preflight: PreflightProps;
  /** Whether arming is offered: the run is fresh and nothing failed. */
  readonly isUsable: boolean;
  /** Whether it has to be armed before it trades. */
  readonly isOff: boolean;
  /** Whether it was armed and not disarmed since. */
  readonly isArmed: boolean;
  readonly pill: { readonly tone: "green" | "amber" | "red" | ""; readonly text: string };
  readonly sentence: string;
  readonly typedName: string;
  readonly disarmWord: string;
};

function ArmForm({ id, csrf, name, typedName, problems }: AccountLiveProps) {
  const backup = { id: "keyBackup", label: "", problem: problems.keyBackup };
  return (
    <form method="post" action={`/accounts/${id}/arm`} class="form">
      <h3>Arm</h3>
      <CsrfField csrf={csrf} />
      {problems.arm ? <Alert>{problems.arm}</Alert> : null}
      <p>
        Once armed, bots of this account that are wished to run place orders with real money. Limits
        end a series of losses; nothing guarantees that they hold in a market that jumps.
      </p>
      <label class="tick" for="keyBackup">
        <input id="keyBackup" name="keyBackup" type="checkbox" value="yes" {...ariaOf(backup)} />
        The master key is kept away from this machine too
      </label>
      {problems.keyBackup ? (
        <div class="field">
          <p class="problem" id="keyBackup-problem">
            {problems.keyBackup}
          </p>
        </div>
      ) : null}
      <OpenField
        id="typedName"
        label={`Type ${name} to arm it`}
        type="text"
        value={typedName}
        maxlength={200}
        isRequired
        problem={problems.typedName}
      />
      <button type="submit" class="danger">
        Arm with real money
      </button>
    </form>
  );
}

const DISARM_EFFECT =
  "Freezes the account within a second and, when no other account is armed, all live trading. " +
  "Nothing is sent any more: positions and their stops stay as they are, resting entries can still " +
  "be filled. Close positions first where you want none. Only a pre-flight arms it again.";

/** The card of a live account. */
export function LiveCard(props: AccountLiveProps) {
  const { id, csrf, canTrade, preflight, isOff, isArmed, pill, problems } = props;
  const { busy } = preflight;
  const stream = {
    "hx-sse:connect": `/accounts/${id}/preflight/stream`,
    "hx-sse:close": "ended",
  };
  const again = {
    "hx-get": `/accounts/${id}/live`,
    "hx-trigger": "ended from:#preflight",
    "hx-swap": "outerHTML",
  };
  return (
    <section class="card" aria-labelledby="live" {...(busy === null ? {} : again)}>
      <h2 id="live">Live trading</h2>
      <p>
        <span class={`pill ${pill.tone}`}>{pill.text}</span> {props.sentence}
      </p>
      <p class="small">
        <a href="/help/going-live">What is checked, and what arming means</a>
      </p>
      {problems.preflight ? <Alert>{problems.preflight}</Alert> : null}
      <div id="preflight" role="status" {...(busy === null ? {} : stream)}>
        <PreflightView {...preflight} />
      </div>
      {busy === null && canTrade ? (
        <div class="actions">
          <ActionButton
            action={`/accounts/${id}/preflight`}
            csrf={csrf}
            label={preflight.run === null ? "Run the pre-flight" : "Run the pre-flight again"}
          />
        </div>
      ) : null}
      {busy === null && isOff ? <Arming {...props} /> : null}
      {isArmed && canTrade ? (
        <TypedConfirm
          action={`/accounts/${id}/disarm`}
          csrf={csrf}
          label="Switch live trading off"
          word={props.disarmWord}
          effect={DISARM_EFFECT}
          problem={problems.disarm}
        />
      ) : null}
    </section>
  );
}

function Arming(props: AccountLiveProps) {
  const { canOwn, isUsable, problems } = props;
  if (!canOwn) return <p class="muted small">An owner arms the account after a pre-flight.</p>;
  if (isUsable) return <ArmForm {...props} />;
  return (
    <>
      {problems.arm ? <Alert>{problems.arm}</Alert> : null}
      <p class="muted small">
        Arming needs a pre-flight of the last ten minutes in which nothing failed.
      </p>
    </>
  );
}
