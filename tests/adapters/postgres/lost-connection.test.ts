// What a pool does when its server goes away under it: errors that can be caught, and a way back.
// postgres.js 3.4.9 needs .patches/postgres@3.4.9.patch for this (its issues 1066, 1154 and 1208).
import { expect, test } from "bun:test";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { connect } from "../../../src/adapters/postgres/connect.ts";
import { isTransient } from "../../../src/adapters/postgres/embedded.ts";
import { serverProcesses } from "../../../src/adapters/postgres/server-process.ts";
import { seededDataDir, start } from "../../support/held-database.ts";

const TIMEOUT_MS = 60_000;

test("a transaction whose server stops ends with an error, not with a crash", async () => {
  const server = await start(await seededDataDir());
  const sql = connect(server.target, { max: 1 });
  const pending = sql.begin(async (tx) => {
    await tx`create table half_done (id bigint)`;
    await tx`select pg_sleep(60)`;
  });
  const ended = pending.then(
    () => "committed",
    (error) => (isTransient(error) ? "cut" : error),
  );
  await sleep(200);
  await server.stop();
  expect(await ended).toBe("cut");
  await sql.end({ timeout: 0 });
}, TIMEOUT_MS);

test("a pool finds back to its server after each of several crashes", async () => {
  const dataDir = await seededDataDir();
  const cluster = join(dataDir, "db");
  let server = await start(dataDir);
  const sql = connect(server.target, { max: 4 });
  let isAsking = true;
  const ask = async () => {
    while (isAsking) {
      try {
        await sql.begin((tx) => tx`select 1`);
      } catch (error) {
        if (!isTransient(error)) throw error;
        await sleep(5);
      }
    }
  };
  const lanes = [ask(), ask(), ask(), ask()];
  for (let crash = 0; crash < 4; crash++) {
    await sleep(150);
    for (const pid of serverProcesses(cluster)) process.kill(pid, "SIGKILL");
    server = await start(dataDir);
  }
  await sleep(100);
  isAsking = false;
  const isBack = await Promise.race([Promise.all(lanes).then(() => true), sleep(8000, false)]);
  expect(isBack).toBe(true);
  await sql.end({ timeout: 1 });
  await server.stop();
}, TIMEOUT_MS);
