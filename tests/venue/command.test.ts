// `dragon venue` as a person starts it: a real process that prints where it is, serves, and stops.
import { afterAll, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { cleanEnv, dataFolder, dragon, ROOT } from "../support/dragon.ts";
import { send, sign } from "./lab.ts";

const folder = dataFolder();
afterAll(() => folder.remove());

const VENUE = [process.execPath, join(ROOT, "src/main.ts"), "venue"];

type Started = {
  url: string;
  wsUrl: string;
  admin: { url: string; token: string };
  accounts: { name: string; apiKey: string; secret: string }[];
};

/** Starts the command with --json and reads the line it prints. */
async function started(args: readonly string[]) {
  const child = Bun.spawn([...VENUE, "--json", ...args], {
    env: cleanEnv(),
    stdout: "pipe",
    stderr: "pipe",
  });
  const reader = child.stdout.getReader();
  let text = "";
  while (!text.includes("\n")) {
    const { value, done } = await reader.read();
    if (done) throw new Error(await new Response(child.stderr).text());
    text += new TextDecoder().decode(value);
  }
  const stop = async () => {
    child.kill("SIGTERM");
    return child.exited;
  };
  return { info: JSON.parse(text) as Started, stop };
}

test("it prints addresses and keys that work, the same keys for the same seed, and stops with 0", async () => {
  const first = await started(["--seed", "5"]);
  const second = await started(["--seed", "5"]);
  try {
    expect(second.info.accounts).toEqual(first.info.accounts);
    const { url, accounts, admin } = first.info;
    const [demo] = accounts;
    const timestamp = String(Date.now());
    const reply = await send(`${url}/v3/asset/balances`, {
      headers: {
        "x-api-key": demo?.apiKey ?? "",
        "x-api-timestamp": timestamp,
        "x-api-signature": sign(demo?.secret ?? "", `${timestamp}GET/v3/asset/balances`),
      },
    });
    expect(reply.json.data?.holding?.[0]).toMatchObject({ token: "USDT", holding: 10_000 });
    const state = await send(`${admin.url}state`, { headers: { "x-venue-token": admin.token } });
    expect(state.json).toMatchObject({ seed: 5, speed: 1 });
  } finally {
    expect([await first.stop(), await second.stop()]).toEqual([0, 0]);
  }
});

test("a person is told address, keys and how to stop, and at the end the hash of the events", async () => {
  const child = Bun.spawn([...VENUE, "--seed", "5"], { env: cleanEnv(), stdout: "pipe" });
  let text = "";
  for await (const chunk of child.stdout) {
    text += new TextDecoder().decode(chunk);
    if (/^ {2}Stop /m.test(text)) child.kill("SIGINT");
  }
  expect(await child.exited).toBe(0);
  expect(text).toMatch(/^ {2}REST {5}http:\/\/127\.0\.0\.1:\d+$/m);
  for (const name of ["Streams", "Admin", "Key", "Secret", "App id", "Clock"]) {
    expect(text).toMatch(new RegExp(`^ {2}${name} +\\S`, "m"));
  }
  expect(text).toMatch(/^ {2}\d+ events, hash [0-9a-f]{64}$/m);
});

test("it follows a candle file, arms faults from a file, and can stand still", async () => {
  const candles = join(folder.path, "candles.csv");
  const rows = Array.from(
    { length: 40 },
    (_, i) => `${1_700_000_040_000 + i * 60_000},50,52,49,51,2`,
  );
  writeFileSync(candles, `timestamp_ms,open,high,low,close,volume\n${rows.join("\n")}\n`);
  const faults = join(folder.path, "faults.json");
  writeFileSync(faults, JSON.stringify([{ name: "maintenance" }]));
  const venue = await started([
    "--candles",
    candles,
    "--symbol",
    "PERP_ETH_USDT",
    "--speed",
    "0",
    "--faults",
    faults,
    "--hedge",
  ]);
  try {
    const { admin, url } = venue.info;
    const headers = { "x-venue-token": admin.token };
    expect((await send(`${url}/v3/public/instruments`, {})).status).toBe(503);
    await send(`${admin.url}faults`, { method: "DELETE", headers });
    const ticker = await send(`${url}/v3/public/futures?symbol=PERP_ETH_USDT`, {});
    expect(Number(ticker.json.data?.rows?.[0]?.["24hClose"])).toBeLessThanOrEqual(52);
    const state = async () => (await send(`${admin.url}state`, { headers })).json;
    const before = await state();
    expect(before.accounts?.[0]).toMatchObject({ positionMode: "HEDGE_MODE" });
    await Bun.sleep(120);
    expect((await state()).now).toBe(before.now);
  } finally {
    await venue.stop();
  }
});

const REFUSED: [args: string[], says: string][] = [
  [["--seed", "x"], "--seed"],
  [["--speed", "-1"], "--speed"],
  [["--speed", "1e9"], "--speed"],
  [["--port", "70000"], "--port"],
  [["--deposit", "much"], "--deposit"],
  [["--candles", "/nonexistent.csv"], "does not exist"],
  [["--symbol", "PERP_ETH_USDT"], "--symbol is only for --candles"],
  [["--faults", "/nonexistent.json"], "cannot be read"],
];

for (const [args, says] of REFUSED) {
  test(`"dragon venue ${args.join(" ")}" ends with 2 and one line`, async () => {
    const { code, stdout, stderr } = await dragon(["venue", ...args]);
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toContain(says);
    expect(stderr.trimEnd().split("\n")).toHaveLength(1);
  });
}

test("wrong content of its files and a taken port are one line each", async () => {
  const file = join(folder.path, "bad");
  for (const [option, text, says] of [
    ["--candles", "x", "line 1"],
    ["--faults", "{}", "must hold a list"],
    ["--faults", `[{"name":"nope"}]`, `name "nope" is no fault`],
    ["--faults", `[{"name":"manual_trade"}]`, "params.quantity"],
  ] as const) {
    writeFileSync(file, text);
    const { code, stderr } = await dragon(["venue", option, file]);
    expect(code).toBe(2);
    expect(stderr).toContain(says);
    expect(stderr.trimEnd().split("\n")).toHaveLength(1);
  }
  const venue = await started([]);
  const { port } = new URL(venue.info.url);
  const { code, stderr } = await dragon(["venue", "--port", port]);
  await venue.stop();
  expect([code, stderr]).toEqual([2, `dragon: --port: ${port} on 127.0.0.1 is already in use\n`]);
}, 30_000);
