// The run page in the browser: loads chart columns, zooms, keeps the address, and leads from rows to
// the chart and back. Joined after chart-draw.js by index.ts; the tables work without it.
(() => {
  const lib = window.dragonCharts;
  const section = document.getElementById("charts");
  const progress = document.getElementById("run-progress");
  if (progress) openResult(progress);
  if (!section) return;

  /** The result is another page at the same address; the run may have ended before this script ran. */
  function openResult(place) {
    const reload = () => location.reload();
    if (place.querySelector('[data-stage="ended"]')) reload();
    else place.addEventListener("ended", reload);
  }

  const { run, zone, quote } = section.dataset;
  const limits = { from: Number(section.dataset.from), to: Number(section.dataset.to) };
  const NAMES = ["equity", "drawdown", "price"];
  const CACHE_MAX = 24;
  /** A click waits this long for a second one. */
  const CLICK_MS = 260;
  /** Room around a cycle or a fill, as a share of its length and in candles. */
  const ROOM = 0.35;
  const ROOM_CANDLES = 30;

  const view = {
    window: limits,
    timeZone: zone,
    clock: lib.clockOf(zone),
    data: null,
    isLog: false,
    mark: null,
  };
  const plots = new Map();
  const answers = new Map();
  let loading = null;
  let pendingClick = 0;
  const box = (name) => section.querySelector(`[data-plot="${name}"]`);
  const panel = () => document.getElementById("run-panel");

  // --- loading ---

  function addressOf(window) {
    const part = lib.partOf(window, limits);
    const buckets = lib.bucketsFor(box("price").clientWidth || 600, devicePixelRatio);
    return `${section.dataset.chart}?${lib.queryOf(part, `buckets=${buckets}`)}`;
  }

  async function fetchData(address, signal) {
    const known = answers.get(address);
    if (known) return known;
    const answer = await fetch(address, { signal, headers: { accept: "application/json" } });
    if (!answer.ok) throw new Error(`HTTP ${answer.status}`);
    const data = await answer.json();
    if (answers.size >= CACHE_MAX) answers.delete(answers.keys().next().value);
    answers.set(address, data);
    return data;
  }

  function say(sentence) {
    const place = section.querySelector("[data-chart-problem]");
    place.textContent = sentence;
    place.hidden = sentence === "";
  }

  async function load() {
    loading?.abort();
    const mine = new AbortController();
    loading = mine;
    section.setAttribute("aria-busy", "true");
    try {
      const data = await fetchData(addressOf(view.window), mine.signal);
      if (mine.signal.aborted) return;
      if (data.gap) showGap(data);
      else show(data);
      section.setAttribute("aria-busy", "false");
    } catch {
      if (mine.signal.aborted) return;
      say("The chart could not be loaded. Reload the page to try again.");
      section.setAttribute("aria-busy", "false");
    }
  }

  /** Without candles the kept equity is drawn and the price chart goes. */
  function showGap({ sentence, equity }) {
    say(sentence);
    section.querySelector("[data-needs-candles]").hidden = true;
    for (const item of section.querySelectorAll('[data-value="hold"]')) {
      item.parentElement.hidden = true;
    }
    if (!equity) {
      for (const name of NAMES) box(name).hidden = true;
      return;
    }
    const { at, value, drawdown } = equity;
    const bucketMs = at.length > 1 ? at[1] - at[0] : 1;
    const none = at.map(() => null);
    show({ at: at.map((to) => to - bucketMs), bucketMs, equity: value, drawdown, hold: none }, [
      "equity",
      "drawdown",
    ]);
  }

  // --- drawing ---

  const on = { reset, zoom: zoomTo, cursor };

  function show(data, names = NAMES) {
    view.data = data;
    const canLog = data.equity.every((value) => value > 0);
    section.querySelector('[data-chart-action="log"]').disabled = !canLog;
    for (const name of names) {
      const plot = plots.get(name);
      if (plot) plot.setData(lib.columnsOf(name, data), false);
      else create(name);
    }
    reserve();
    redraw();
    section.dataset.ready = String(Number(section.dataset.ready ?? 0) + 1);
  }

  function create(name) {
    plots.get(name)?.destroy();
    const plot = lib.createPlot(name, box(name), view, on);
    plots.set(name, plot);
    if (name === "price") attachPointer(plot);
  }

  /** Applies the window; the range of the values follows. */
  function redraw() {
    const { from: min, to: max } = view.window;
    for (const plot of plots.values()) {
      plot.batch(() => plot.setScale("x", { min, max }));
    }
    legends(null);
  }

  // --- legends: fixed widths, values at the cursor or of the last bucket ---

  let legendAt = -1;
  const legendPlaces = [...section.querySelectorAll("[data-legend] [data-value]")];
  const windowPlace = section.querySelector('[data-value="window"]');

  function legendText(key, value) {
    if (value === null || value === undefined) return "—";
    if (key === "drawdown") return `${lib.numberText(value * 100, 2)}%`;
    if (key === "equity" || key === "hold") return `${lib.numberText(value, 2)} ${quote}`;
    return lib.numberText(value, view.data.priceDecimals ?? 2);
  }

  /** Makes room for the longest value there is, so that nothing moves while the cursor does. */
  function reserve() {
    for (const place of legendPlaces) {
      const { value: key } = place.dataset;
      const values = (view.data[key] ?? []).filter((value) => value !== null);
      if (values.length === 0) continue;
      const lengths = [lib.least(values), lib.most(values)].map((v) => legendText(key, v).length);
      const before = Number.parseInt(place.style.minWidth || "0", 10);
      place.style.minWidth = `${Math.max(before, ...lengths.map((length) => length + 1))}ch`;
    }
  }

  /** Values of a bucket; null for the last one of the window. */
  function legends(index) {
    const { data } = view;
    let at = index ?? data.at.length - 1;
    while (index === null && at > 0 && data.at[at] >= view.window.to) at--;
    legendAt = at;
    for (const place of legendPlaces) {
      const { value: key } = place.dataset;
      place.textContent = legendText(key, data[key]?.[at]);
    }
    const { dateTime } = view.clock;
    const { from, to } = view.window;
    windowPlace.textContent =
      index === null ? `${dateTime(from)} to ${dateTime(to)}` : dateTime(data.at[at]);
  }

  function cursor(name, plot) {
    const { idx, left, top } = plot.cursor;
    const isAway = idx === null || idx === undefined || left < 0;
    if (isAway) legends(null);
    else if (idx !== legendAt) legends(idx);
    if (name === "price") hover(plot, left, top);
  }

  // --- the note of a fill ---

  const tip = document.createElement("p");
  tip.className = "chart-tip";
  tip.hidden = true;

  function hover(plot, left, top) {
    const marker = left < 0 ? null : lib.markerAt(plot, left, top);
    tip.hidden = !marker;
    plot.over.classList.toggle("on-marker", Boolean(marker));
    if (!marker) return;
    const { side, price, count, reason, at, cycle } = marker.fill;
    const many = count > 1 ? `${count} fills, on average ` : "";
    tip.textContent =
      `${side === "buy" ? "▲ Buy" : "▼ Sell"} ${many}${lib.numberText(price, view.data.priceDecimals)}` +
      ` · ${reason} · cycle ${cycle} · ${view.clock.dateTime(at)}`;
    const x = Math.min(
      Math.max(4, marker.x - tip.offsetWidth / 2),
      plot.over.clientWidth - tip.offsetWidth - 4,
    );
    const above = marker.y - tip.offsetHeight - 16;
    const y = above > 0 ? above : marker.y + 20;
    tip.style.transform = `translate(${Math.round(x)}px, ${Math.round(y)}px)`;
  }

  function attachPointer(plot) {
    plot.over.append(tip);
    plot.over.addEventListener("click", (event) => {
      const { left, top } = plot.over.getBoundingClientRect();
      const [x, y] = [event.clientX - left, event.clientY - top];
      clearTimeout(pendingClick);
      if (event.detail > 1) return;
      pendingClick = setTimeout(() => clicked(plot, x, y), CLICK_MS);
    });
  }

  function clicked(plot, x, y) {
    const marker = lib.markerAt(plot, x, y);
    if (marker) {
      showRow(marker.fill);
      return;
    }
    const { timeframeMs } = view.data;
    const at = Math.floor(plot.posToVal(x, "x") / timeframeMs) * timeframeMs;
    view.mark = { from: at, to: at + timeframeMs };
    redraw();
    ask(`tab=decision&at=${new Date(at).toISOString()}`);
  }

  // --- zoom and pan ---

  function leastMs() {
    return lib.CANDLES_MIN * (view.data?.timeframeMs ?? 60_000);
  }

  function zoomTo(window) {
    const fitted = lib.fit(window, limits, leastMs());
    if (fitted.from === view.window.from && fitted.to === view.window.to) return;
    view.window = fitted;
    // What is there is stretched at once; finer buckets follow.
    if (view.data) redraw();
    keepAddress();
    load();
  }

  function reset() {
    clearTimeout(pendingClick);
    view.mark = null;
    zoomTo(limits);
    if (view.data) redraw();
  }

  function toggleLog(button) {
    view.isLog = !view.isLog;
    button.setAttribute("aria-pressed", String(view.isLog));
    create("equity");
  }

  const ACTIONS = {
    in: () => zoomTo(lib.scaled(view.window, 0.5)),
    out: () => zoomTo(lib.scaled(view.window, 2)),
    left: () => zoomTo(lib.moved(view.window, -0.5)),
    right: () => zoomTo(lib.moved(view.window, 0.5)),
    reset,
    log: toggleLog,
  };
  const KEYS = {
    "+": "in",
    "=": "in",
    "-": "out",
    ArrowLeft: "left",
    ArrowRight: "right",
    0: "reset",
  };

  section.addEventListener("click", (event) => {
    const button = event.target.closest("[data-chart-action]");
    if (button) ACTIONS[button.dataset.chartAction](button);
  });
  section.addEventListener("keydown", (event) => {
    const name = KEYS[event.key];
    if (!name || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    ACTIONS[name]();
  });

  // --- address, rows, panel ---

  function keepAddress() {
    const query = lib.queryOf(lib.partOf(view.window, limits), panel()?.dataset.query ?? "");
    history.replaceState(null, "", `${location.pathname}${query === "" ? "" : `?${query}`}`);
  }

  /** Asks the server for another panel. */
  function ask(query) {
    window.htmx.ajax("GET", `${run}/panel?${query}`, { target: "#run-panel", swap: "outerHTML" });
  }

  /** Shows the row of a fill: its cycle where cycles are listed, else the fill itself. */
  function showRow({ at, cycle }) {
    const isCycles = panel()?.dataset.tab === "cycles";
    const order = new URLSearchParams(panel()?.dataset.query ?? "");
    const kept = ["sort", "dir"].filter((key) => isCycles && order.has(key));
    const sorted = kept.map((key) => `&${key}=${order.get(key)}`).join("");
    if (isCycles) ask(`tab=cycles&cycle=${cycle}${sorted}`);
    else ask(`tab=fills&cycle=${cycle}&at=${new Date(at).toISOString()}`);
  }

  /** Shows a row's stretch in the chart and marks both. */
  function showStretch(button) {
    const { from, to, at } = button.dataset;
    const stretch = { from: Number(from ?? at), to: Number(to ?? at) };
    const candleMs = view.data?.timeframeMs ?? 60_000;
    const room = Math.max((stretch.to - stretch.from) * ROOM, candleMs * ROOM_CANDLES);
    view.mark = { from: stretch.from, to: Math.max(stretch.to, stretch.from + candleMs) };
    for (const row of panel().querySelectorAll("tr.is-found")) {
      row.classList.remove("is-found");
      row.removeAttribute("aria-current");
    }
    const row = button.closest("tr");
    row.classList.add("is-found");
    row.setAttribute("aria-current", "true");
    zoomTo({ from: stretch.from - room, to: stretch.to + room });
    redraw();
    const isCalm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    box("price").scrollIntoView({ block: "center", behavior: isCalm ? "auto" : "smooth" });
  }

  document.addEventListener("click", (event) => {
    if (!(event.target instanceof Element)) return;
    const row = event.target.closest("#run-panel .row-link");
    if (row && view.data) showStretch(row);
    const copy = event.target.closest("[data-copies]");
    if (copy) copyText(document.getElementById(copy.dataset.copies)?.textContent ?? "");
  });

  async function copyText(text) {
    try {
      await navigator.clipboard.writeText(text);
      window.dragon.toast({ text: "Copied." });
    } catch {
      window.dragon.toast({ text: "The browser did not allow copying.", tone: "problem" });
    }
  }

  let shownPanel = panel();
  document.addEventListener("htmx:after:settle", () => {
    if (panel() === shownPanel) return;
    shownPanel = panel();
    keepAddress();
    panel().querySelector(".tabs [aria-current]")?.scrollIntoView({ block: "nearest" });
    panel()
      .querySelector("tr.is-found, .verdict, [role=alert]")
      ?.scrollIntoView({ block: "nearest" });
  });

  // --- start, and follow the size of the window ---

  if (section.dataset.windowFrom) {
    const asked = {
      from: Number(section.dataset.windowFrom),
      to: Number(section.dataset.windowTo),
    };
    view.window = lib.fit(asked, limits, 1);
  }
  const sizes = new ResizeObserver(() => {
    for (const [name, plot] of plots) {
      const { clientWidth: width, clientHeight: height } = box(name);
      if (width > 0 && (plot.width !== width || plot.height !== height)) {
        plot.setSize({ width, height });
      }
    }
  });
  for (const name of NAMES) sizes.observe(box(name));
  load();
})();
