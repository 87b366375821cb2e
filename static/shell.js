// What the frame of every signed-in page does in the browser: keys, toasts, search, the menu.
// Joined behind htmx by index.ts; every page must also work while this has not loaded.
(() => {
  const byId = (id) => document.getElementById(id);
  const isTyping = (target) =>
    target instanceof Element && target.closest("input, select, textarea, [contenteditable]");

  // --- toasts: the header `HX-Trigger: {"toast": {"text": …, "tone": "done" | "problem"}}` ---

  const TOAST_MS = 6000;

  function toast({ text, tone = "done" }) {
    const item = document.createElement("p");
    item.className = `toast ${tone}`;
    item.textContent = text;
    byId("toasts")?.append(item);
    setTimeout(() => item.remove(), TOAST_MS);
  }

  document.addEventListener("toast", (event) => toast(event.detail));
  window.dragon = { toast };

  // An answer that never came must not look like one.
  document.addEventListener("htmx:error", () => {
    toast({ text: "Dragon did not answer. Is it still running?", tone: "problem" });
  });

  // --- dialogs: <button data-opens="id">; a click beside the dialog closes it ---

  function open(id) {
    const dialog = byId(id);
    if (!dialog?.showModal || dialog.open) return;
    dialog.showModal();
    // What a dialog needs is loaded when it is first looked at.
    dialog.dispatchEvent(new CustomEvent("opened"));
  }

  document.addEventListener("click", (event) => {
    const { target } = event;
    if (!(target instanceof Element)) return;
    const opener = target.closest("[data-opens]");
    if (opener && byId(opener.dataset.opens)) {
      // A link leads to the same thing while this has not loaded.
      event.preventDefault();
      open(opener.dataset.opens);
    }
    if (target.closest("[data-closes]")) target.closest("dialog")?.close();
    if (target.matches("dialog[open]")) target.close();
  });

  // --- the line about stopped trading: asked for while somebody looks, so that no session lives by it ---

  const LOOK_EVERY_MS = 5000;
  const LOOKS_AFTER_INPUT_MS = 600_000;
  let inputAt = performance.now();

  function look() {
    const isIdle = performance.now() - inputAt > LOOKS_AFTER_INPUT_MS;
    if (document.hidden || isIdle) return;
    byId("trading-banner")?.dispatchEvent(new CustomEvent("look"));
  }

  for (const name of ["pointermove", "pointerdown", "keydown", "scroll"]) {
    document.addEventListener(
      name,
      () => {
        inputAt = performance.now();
      },
      { passive: true },
    );
  }
  document.addEventListener("visibilitychange", look);
  setInterval(look, LOOK_EVERY_MS);

  // --- keys: g and a letter go to a page, / searches, ! stops, ? lists the keys ---

  const GO_LIMIT_MS = 1500;
  let wentAt = Number.NEGATIVE_INFINITY;

  function go(key) {
    const entry = document.querySelector(`nav a[data-key="${CSS.escape(key)}"]`);
    if (entry) location.assign(entry.href);
  }

  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.altKey || isTyping(event.target)) return;
    if ((event.ctrlKey || event.metaKey) && event.key === "k") {
      event.preventDefault();
      open("search");
      return;
    }
    if (event.ctrlKey || event.metaKey || document.querySelector("dialog[open]")) return;
    if (event.timeStamp - wentAt < GO_LIMIT_MS) {
      wentAt = Number.NEGATIVE_INFINITY;
      go(event.key);
      return;
    }
    if (event.key === "g") wentAt = event.timeStamp;
    else if (event.key === "?") open("keys");
    else if (event.key === "!") open("kill");
    else if (event.key === "/") {
      event.preventDefault();
      open("search");
    }
  });

  // --- search: arrows move through the answers, Enter follows the first ---

  document.addEventListener("keydown", (event) => {
    const search = byId("search");
    if (!search?.open) return;
    const links = [...search.querySelectorAll(".results a")];
    const at = links.indexOf(document.activeElement);
    if (event.key === "ArrowDown") links[Math.min(at + 1, links.length - 1)]?.focus();
    else if (event.key === "ArrowUp" && at > 0) links[at - 1].focus();
    else if (event.key === "ArrowUp") search.querySelector("input")?.focus();
    else if (event.key === "Enter" && at < 0) links[0]?.click();
    else return;
    event.preventDefault();
  });
})();
