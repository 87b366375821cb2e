// Commands as a person types them: real processes, exit codes, what goes to stdout and to stderr.
import { afterAll, expect, test } from "bun:test";
import { chmodSync, existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { COMMANDS } from "../../src/cli/commands.ts";
import { cleanEnv, dataFolder, dragon, ROOT } from "../support/dragon.ts";

const folder = dataFolder();
const env = { DRAGON_DATA_DIR: folder.path };
const PASSWORD = "plum-harbour-nine-otters";
afterAll(() => folder.remove());

test("--help lists every command, on stdout and with exit code 0", async () => {
  const { code, stdout, stderr } = await dragon(["--help"]);
  expect(code).toBe(0);
  expect(stderr).toBe("");
  for (const { name } of COMMANDS) expect(stdout).toContain(`  ${name} `);
});

for (const { name } of COMMANDS) {
  test(`"${name} --help" explains itself and touches nothing`, async () => {
    const untouched = dataFolder();
    const { code, stdout } = await dragon([name, "--help"], {
      env: { DRAGON_DATA_DIR: untouched.path, DRAGON_PORT: "broken" },
    });
    expect(code).toBe(0);
    expect(stdout).toContain(`usage: dragon ${name}`);
    expect(readdirSync(untouched.path)).toEqual([]);
    untouched.remove();
  });
}

const REFUSED: [argv: string[], says: string][] = [
  [[], "usage: dragon"],
  [["sevre"], "did you mean serve?"],
  [["--jsn"], 'no option "--jsn"'],
  [["version", "--jsn"], "did you mean --json?"],
  [["version", "now"], "does not take the argument"],
  [["admin"], "needs one of"],
  [["admin", "create-ownr"], "did you mean create-owner?"],
  [["help", "backtst"], "did you mean backtest?"],
  [["admin", "create-owner"], "--email is missing"],
  [["admin", "create-owner", "--email", "a@b.c"], "nothing came from stdin"],
  [["admin", "create-user", "--email", "a@b.c", "--role", "king"], "owner, trader, viewer"],
  [["admin", "token", "--email", "a@b.c", "--name", "x", "--days", "0"], "1 to 3650"],
  [["admin", "rotate-key"], "nothing came from stdin"],
  [["admin", "rotate-key", "--new-key-file", "/nonexistent"], "ENOENT"],
  [["admin", "reset-password", "--email", "a@b.c", "--password-file", "/nonexistent"], "ENOENT"],
];

for (const [argv, says] of REFUSED) {
  test(`"dragon ${argv.join(" ")}" ends with 2 and a sentence on stderr`, async () => {
    const { code, stdout, stderr } = await dragon(argv, { env });
    expect(code).toBe(2);
    expect(stdout).toBe("");
    expect(stderr).toContain(says);
    if (argv.length > 0) expect(stderr.trimEnd().split("\n")).toHaveLength(1);
  });
}

test("version prints one line, also with a broken environment, and the same as JSON", async () => {
  const plain = await dragon(["version"], { env: { DRAGON_PORT: "broken" } });
  expect(plain.code).toBe(0);
  expect(plain.stdout).toMatch(/^dragon \d+\.\d+\.\d+.*Bun 1\.4\.5, linux-(x64|arm64)\n$/);
  const { stdout } = await dragon(["version", "--json"]);
  expect(JSON.parse(stdout)).toMatchObject({ name: "dragon", runtime: "Bun 1.4.5" });
});

test("a bad value stops with one line naming it, an unknown name only warns", async () => {
  const bad = await dragon(["migrate"], { env: { ...env, DRAGON_PORT: "80x" } });
  expect(bad.code).toBe(2);
  expect(bad.stderr).toBe('dragon: DRAGON_PORT: "80x" must be a whole number from 0 to 65535\n');
  expect(existsSync(join(folder.path, "db"))).toBe(false);
  const unknown = await dragon(["doctor", "--json"], { env: { ...env, DRAGON_PROT: "1" } });
  expect(unknown.stderr).toContain("DRAGON_PROT");
  expect(unknown.stderr).toContain("did you mean DRAGON_PORT?");
  expect(unknown.code).toBe(0);
});

test("help prints every topic without Markdown signs", async () => {
  const { stdout } = await dragon(["help", "--json"]);
  const topics = JSON.parse(stdout) as { name: string }[];
  expect(topics.length).toBeGreaterThanOrEqual(7);
  for (const { name } of topics) {
    const page = await dragon(["help", name]);
    expect(page.code).toBe(0);
    expect(page.stdout.length).toBeGreaterThan(300);
    expect(page.stdout).not.toMatch(/^#|```|^\|/m);
  }
});

test("licenses name every bundled part; --full prints texts", async () => {
  const { stdout } = await dragon(["licenses", "--json"]);
  const notices = JSON.parse(stdout) as { name: string; licence: string; text: string }[];
  const names = notices.map((notice) => notice.name);
  for (const name of ["PostgreSQL", "ICU", "OpenSSL", "Bun", "hono", "postgres", "ccxt", "zod"]) {
    expect(names).toContain(name);
  }
  for (const notice of notices) {
    expect(notice.licence.length).toBeGreaterThan(1);
    expect(notice.text.length).toBeGreaterThan(20);
  }
  expect(names).not.toContain("playwright-core");
  expect((await dragon(["licenses", "--full"])).stdout).toContain("Permission is hereby granted");
});

test("a closed pipe is no failure", async () => {
  const main = join(ROOT, "src/main.ts");
  const line = `"${process.execPath}" "${main}" licenses --full | head -1; echo "\${PIPESTATUS[0]}"`;
  const child = Bun.spawn(["bash", "-c", line], { env: cleanEnv(), stderr: "pipe" });
  expect((await new Response(child.stdout).text()).trimEnd().split("\n").at(-1)).toBe("0");
  expect(await new Response(child.stderr).text()).toBe("");
});

test("migrate, owner, users, tokens and doctor on a fresh data folder", async () => {
  const fresh = await dragon(["doctor", "--json"], { env: { ...env, DRAGON_PORT: "1" } });
  expect(fresh.code).toBe(0);
  expect(existsSync(join(folder.path, "db"))).toBe(false);

  const first = await dragon(["migrate", "--json"], { env });
  expect(JSON.parse(first.stdout)).toMatchObject({ from: 0 });
  expect((await dragon(["migrate"], { env })).stdout).toContain("nothing to do");

  const owner = await dragon(["admin", "create-owner", "--email", "ann@example.org"], {
    env,
    stdin: `${PASSWORD}\n`,
  });
  expect(owner).toMatchObject({ code: 0, stdout: "owner ann@example.org created\n" });
  const second = await dragon(["admin", "create-owner", "--email", "eve@example.org"], {
    env,
    stdin: PASSWORD,
  });
  expect(second.code).toBe(1);
  expect(second.stderr).toContain("already has an owner");

  const file = join(folder.path, "password");
  writeFileSync(file, `${PASSWORD}\n`);
  const user = await dragon(
    ["admin", "create-user", "--email=bob@example.org", "--role=trader", "--password-file", file],
    { env },
  );
  expect(user.stdout).toBe("trader bob@example.org created\n");
  const weak = await dragon(["admin", "reset-password", "--email", "bob@example.org"], {
    env,
    stdin: "password1234",
  });
  expect(weak.code).toBe(2);
  expect(weak.stderr).not.toContain("password1234");

  const token = await dragon(["admin", "token", "--email=bob@example.org", "--name=ci"], { env });
  expect(token.code).toBe(0);
  expect(token.stdout).toMatch(/^dragon_[A-Za-z0-9_-]{43}\n$/);

  const doctor = await dragon(["doctor"], { env: { ...env, DRAGON_PORT: "1" } });
  expect(doctor.code).toBe(0);
  expect(doctor.stdout).toContain("bundled PostgreSQL");
  expect(doctor.stdout).not.toContain("fail");
}, 60_000);

test("doctor fails on a key that others can read and says how to mend it", async () => {
  const path = join(folder.path, "master.key");
  writeFileSync(
    path,
    `${Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString("base64")}\n`,
  );
  chmodSync(path, 0o644);
  const { code, stdout } = await dragon(["doctor", "--json"], { env });
  expect(code).toBe(1);
  expect(stdout).toContain("chmod 600");
  expect(stdout).not.toContain(readFileSync(path, "utf8").trim());
});

test("an unreachable external database is one sentence without the password, exit code 1", async () => {
  const { code, stderr } = await dragon(["migrate"], {
    env: { ...env, DRAGON_DATABASE_URL: "postgres://ann:hunter2@127.0.0.1:1/dragon" },
  });
  expect(code).toBe(1);
  expect(stderr).not.toContain("hunter2");
  expect(stderr.trimEnd().split("\n")).toHaveLength(1);
});
