// The one-time link: GET shows the form, POST creates the owner. The token in the path is the
// permission; it is compared by hash in the store and never logged.
import { type Context, Hono } from "hono";
import { MessagePage } from "../../../views/pages/message.tsx";
import { SetupPage, type SetupFields, type SetupProblems } from "../../../views/pages/setup.tsx";
import { PASSWORD_CHARS_MIN } from "../../services/desk/passwords.ts";
import type { LinkState } from "../../services/desk/setup.ts";
import type { WebDeps } from "../deps.ts";
import { readSetupForm } from "../forms/setup-form.ts";
import { respondPage } from "../respond.ts";

const CLOSED: Record<
  Exclude<LinkState, "open">,
  { status: 404 | 410; title: string; sentence: string }
> = {
  used: {
    status: 410,
    title: "Dragon is already set up",
    sentence: "This Dragon has an owner, so its set-up link no longer does anything.",
  },
  expired: {
    status: 410,
    title: "The link has expired",
    sentence: "This set-up link was valid for a day. Restart Dragon: it prints a new one.",
  },
  unknown: {
    status: 404,
    title: "The link is not valid",
    sentence:
      "Only the link of the latest start works. Look at the console, or restart Dragon for a new one.",
  },
};

const ADVICE = "Was it not you? On the machine itself, this sets a new password:";

/** A sentence of a service without the field's name, which the form shows anyway. */
function forForm(detail: string): string {
  const text = detail.replace(/^[a-z ]+: /, "");
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

/** Routes of `/setup/:token`. */
export function createSetupRoutes({ about, setup, log }: WebDeps): Hono {
  const app = new Hono();
  const timeZones = ["UTC", ...Intl.supportedValuesOf("timeZone").filter((zone) => zone !== "UTC")];

  const closed = (c: Context, state: Exclude<LinkState, "open">) => {
    const { status, title, sentence } = CLOSED[state];
    const isUsed = state === "used";
    const page = (
      <MessagePage
        version={about.version}
        title={title}
        sentence={sentence}
        advice={isUsed ? ADVICE : undefined}
        command={isUsed ? `${about.program} admin reset-password --email ADDRESS` : undefined}
      />
    );
    return respondPage(c, page, status);
  };
  const form = (c: Context, fields: SetupFields, problems: SetupProblems) => {
    const page = (
      <SetupPage
        version={about.version}
        action={c.req.path}
        fields={fields}
        problems={problems}
        timeZones={timeZones}
        passwordCharsMin={PASSWORD_CHARS_MIN}
      />
    );
    return respondPage(c, page, Object.keys(problems).length > 0 ? 422 : 200);
  };

  app.get("/setup/:token", async (c) => {
    const state = await setup.linkState(c.req.param("token"));
    if (state !== "open") return closed(c, state);
    return form(c, { email: "", timeZone: about.timeZone }, {});
  });

  app.post("/setup/:token", async (c) => {
    const token = c.req.param("token");
    const state = await setup.linkState(token);
    if (state !== "open") return closed(c, state);
    const { fields, problems, request } = readSetupForm(await c.req.parseBody());
    if (!request) return form(c, fields, problems);
    const outcome = await setup.createOwner(token, request);
    if (outcome.ok) {
      log.info("the owner was created");
      return c.redirect("/", 303);
    }
    if (outcome.reason !== "refused") return closed(c, outcome.reason);
    return form(c, fields, { [outcome.field]: forForm(outcome.detail) });
  });
  return app;
}
