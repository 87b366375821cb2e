// The page of a bot in the browser: draws its charts and copies texts. Joined behind the charts part, whose
// drawing it uses; tables and forms work without it.
(() => {
  const lib = window.dragonCharts;
  const section = document.getElementById("bot-charts");
  const PLOTS = ["price", "equity"];
  /** A chart is asked for again this often while somebody looks. */
  const AGAIN_MS = 30_000;
  /** And sooner when the figures moved, but not more often than this. */
  const SOON_MS = 5000;
  /** Orders farther away than this, in heights of the candles, stay out of the picture. */
  const ORDERS_REACH = 1;
  const AXIS_PX = 44;
  const CROSS_PX = 5;

  const views = new Map();
  const plots = new Map();
  const box = (name) => section.querySelector(`[data-plot="${name}"]`);
  const emptyOf = (name) => section.querySelector(`[data-plot-empty="${name}"]`);
  const cursorOf = (name) => section.querySelector(`[data-chart-of="${name}"].cursor`);
  let loadedAt = Number.NEGATIVE_INFINITY;

  function say(sentence) {
    const place = section.querySelector("[data-chart-problem]");
    place.textContent = sentence;
    place.hidden = sentence === "";
  }

  async function load() {
    loadedAt = performance.now();
    try {
      const answer = await fetch(section.dataset.botChart, {
        headers: { accept: "application/json" },
      });
      if (!answer.ok) throw new Error(`HTTP ${answer.status}`);
      show(await answer.json());
    } catch {
      say("The charts could not be loaded. It is tried again by itself.");
      for (const name of PLOTS) empty(name, "Nothing was loaded yet.");
    }
    section.setAttribute("aria-busy", "false");
  }

  function show(data) {
    say(data.at.length > 0 ? (data.problem ?? "") : "");
    const { at, value } = data.equity;
    if (data.at.length > 0) draw("price", data, { from: data.from, to: data.to });
    else empty("price", "No candle of this market is stored yet.");
    if (at.length < 2) {
      empty("equity", "The curve begins once a worker has looked at the bot a few times.");
      return;
    }
    const none = at.map(() => null);
    const curve = { at, bucketMs: 0, equity: value, hold: none, fills: [] };
    draw("equity", curve, { from: at[0], to: at.at(-1) });
  }

  /** A sentence in the place of a plot; one that is drawn stays. */
  function empty(name, sentence) {
    if (plots.has(name)) return;
    const place = emptyOf(name);
    place.textContent = sentence;
    place.hidden = false;
    showParts(name, false);
  }

  /** The plot and what explains it. */
  function showParts(name, isShown) {
    box(name).hidden = !isShown;
    for (const part of section.querySelectorAll(`[data-chart-of="${name}"]`)) {
      part.hidden = !isShown;
    }
  }

  function reveal(name) {
    emptyOf(name).hidden = true;
    showParts(name, true);
  }

  const on = {
    reset: () => {
      for (const name of plots.keys()) zoom(name, views.get(name).whole);
    },
    zoom: (window) => {
      for (const name of plots.keys()) zoom(name, window);
    },
    cursor: (name, plot) => views.has(name) && tell(name, plot.cursor.idx),
  };

  function zoom(name, { from, to }) {
    const view = views.get(name);
    const whole = view.whole;
    const start = Math.max(from, whole.from);
    const end = Math.min(to, whole.to);
    if (end - start < (view.data.timeframeMs ?? 60_000) * 5) return;
    view.window = { from: start, to: end };
    plots.get(name).setScale("x", { min: start, max: end });
  }

  /** Draws, or takes new values into what is there without moving the reader's window. */
  function draw(name, data, whole) {
    const known = views.get(name);
    if (known) {
      const isWhole = known.window.from === known.whole.from && known.window.to === known.whole.to;
      Object.assign(known, { data, whole, window: isWhole ? whole : known.window });
      const plot = plots.get(name);
      plot.batch(() => {
        plot.setData(lib.columnsOf(name, data), false);
        plot.setScale("x", { min: known.window.from, max: known.window.to });
      });
      tell(name, plot.cursor.idx);
      return;
    }
    const { zone } = section.dataset;
    const clock = lib.clockOf(zone);
    const view = { window: whole, whole, timeZone: zone, clock, data, isLog: false, mark: null };
    views.set(name, view);
    reveal(name);
    box(name).textContent = "";
    const plot = lib.createPlot(name, box(name), view, on);
    plots.set(name, plot);
    if (name === "equity") alone(plot);
    else withOrders(plot, view);
    plot.redraw(true, true);
    tell(name, null);
  }

  /** The curve has no plot below it that would carry its times. */
  function alone(plot) {
    plot.axes[0].size = () => AXIS_PX;
    plot.axes[1].values = (_, splits) => splits.map((value) => lib.numberText(value, 2));
  }

  /** Open orders are drawn, and the prices reach to those that are not far away. */
  function withOrders(plot, view) {
    const { range } = plot.scales.y;
    plot.scales.y.range = (...asked) => {
      const [low, high] = range(...asked);
      const reach = (high - low) * ORDERS_REACH;
      const near = view.data.orders
        .map(({ price }) => price)
        .filter((price) => price > low - reach && price < high + reach);
      const margin = (high - low) * 0.04;
      return [
        Math.min(low, ...near.map((price) => price - margin)),
        Math.max(high, ...near.map((price) => price + margin)),
      ];
    };
    plot.hooks.draw.push(() => crosses(plot, view));
  }

  /** Open orders at the right edge. */
  function crosses({ ctx, bbox, valToPos, root }, { data }) {
    const size = CROSS_PX * devicePixelRatio;
    const x = bbox.left + bbox.width - size * 2;
    let shown = 0;
    ctx.save();
    ctx.lineWidth = 2 * devicePixelRatio;
    for (const { price, side } of data.orders) {
      const y = valToPos(price, "y", true);
      if (y < bbox.top || y > bbox.top + bbox.height) continue;
      shown += 1;
      ctx.strokeStyle = side === "buy" ? "#7ee787" : "#ff7b72";
      ctx.beginPath();
      ctx.moveTo(x - size, y - size);
      ctx.lineTo(x + size, y + size);
      ctx.moveTo(x + size, y - size);
      ctx.lineTo(x - size, y + size);
      ctx.stroke();
    }
    ctx.restore();
    root.parentElement.dataset.crosses = String(shown);
  }

  /** What stands at the cursor, or last. */
  function tell(name, index) {
    const { data, clock } = views.get(name);
    const at = index ?? data.at.length - 1;
    const text = (value) => lib.numberText(value, data.priceDecimals ?? 2);
    const values =
      name === "price"
        ? `open ${text(data.open[at])}  high ${text(data.high[at])}` +
          `  low ${text(data.low[at])}  close ${text(data.close[at])}`
        : `equity ${text(data.equity[at])} ${section.dataset.quote}`;
    cursorOf(name).textContent = `${clock.dateTime(data.at[at])}  ${values}`;
  }

  document.addEventListener("click", (event) => {
    if (!(event.target instanceof Element)) return;
    if (event.target.closest("[data-chart-reset]")) on.reset();
    const copy = event.target.closest("[data-copies]");
    if (copy) copyText(document.getElementById(copy.dataset.copies)?.textContent ?? "");
    const file = event.target.closest("[data-copies-from]");
    if (file) copyFile(file.dataset.copiesFrom);
  });

  async function copyFile(address) {
    const answer = await fetch(address).catch(() => null);
    if (answer?.ok) await copyText(await answer.text());
    else window.dragon.toast({ text: "The text could not be loaded.", tone: "problem" });
  }

  async function copyText(text) {
    try {
      await navigator.clipboard.writeText(text);
      window.dragon.toast({ text: "Copied." });
    } catch {
      window.dragon.toast({ text: "The browser did not allow copying.", tone: "problem" });
    }
  }

  // On a narrow window the tabs scroll sideways.
  for (const tab of document.querySelectorAll(".tabs [aria-current]")) {
    tab.parentElement.scrollLeft = tab.offsetLeft - tab.parentElement.offsetLeft - 40;
  }

  if (!section) return;
  const sizes = new ResizeObserver(() => {
    for (const [name, plot] of plots) {
      const { clientWidth: width, clientHeight: height } = box(name);
      if (width > 0 && (plot.width !== width || plot.height !== height)) {
        plot.setSize({ width, height });
      }
    }
  });
  for (const name of PLOTS) {
    sizes.observe(box(name));
    box(name).classList.add("skeleton");
    showParts(name, true);
  }
  section.setAttribute("aria-busy", "true");
  load();
  setInterval(() => document.hidden || load(), AGAIN_MS);
  document.addEventListener("bot-moved", () => {
    const isSoon = performance.now() - loadedAt < SOON_MS;
    if (!document.hidden && !isSoon) load();
  });
})();
