// The list of bots as a browser meets it: what addresses show and refuse, what a form does, who may, what the
// stream sends, and that another workspace is out of reach. Real app, real database.
import { afterAll, beforeAll, expect, test } from "bun:test";
import type { DesiredAction, DesiredStatus } from "../../src/model/bot.ts";
import type { Bot } from "../../src/ports/bot-store.ts";
import { type BotPeople, botPeople, botsCase, seedBots, shownNames } from "./bots-case.ts";
import type { TestBrowser, WebCase } from "./web-case.ts";

let made: WebCase;
let alpha: BotPeople;
let beta: BotPeople;
let bots: Awaited<ReturnType<typeof seedBots>>;
let theirs: Bot;

beforeAll(async () => {
  made = await botsCase();
  alpha = await botPeople(made, "alpha");
  beta = await botPeople(made, "beta");
  bots = await seedBots(alpha);
  const account = await beta.seeder.account("Beta account", "live");
  theirs = await beta.seeder.bot(account, { name: "Theirs", symbol: "SECRET/USDT:USDT" });
}, 60_000);
afterAll(() => made.database.drop());

async function names(query: string): Promise<string> {
  const answer = await alpha.asViewer.get(`/bots?${query}`);
  expect(answer.status).toBe(200);
  const found = shownNames(await answer.text());
  return found.map((name) => name.split(" ")[0]?.toLowerCase()).join(" ");
}

const ALL = "alpha bravo charlie delta echo foxtrot golf hotel india";
const SHOWN: [query: string, expected: string][] = [
  ["", ALL],
  ["sort=-name", ALL.split(" ").reverse().join(" ")],
  ["q=holding", "bravo"],
  ["q=MAIN", "charlie echo"],
  ["symbol=XRP%2FUSDT%3AUSDT", "echo"],
  ["timeframe=4h", "bravo"],
  ["timeframe=240m", "bravo"],
  ["status=error", "delta"],
  ["status=created", "golf"],
  ["flag=any", "charlie echo"],
  ["flag=stale", "charlie"],
  ["flag=blocked&symbol=XRP%2FUSDT%3AUSDT", "echo"],
  ["flag=kill", ""],
  ["pnl-from=40&pnl-to=40", "alpha bravo charlie delta echo foxtrot hotel india"],
  ["pnl-from=40.01", ""],
  ["pnl-to=-1.5", ""],
  ["sort=-alerts&q=paper&status=error", "delta"],
  ["sort=-alerts&timeframe=15m&q=paper", "delta alpha foxtrot golf hotel india"],
];

for (const [query, expected] of SHOWN) {
  test(`"${query}" shows "${expected}"`, async () => {
    expect(await names(query)).toBe(expected);
  });
}

test("what has no profit to sort by comes last, whichever way the list is turned", async () => {
  expect((await names("sort=pnl")).split(" ").at(-1)).toBe("golf");
  expect((await names("sort=-pnl")).split(" ").at(-1)).toBe("golf");
});

const REFUSED: [query: string, sentence: string][] = [
  ["status=dancing", "Status: it is &quot;dancing&quot;"],
  ["flag=pirate", "Flag: it is &quot;pirate&quot;"],
  ["sort=colour", "Sort: it is &quot;colour&quot;"],
  ["account=x", "Account: it is &quot;x&quot;"],
  ["timeframe=7", "Timeframe: &quot;7&quot;"],
  ["colour=red", "Colour: there is no such filter"],
  ["pnl-from=much", "Pnl-from: it is &quot;much&quot;; an amount such as -12.5 is allowed"],
];

for (const [query, sentence] of REFUSED) {
  test(`"${query}" is refused with a sentence, on the page and on its stream`, async () => {
    for (const path of ["/bots", "/bots/stream"]) {
      const answer = await alpha.asViewer.get(`${path}?${query}`);
      expect(answer.status).toBe(400);
      expect(await answer.text()).toContain(sentence);
    }
  });
}

test("the page says how every bot stands, and escapes its name", async () => {
  const page = await (await alpha.asTrader.get("/bots")).text();
  expect(page).toContain("running → flatten");
  expect(page).toContain("running → paused");
  expect(page).toContain("Needs a person: the exchange refused the leverage for the third time");
  expect(page).toContain("Unknown: its worker has not been heard of");
  expect(page).toContain("The account opens nothing new: the daily loss limit is reached.");
  expect(page).toContain("long 0.25, +$12.50");
  expect(page).toContain("Last 60 ticks: 56 on time, 3 late, 1 missed");
  expect(page).toContain("Delta &lt;b&gt;failed&lt;/b&gt;");
  expect(page).not.toContain("<b>failed");
});

