// Draws the three plots of a run with uPlot: equity, drawdown, price with candles, levels and fills.
// Joined between chart-window.js and charts.js by index.ts; asks nobody, keeps no state but the plots.
(() => {
  const { logTicks, numberText, priceRange } = window.dragonCharts;

  const INK = {
    text: "rgba(242, 242, 242, 0.7)",
    grid: "rgba(242, 242, 242, 0.07)",
    equity: "#f28c28",
    hold: "#94a3b8",
    drawdown: "#ff7b72",
    rise: "#4f9d69",
    fall: "#b4574f",
    trend: "#b6d4fe",
    averageEntry: "#ff7f0e",
    nextDca: "#9467bd",
    takeProfit: "#17becf",
    stop: "#8c564b",
    buy: "#2ca02c",
    sell: "#d62728",
    outline: "rgba(255, 255, 255, 0.85)",
    mark: "rgba(242, 140, 40, 0.14)",
  };
  /** Level columns of the data, in the order of their series. */
  const LEVELS = [
    ["trend", 1.25, []],
    ["averageEntry", 1.5, [8, 5]],
    ["nextDca", 1.5, [2, 4]],
    ["takeProfit", 1.5, [8, 4, 2, 4]],
    ["stop", 2, [14, 6]],
  ];
  const AXIS_WIDTH = 78;
  /** Half height by how many fills there are at most; the last one for all beyond. */
  const MARKERS = [
    [80, 7],
    [240, 5],
    [Infinity, 4],
  ];
  /** A fill is hit this far from its middle. */
  const HIT_PX = 14;

  const font = (size) => `${size}px system-ui, Roboto, sans-serif`;

  /** Middle of each bucket: candles are drawn around it, lines through it. */
  function timesOf({ at, bucketMs }) {
    return at.map((from) => from + bucketMs / 2);
  }

  function columnsOf(name, data) {
    const times = timesOf(data);
    if (name === "equity") return [times, data.equity, data.hold];
    if (name === "drawdown") return [times, data.drawdown.map((share) => -share)];
    return [times, data.close, ...LEVELS.map(([level]) => data[level])];
  }

  /** Marks of the logarithmic axis: its usual powers of ten are too far apart for a balance. */
  function logSplits(_, _axis, low, high) {
    return logTicks(low, high);
  }

  function axes(view, valueText, name) {
    const isLast = name !== "equity";
    const logarithmic = { splits: logSplits, filter: (_, splits) => splits };
    const common = { stroke: INK.text, font: font(12), ticks: { stroke: INK.grid, size: 4 } };
    return [
      {
        ...common,
        size: isLast ? 44 : 0,
        space: 88,
        grid: { stroke: INK.grid, width: 1 },
        values: (_, splits, _axis, _space, stepMs) => view.clock.ticks(splits, stepMs),
      },
      {
        ...common,
        size: AXIS_WIDTH,
        grid: { stroke: INK.grid, width: 1 },
        values: (_, splits) => splits.map(valueText),
        ...(name === "equity" && view.isLog ? logarithmic : {}),
      },
    ];
  }

  /** The stretch of a cycle or fill that was asked for, behind everything else. */
  function drawMark(view) {
    return (plot) => {
      const { mark } = view;
      if (!mark) return;
      const { left, top, width, height } = plot.bbox;
      const x = (at) => plot.valToPos(at, "x", true);
      const from = Math.max(left, x(mark.from));
      const to = Math.min(left + width, Math.max(x(mark.to), x(mark.from) + 2));
      if (to <= from) return;
      plot.ctx.fillStyle = INK.mark;
      plot.ctx.fillRect(from, top, to - from, height);
    };
  }

  /** First and last bucket within the window. */
  function shownRange(view) {
    const { at, bucketMs } = view.data;
    let first = 0;
    while (first < at.length && at[first] + bucketMs <= view.window.from) first++;
    let last = at.length - 1;
    while (last > first && at[last] >= view.window.to) last--;
    return [first, last];
  }

  function drawCandles(view) {
    return (plot) => {
      const { ctx } = plot;
      const { data } = view;
      const [first, last] = shownRange(view);
      const y = (price) => plot.valToPos(price, "y", true);
      const x = (at) => plot.valToPos(at, "x", true);
      const stepPx = x(data.at[first] + data.bucketMs) - x(data.at[first]);
      const bodyPx = Math.max(1, Math.min(18 * devicePixelRatio, Math.floor(stepPx * 0.7)));
      const wickPx = Math.max(1, Math.round(Math.min(devicePixelRatio, bodyPx / 3)));
      const paths = { rise: new Path2D(), fall: new Path2D() };
      for (let i = first; i <= last; i++) {
        const path = data.close[i] >= data.open[i] ? paths.rise : paths.fall;
        const middle = Math.round(x(data.at[i] + data.bucketMs / 2));
        const [high, low] = [y(data.high[i]), y(data.low[i])];
        path.rect(middle - wickPx / 2, high, wickPx, Math.max(1, low - high));
        const [open, close] = [y(data.open[i]), y(data.close[i])];
        const top = Math.min(open, close);
        if (bodyPx > 1) {
          path.rect(middle - bodyPx / 2, top, bodyPx, Math.max(1, Math.abs(open - close)));
        }
      }
      ctx.save();
      clipTo(plot);
      for (const [name, path] of Object.entries(paths)) {
        ctx.fillStyle = INK[name];
        ctx.fill(path);
      }
      ctx.restore();
    };
  }

  function clipTo({ ctx, bbox }) {
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
    ctx.clip();
  }

  /** Triangles touching the fill's price; their places are kept for the pointer. */
  function drawMarkers(view) {
    return (plot) => {
      const { ctx, bbox } = plot;
      const { from, to } = view.window;
      const fills = view.data.fills.filter(({ at }) => at >= from && at <= to);
      const [, markerPx] = MARKERS.find(([most]) => fills.length <= most);
      const size = markerPx * devicePixelRatio;
      plot.markers = [];
      ctx.save();
      clipTo(plot);
      ctx.strokeStyle = INK.outline;
      ctx.lineWidth = devicePixelRatio;
      for (const fill of fills) {
        const x = plot.valToPos(fill.at, "x", true);
        const tip = plot.valToPos(fill.price, "y", true);
        const base = fill.side === "buy" ? tip + size * 1.5 : tip - size * 1.5;
        ctx.beginPath();
        ctx.moveTo(x, tip);
        ctx.lineTo(x - size * 0.8, base);
        ctx.lineTo(x + size * 0.8, base);
        ctx.closePath();
        ctx.fillStyle = INK[fill.side];
        ctx.fill();
        ctx.stroke();
        plot.markers.push({
          x: (x - bbox.left) / devicePixelRatio,
          y: ((tip + base) / 2 - bbox.top) / devicePixelRatio,
          fill,
        });
      }
      ctx.restore();
      plot.root.parentElement.dataset.markers = String(plot.markers.length);
    };
  }

  /** The fill under the pointer, in CSS pixels of the plotting area. */
  function markerAt({ markers = [] }, left, top) {
    let best = null;
    let bestPx = HIT_PX;
    for (const marker of markers) {
      const away = Math.hypot(marker.x - left, marker.y - top);
      if (away > bestPx) continue;
      best = marker;
      bestPx = away;
    }
    return best;
  }

  function line(color, width, dash, more = {}) {
    return { stroke: color, width, dash, points: { show: false }, ...more };
  }

  /** A level as flat pieces, one per stretch of the same price: it jumps, it does not slope. */
  function shelves(view, level) {
    return (plot) => {
      const { at, bucketMs } = view.data;
      const values = view.data[level];
      const [first, last] = shownRange(view);
      const stroke = new Path2D();
      let i = first;
      while (i <= last) {
        const value = values[i];
        let end = i;
        while (end < last && values[end + 1] === value) end++;
        if (value !== null) {
          const y = plot.valToPos(value, "y", true);
          stroke.moveTo(plot.valToPos(at[i], "x", true), y);
          stroke.lineTo(plot.valToPos(at[end] + bucketMs, "x", true), y);
        }
        i = end + 1;
      }
      return { stroke, fill: null, clip: null, band: null, gaps: null, flags: 0 };
    };
  }

  function seriesOf(name, view) {
    if (name === "equity") {
      return [{}, line(INK.equity, 1.75, []), line(INK.hold, 1.25, [6, 4])];
    }
    if (name === "drawdown") {
      return [{}, line(INK.drawdown, 1.25, [], { fill: "rgba(248, 81, 73, 0.22)" })];
    }
    const levels = LEVELS.map(([level, width, dash]) =>
      line(INK[level], width, dash, level === "trend" ? {} : { paths: shelves(view, level) }),
    );
    // The closes give the cursor its place; the hook draws the candles.
    return [{}, { paths: () => null, points: { show: false } }, ...levels];
  }

  function scaleOf(name, view) {
    if (name === "equity" && view.isLog) {
      return { distr: 3, range: (_, low, high) => [low * 0.98, high * 1.02] };
    }
    if (name === "equity") return {};
    if (name === "drawdown") return { range: (_, low) => [Math.min(low ?? 0, -0.01) * 1.08, 0] };
    const range = () => {
      const levels = LEVELS.map(([level]) => view.data[level]);
      return priceRange(view.data, levels, ...shownRange(view));
    };
    return { range };
  }

  const short = new Intl.NumberFormat("en-US", { notation: "compact", maximumFractionDigits: 2 });

  function valueTextOf(name, view) {
    if (name === "drawdown")
      return (value) => (value === null ? "" : `${numberText(value * 100, 0)}%`);
    if (name === "price") return (value) => numberText(value, view.data.priceDecimals);
    return (value) => (value === null ? "" : short.format(value));
  }

  /** A plot in its box; `on` hears drags, double clicks, clicks and where the cursor is. */
  function createPlot(name, box, view, on) {
    const draw = name === "price" ? [drawMarkers(view)] : [];
    const options = {
      width: box.clientWidth,
      height: box.clientHeight,
      ms: 1,
      // Half of the last time stands right of the plot.
      padding: [8, 28, name === "equity" ? 8 : 0, 0],
      legend: { show: false },
      scales: {
        x: { range: () => [view.window.from, view.window.to] },
        y: scaleOf(name, view),
      },
      tzDate: (at) => uPlot.tzDate(new Date(at), view.timeZone),
      series: seriesOf(name, view),
      axes: axes(view, valueTextOf(name, view), name),
      cursor: {
        drag: { x: true, y: false, setScale: false, dist: 4 },
        points: { size: 6 },
        sync: {
          key: "run",
          scales: ["x", null],
          filters: { pub: (type) => type === "mousemove" || type === "mouseleave" },
        },
        bind: {
          dblclick: () => () => {
            on.reset();
            return null;
          },
        },
      },
      hooks: {
        drawAxes: name === "price" ? [drawMark(view), drawCandles(view)] : [drawMark(view)],
        draw,
        setCursor: [(plot) => on.cursor(name, plot)],
        setSelect: [(plot) => select(plot, on)],
      },
    };
    const plot = new uPlot(options, columnsOf(name, view.data), box);
    box.plot = plot;
    box.classList.remove("skeleton");
    return plot;
  }

  function select(plot, on) {
    const { left, width } = plot.select;
    if (width < 4) return;
    const window = { from: plot.posToVal(left, "x"), to: plot.posToVal(left + width, "x") };
    plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
    on.zoom(window);
  }

  Object.assign(window.dragonCharts, { createPlot, columnsOf, markerAt });
})();
