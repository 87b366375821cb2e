// Behaviour of the backtest page: which fields matter, and a timeframe that fits the chosen candles. The server
// judges everything again; without this script the page still works.
document.addEventListener("alpine:init", () => {
  window.Alpine.data("backtestForm", () => ({
    values: {},

    init() {
      this.read();
    },

    /** Copies what is typed and chosen, so that the page follows it. */
    read() {
      this.values = Object.fromEntries(new FormData(this.$root));
    },

    /** Whether a part does not matter now; its attribute lists `field=value` alternatives. */
    hides(part) {
      const alternatives = part.dataset.when.split("|").map((pair) => pair.split("="));
      return !alternatives.some(([field, value]) => (this.values[field] ?? "") === value);
    },
  }));
});

// A stored series can serve its own timeframe and multiples of it.
document.addEventListener("change", ({ target }) => {
  if (!(target instanceof HTMLSelectElement) || target.name !== "series") return;
  const own = Number(target.selectedOptions[0]?.dataset.timeframe);
  const timeframe = target.form?.elements.namedItem("run.timeframe_min");
  if (!own || !(timeframe instanceof HTMLSelectElement)) return;
  if (Number(timeframe.value) % own !== 0) timeframe.value = String(own);
});

// Another choice of market brings other rules, and the ladder follows them.
document.addEventListener("rules", () => {
  document.getElementById("backtest-form")?.dispatchEvent(new Event("change", { bubbles: true }));
});