test("the list says of which second each bot's figures are, and of which the oldest", async () => {
  const page = await (await alpha.asViewer.get("/bots?pnl-from=1")).text();
  expect(page).toMatch(/<span class="below number">as of \d\d:\d\d:\d\d<\/span>/);
  expect(page).toMatch(/As of [\d/: ]*\d\d:\d\d:\d\d or later/);
  expect(page).toContain("PnL from: “1”");
  expect(page).toContain(`href="/bots/${bots.holding.id}?tab=events&amp;severity=warnings"`);
});

test("real and invented money are summed apart, and a sum that lacks a part is not shown", async () => {
  const page = await (await alpha.asViewer.get("/bots")).text();
  const live = page.indexOf('aria-label="All live bots in USDT"');
  const paper = page.indexOf('aria-label="All paper bots in USDT"');
  expect(live).toBeGreaterThan(0);
  expect(paper).toBeGreaterThan(live);
  expect(page.slice(live, paper)).toContain("not known yet");
  expect(page.slice(live, paper)).toContain("$2,080.00");
  expect(page.slice(live, paper)).toContain("old: 1 not heard of");
  expect(page.slice(paper)).not.toContain("not heard of<");
  expect(page.slice(paper)).toContain("$7,240.00");
});

test("a viewer sees the list without anything to act with, and may not act", async () => {
  const page = await (await alpha.asViewer.get("/bots")).text();
  expect(page).not.toContain('name="act"');
  expect(page).not.toContain('name="id"');
  const before = await wishes();
  for (const act of ["running", "paused", "stopped", "flatten", "rename", "delete"]) {
    const fields = { act, id: String(bots.well.id), confirm: "FLATTEN", name: "x" };
    expect((await alpha.asViewer.post("/bots/act", fields)).status).toBe(403);
  }
  expect(await wishes()).toEqual(before);
});

/** What everybody's bots are and shall do. */
async function wishes(): Promise<readonly unknown[]> {
  return await made.database.sql`
    select id, name, desired_status, desired_action, deleted_at from bots order by id`;
}

test("another workspace's bots are neither shown nor acted on", async () => {
  const page = await (await alpha.asTrader.get("/bots")).text();
  expect(page).not.toContain("Theirs");
  expect(page).not.toContain("SECRET");
  const before = await wishes();
  for (const act of ["running", "paused", "stopped", "flatten", "rename", "delete"]) {
    for (const confirm of ["STOP", "FLATTEN", "DELETE"]) {
      const fields = { act, id: String(theirs.id), confirm, name: "Mine now" };
      const answer = await alpha.asTrader.post("/bots/act", fields);
      expect([act, [404, 409].includes(answer.status)]).toEqual([act, true]);
      expect(await answer.text()).not.toContain("Theirs");
    }
  }
  expect(await wishes()).toEqual(before);
});

async function wishOf({ id }: Bot) {
  const found = await alpha.seeder.bots.find(alpha.scope, id);
  return [found?.desiredStatus, found?.desiredAction];
}

test("pausing is done at once, and comes back to the same list", async () => {
  const fields = { act: "paused", id: String(bots.well.id), back: "status=running" };
  const answer = await alpha.asTrader.post("/bots/act", fields);
  expect(answer.status).toBe(303);
  expect(answer.headers.get("location")).toBe("/bots?status=running&done=paused-1");
  expect(await wishOf(bots.well)).toEqual(["paused", null]);
  const page = await (await alpha.asTrader.get("/bots?status=running&done=paused-1")).text();
  expect(page).toContain("One bot is told to pause.");
});

const WORDS: [act: string, word: string, wish: [DesiredStatus, DesiredAction | null]][] = [
  ["stopped", "STOP", ["stopped", null]],
  ["flatten", "FLATTEN", ["running", "flatten"]],
];

for (const [act, word, wish] of WORDS) {
  test(`"${act}" asks first, refuses a wrong word and is wished once the word is right`, async () => {
    const id = String(bots.holding.id);
    await alpha.seeder.bots.wish(
      alpha.scope,
      bots.holding.id,
      { status: "running", action: null },
      made.clock.now(),
    );
    const question = await alpha.asTrader.post("/bots/act", { act, id });
    expect(question.status).toBe(200);
    const page = await question.text();
    expect(page).toContain(`Type <code>${word}</code>`);
    expect(page).toContain("Holds long 0.25, worth $512.50, with a protective stop");
    const wrong = await alpha.asTrader.post("/bots/act", { act, id, confirm: word.toLowerCase() });
    expect(wrong.status).toBe(422);
    expect(await wrong.text()).toContain(`“${word.toLowerCase()}” is not ${word}`);
    expect(await wishOf(bots.holding)).toEqual(["running", null]);
    const right = await alpha.asTrader.post("/bots/act", { act, id, confirm: word });
    expect(right.status).toBe(303);
    expect(await wishOf(bots.holding)).toEqual(wish);
  });
}

