// The files pages link to, embedded as text. Read by web/routes/static-files.ts and by the layout;
// a file that is not in this list is never served.
import alpineJs from "../node_modules/@alpinejs/csp/dist/cdn.min.js" with { type: "text" };
import alpineCompatJs from "../node_modules/htmx.org/dist/ext/hx-alpine-compat.min.js" with { type: "text" };
import sseJs from "../node_modules/htmx.org/dist/ext/hx-sse.min.js" with { type: "text" };
import htmxJs from "../node_modules/htmx.org/dist/htmx.min.js" with { type: "text" };
import uplotCss from "../node_modules/uplot/dist/uPlot.min.css" with { type: "text" };
import uplotJs from "../node_modules/uplot/dist/uPlot.iife.min.js" with { type: "text" };
import appCss from "./app.css" with { type: "text" };
import backtestCss from "./backtest.css" with { type: "text" };
import backtestJs from "./backtest.js" with { type: "text" };
import botCss from "./bot.css" with { type: "text" };
import botJs from "./bot.js" with { type: "text" };
import botsCss from "./bots.css" with { type: "text" };
import candlesCss from "./candles.css" with { type: "text" };
import candlesJs from "./candles.js" with { type: "text" };
import chartDrawJs from "./chart-draw.js" with { type: "text" };
import chartWindowJs from "./chart-window.js" with { type: "text" };
import chartsCss from "./charts.css" with { type: "text" };
import chartsJs from "./charts.js" with { type: "text" };
import demoCss from "./demo.css" with { type: "text" };
import gridCss from "./grid.css" with { type: "text" };
import gridJs from "./grid.js" with { type: "text" };
import iconSvg from "./icon.svg" with { type: "text" };
import partsCss from "./parts.css" with { type: "text" };
import runPanelCss from "./run-panel.css" with { type: "text" };
import runCss from "./run.css" with { type: "text" };
import shellCss from "./shell.css" with { type: "text" };
import shellJs from "./shell.js" with { type: "text" };
import workingCss from "./working.css" with { type: "text" };

/** One embedded file; `path` holds the content hash, so it may be cached for ever. */
export type StaticFile = {
  readonly path: string;
  readonly type: string;
  readonly text: string;
};

function embed(name: string, extension: string, type: string, text: string): StaticFile {
  const hash = new Bun.CryptoHasher("sha256").update(text).digest("hex").slice(0, 10);
  return { path: `/static/${name}.${hash}.${extension}`, type, text };
}

const script = (name: string, ...texts: string[]) =>
  embed(name, "js", "text/javascript; charset=utf-8", texts.join("\n"));
const style = (name: string, ...texts: string[]) =>
  embed(name, "css", "text/css; charset=utf-8", texts.join("\n"));

/** The style sheet of every page; later parts win. */
export const APP_CSS = style("app", appCss, partsCss, workingCss, shellCss, demoCss);
/** The mark in the header and the browser tab. */
export const ICON_SVG = embed("icon", "svg", "image/svg+xml", iconSvg);
/** On every signed-in page: partial updates, live streams, and what the frame itself does. */
export const SHELL_JS = script("shell", htmxJs, sseJs, alpineCompatJs, shellJs);
/** Local toggles; it starts by itself once all scripts of the page have run, so it comes last. */
export const ALPINE_JS = script("alpine", alpineJs);

/** What a page may ask for beside the frame, in the order it is loaded. */
export const PAGE_PARTS = {
  charts: {
    scripts: [script("uplot", uplotJs), script("charts", chartWindowJs, chartDrawJs, chartsJs)],
    css: [style("charts", uplotCss, chartsCss, runCss, runPanelCss)],
  },
  backtest: { scripts: [script("backtest", backtestJs)], css: [style("backtest", backtestCss)] },
  bot: { scripts: [script("bot", botJs)], css: [style("bot", botCss)] },
  bots: { scripts: [], css: [style("bots", botsCss)] },
  candles: { scripts: [script("candles", candlesJs)], css: [style("candles", candlesCss)] },
  grid: { scripts: [script("grid", gridJs)], css: [style("grid", gridCss)] },
} as const satisfies Record<string, { scripts: readonly StaticFile[]; css: readonly StaticFile[] }>;

/** Names of the parts. */
export type PagePart = keyof typeof PAGE_PARTS;

/** Everything that is served below /static. */
export const STATIC_FILES: readonly StaticFile[] = [
  APP_CSS,
  ICON_SVG,
  SHELL_JS,
  ALPINE_JS,
  ...Object.values(PAGE_PARTS).flatMap(({ scripts, css }) => [...scripts, ...css]),
];
