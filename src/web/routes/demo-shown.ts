// The state of the demo as the steps its card shows. Used by the first page, /demo and its stream; it asks
// nobody.
import type { DemoShown, DemoStep } from "../../../views/components/demo-card.tsx";
import { asset, number, qty, wait } from "../../../views/format.ts";
import type { Bot } from "../../ports/bot-store.ts";
import type { DemoState, DemoTrade } from "../../services/desk/demo.ts";

/** After so long nobody waits for the first trade any more, and how long it took says nothing. */
const FIRST_MS = 600_000;

/** The steps, in the order they happen. */
export function demoShown(state: DemoState): DemoShown {
  const steps = [
    accountStep(state),
    candlesStep(state),
    backtestStep(state),
    botStep(state),
    tradeStep(state),
  ];
  return {
    steps,
    isOver: steps.every(({ mark }) => mark === "done" || mark === "failed"),
    isLacking: state.bot === null || isUnasked(state.bot),
  };
}

/** The bot was made and nobody asked it to run yet: something went wrong in between. */
function isUnasked({ status, desiredStatus }: Bot): boolean {
  return status === "created" && desiredStatus === "paused";
}

function accountStep({ account }: DemoState): DemoStep {
  const sentence = "10,000 invented USDT at the exchange inside Dragon.";
  const link = { href: `/accounts/${account.id}`, label: `Account ${account.name}` };
  return { title: "Account", mark: "done", sentence, link };
}

function candlesStep({ run, bot }: DemoState): DemoStep {
  const title = "Candles";
  const sentence = "A week of one-minute candles.";
  if (run === null) return { title, mark: bot ? "done" : "later", sentence };
  const isWaiting = run.stage === "waiting" || run.stage === "downloading";
  if (isWaiting) return { title, mark: "now", sentence, share: run.share };
  if (run.status === "failed") return { title, mark: "failed", sentence: "Not all of them came." };
  return { title, mark: "done", sentence, link: { href: "/candles", label: "All candles" } };
}

function backtestStep({ run, bot }: DemoState): DemoStep {
  const title = "Backtest";
  const sentence = "The bot's settings on that week.";
  if (run === null) {
    return bot
      ? { title, mark: "done", sentence: "Somebody deleted its result." }
      : { title, mark: "later", sentence };
  }
  const link = { href: `/runs/${run.id}`, label: "Open the result" };
  if (run.status === "finished") return { title, mark: "done", sentence, link };
  if (run.stage === "ended") {
    const why = run.error ?? "It was cancelled.";
    return { title, mark: "failed", sentence: why, link: { ...link, label: "Open the run" } };
  }
  if (run.stage === "waiting" || run.stage === "downloading") {
    return { title, mark: "later", sentence };
  }
  return { title, mark: "now", sentence, share: run.share };
}

function botStep({ bot }: DemoState): DemoStep {
  const title = "Bot";
  if (bot === null) return { title, mark: "later", sentence: "Trades with the same settings." };
  const link = { href: `/bots/${bot.id}`, label: `Open ${bot.name}` };
  const { status, desiredStatus, lastError } = bot;
  if (status === "error") {
    return { title, mark: "failed", sentence: lastError ?? "It stopped with an error.", link };
  }
  if (status === "created") {
    const isWanted = desiredStatus === "running";
    const sentence = isWanted ? "A worker takes it over." : "It waits to be started.";
    return { title, mark: isWanted ? "now" : "later", sentence, link };
  }
  const sentence = `It is ${status}: ${asset(bot.symbol)}, one-minute candles.`;
  return { title, mark: "done", sentence, link };
}

function tradeStep({ bot, trade }: DemoState): DemoStep {
  const title = "Trade";
  if (trade) return { title, mark: "done", sentence: tradeSentence(trade) };
  if (bot?.status === "error") return { title, mark: "failed", sentence: "None." };
  const sentence = "It decides whenever a minute closes, so the first fill is near.";
  return { title, mark: bot?.status === "running" ? "now" : "later", sentence };
}

/** Quantity and average entry; until the first ten minutes are over also how long it took. */
function tradeSentence(trade: DemoTrade): string {
  const { positionSide, symbol, entryQty, entryCost, afterMs } = trade;
  const average = Number(entryCost) / Number(entryQty);
  const side = positionSide === "long" ? "Long" : "Short";
  const what = `${side} ${qty(Number(entryQty))} ${asset(symbol)} at ${number(average)}`;
  return afterMs < FIRST_MS ? `${what}, ${wait(afterMs)} after the start.` : `${what}.`;
}