test("a bot that cannot start is named with the reason, the others are started", async () => {
  const body = new URLSearchParams([
    ["csrf", alpha.asTrader.csrf],
    ["act", "running"],
    ["id", String(bots.failed.id)],
    ["id", String(bots.fresh.id)],
  ]);
  const answer = await posted(alpha.asTrader, body);
  expect(answer.status).toBe(200);
  const page = await answer.text();
  expect(page).toContain("One bot is told to run.");
  expect(page).toContain("stopped with an error: look at it and clear the error first.");
  expect(await wishOf(bots.fresh)).toEqual(["running", null]);
  expect(await wishOf(bots.failed)).toEqual(["paused", null]);
});

/** A form with several fields of one name. */
function posted(browser: TestBrowser, body: URLSearchParams) {
  return made.app.request("/bots/act", {
    method: "POST",
    body,
    headers: {
      ...{ accept: "text/html", host: "127.0.0.1:8400", origin: "http://127.0.0.1:8400" },
      ...{ "sec-fetch-site": "same-origin", cookie: browser.cookie, "user-agent": "Firefox/140.0" },
    },
  });
}

test("a bot gets a new name; one that is taken or too long comes back with the sentence", async () => {
  const id = String(bots.blocked.id);
  const question = await alpha.asTrader.post("/bots/act", { act: "rename", id });
  expect(await question.text()).toContain('value="Echo blocked"');
  const taken = await alpha.asTrader.post("/bots/act", { act: "rename", id, name: "alpha WELL" });
  expect(taken.status).toBe(422);
  expect(await taken.text()).toContain("A bot named alpha WELL exists already.");
  const long = { act: "rename", id, name: "x".repeat(61) };
  expect((await alpha.asTrader.post("/bots/act", long)).status).toBe(422);
  const good = await alpha.asTrader.post("/bots/act", { act: "rename", id, name: " Echo  two " });
  expect(good.headers.get("location")).toBe("/bots?done=rename-1");
  expect((await alpha.seeder.bots.find(alpha.scope, bots.blocked.id))?.name).toBe("Echo two");
});

test("a stopped bot is deleted after its word, a running one stays with the reason", async () => {
  const remove = (bot: Bot) =>
    alpha.asTrader.post("/bots/act", { act: "delete", id: String(bot.id), confirm: "DELETE" });
  const kept = await remove(bots.closing);
  expect(kept.status).toBe(409);
  expect(await kept.text()).toContain("Foxtrot closing: the bot is running: stop it first.");
  expect((await remove(bots.stopped)).headers.get("location")).toBe("/bots?done=delete-1");
  expect(await alpha.seeder.bots.find(alpha.scope, bots.stopped.id)).toBeNull();
});

const NONSENSE: Record<string, string>[] = [
  {},
  { act: "paused" },
  { act: "paused", id: "0" },
  { act: "paused", id: "1e3" },
  { act: "dance", id: "1" },
];

test("nothing and nonsense are refused with one sentence", async () => {
  for (const fields of NONSENSE) {
    const answer = await alpha.asTrader.post("/bots/act", fields);
    expect(answer.status).toBe(400);
    expect(await answer.text()).toContain("Select 1 to 200 bots of the list");
  }
});

test("the stream sends the filtered list at once and again when a worker shows something new", async () => {
  const { cookie } = alpha.asViewer;
  const answer = await made.app.request("/bots/stream?q=alpha", { headers: { cookie } });
  expect(answer.headers.get("content-type")).toContain("text/event-stream");
  const reader = answer.body?.getReader();
  if (!reader) throw new Error("no stream");
  const decoder = new TextDecoder();
  let text = "";
  const until = async (words: string) => {
    while (!text.includes(words)) {
      const { value, done } = await reader.read();
      if (done) throw new Error(`the stream ended without ${words}`);
      text += decoder.decode(value, { stream: true });
    }
  };
  await until("Looks for an entry");
  expect(text).not.toContain("Charlie");
  expect(text).not.toContain('name="id"');
  await alpha.seeder.figures(bots.well, { nextAction: "Waits for its entry to fill" });
  await until("Waits for its entry to fill");
  await reader.cancel();
}, 20_000);

test("a stream of a workspace without bots ends at once", async () => {
  const empty = await botPeople(made, "empty");
  const answer = await empty.asViewer.get("/bots/stream");
  expect(await answer.text()).toContain("event: bots-ended");
  const page = await (await empty.asTrader.get("/bots")).text();
  expect(page).toContain("No bot yet.");
  expect(page).toContain("Choose a run");
  expect(page).not.toContain("hx-sse:connect");
});
