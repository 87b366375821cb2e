// Behaviour of grids: keys on rows, filters of columns, order and widths of columns, marks and notes.
// Loaded by pages that ask for this part; without it the page still filters, sorts and pages.
(() => {
  const grid = document.querySelector(".grid");
  const form = document.querySelector(".grid-form");
  const one = (selector, from = document) => from.querySelector(selector);
  const all = (selector, from = document) => [...from.querySelectorAll(selector)];

  function make(tag, properties = {}, ...children) {
    const element = Object.assign(document.createElement(tag), properties);
    element.append(...children);
    return element;
  }

  /** Posts fields with the page's token; the answer says whether they were taken. */
  async function post(path, fields) {
    const body = new URLSearchParams([["csrf", one("[name=csrf]", form).value], ...fields]);
    try {
      const answer = await fetch(path, { method: "POST", body, headers: { "hx-request": "true" } });
      if (answer.ok && !answer.redirected) return true;
      const problem = await answer.json().catch(() => ({}));
      const text = problem.detail ?? "This was not saved. Reload the page and try again.";
      window.dragon?.toast({ text, tone: "problem" });
    } catch {
      const text = "Dragon did not answer. Is it still running?";
      window.dragon?.toast({ text, tone: "problem" });
    }
    return false;
  }

  // --- the filter bar: a choice applies itself, empty fields stay out of the address ---

  const bar = one(".filter-bar");
  bar?.addEventListener("change", (event) => {
    if (event.target.matches("select")) bar.requestSubmit();
  });
  bar?.addEventListener("submit", () => {
    for (const field of bar.elements) if (field.value === "") field.disabled = true;
  });

  // --- the filter of one column ---

  const dialog = one("#column-filter");
  const known = JSON.parse(one("#grid-data")?.textContent ?? "[]");
  const CONDITIONS = 2;

  function currentOf(key) {
    const params = new URLSearchParams(location.search);
    const conditions = [...params]
      .filter(([name]) => name.startsWith(`${key}.`) && name !== `${key}.join`)
      .map(([name, text]) => ({ operator: name.slice(key.length + 1), text }));
    return { conditions, isEither: params.get(`${key}.join`) === "or" };
  }

  function labelled(label, field) {
    return make("label", {}, make("span", { className: "small muted", textContent: label }), field);
  }

  function optionsOf(list, chosen) {
    return list.map(([value, textContent]) =>
      make("option", { value, textContent, selected: value === chosen }),
    );
  }

  const isBlank = (operator) => operator === "blank" || operator === "notBlank";

  /** Fields of one condition; they change with its operator. */
  function conditionFields(column, { operator, text } = {}) {
    const box = make("div", { className: "condition" });
    const offered = column.operators.filter(([each]) => each !== "in" && each !== "within");
    const select = make("select", { name: "operator" }, ...optionsOf(offered, operator));
    const type = { number: "number", date: "date" }[column.kind] ?? "text";
    const input = (name, value) => make("input", { name, type, value, step: "any", maxLength: 200 });
    const [from = "", to = ""] = operator === "inRange" ? (text ?? "").split("..") : [text ?? ""];
    const value = input("value", isBlank(operator) ? "" : from);
    const end = input("end", to);
    const unit = column.unit === "" ? "" : ` (${column.unit})`;
    const valueLabel = labelled(`Value${unit}`, value);
    const endLabel = labelled(`To${unit}`, end);
    const show = () => {
      valueLabel.hidden = isBlank(select.value);
      endLabel.hidden = select.value !== "inRange";
    };
    select.addEventListener("change", show);
    box.append(labelled("Condition", select), valueLabel, endLabel);
    show();
    return box;
  }

  function choiceFields(column, names, chosen) {
    const type = column.kind === "flag" ? "radio" : "checkbox";
    const box = make("div", { className: "choices" });
    for (const [value, text] of names) {
      const input = make("input", { type, name: "choice", value, checked: chosen.includes(value) });
      box.append(make("label", {}, input, text));
    }
    return box;
  }

  function fieldsOf(column) {
    const { conditions, isEither } = currentOf(column.key);
    const chosen = conditions.flatMap(({ text }) => text.split("|"));
    if (column.kind === "flag") {
      return [choiceFields(column, [["yes", "Yes"], ["no", "No"]], chosen)];
    }
    if (column.kind === "set") {
      return [choiceFields(column, column.vocabulary.map((word) => [word, word]), chosen)];
    }
    const join = make(
      "select",
      { name: "join" },
      ...optionsOf([["and", "and"], ["or", "or"]], isEither ? "or" : "and"),
    );
    return [
      conditionFields(column, conditions[0]),
      labelled("Both, or either of them", join),
      conditionFields(column, conditions[1]),
    ];
  }

  /** What the fields say, as parameters of the address. */
  function filterOf(column) {
    const fields = one("#column-filter-fields");
    if (column.kind === "set" || column.kind === "flag") {
      const chosen = all(":checked", fields).map(({ value }) => value);
      const operator = column.kind === "set" ? "in" : "is";
      return chosen.length === 0 ? [] : [[`${column.key}.${operator}`, chosen.join("|")]];
    }
    const made = all(".condition", fields).flatMap((box) => {
      const operator = one("[name=operator]", box).value;
      const text = one("[name=value]", box).value.trim();
      if (isBlank(operator)) return [[`${column.key}.${operator}`, "1"]];
      if (text === "") return [];
      const end = one("[name=end]", box).value.trim();
      return [[`${column.key}.${operator}`, operator === "inRange" ? `${text}..${end}` : text]];
    });
    const isEither = made.length === CONDITIONS && one("[name=join]", fields).value === "or";
    return isEither ? [...made, [`${column.key}.join`, "or"]] : made;
  }

  function goTo(column, filter) {
    const params = new URLSearchParams(location.search);
    for (const name of [...params.keys()]) {
      if (name.startsWith(`${column.key}.`) || name === "after" || name === "done") {
        params.delete(name);
      }
    }
    for (const [name, text] of filter) params.append(name, text);
    const query = params.toString();
    location.assign(query === "" ? location.pathname : `${location.pathname}?${query}`);
  }

  let asked = null;

  function openFilter(key) {
    asked = known.find((column) => column.key === key);
    if (!asked || !dialog) return;
    one("#column-filter-title").textContent = asked.label;
    const about = { date: "Days are UTC days." }[asked.kind] ?? "";
    one("#column-filter-about").textContent = about;
    one("#column-filter-fields").replaceChildren(...fieldsOf(asked));
    dialog.returnValue = "";
    dialog.showModal();
    one("#column-filter-fields :is(input, select)")?.focus();
  }

  dialog?.addEventListener("close", () => {
    if (dialog.returnValue === "apply") goTo(asked, filterOf(asked));
    else if (dialog.returnValue === "remove") goTo(asked, []);
  });

  // --- the choice of columns: dragging and arrows change the order ---

  const list = one(".column-list");
  let dragged = null;

  list?.addEventListener("click", ({ target }) => {
    const button = target.closest("[data-move]");
    const item = button?.closest("li");
    if (!item) return;
    if (button.dataset.move === "up") item.previousElementSibling?.before(item);
    else item.nextElementSibling?.after(item);
    button.focus();
  });
  list?.addEventListener("dragstart", ({ target }) => {
    dragged = target.closest("li");
    dragged?.classList.add("dragged");
  });
  list?.addEventListener("dragover", (event) => {
    const over = event.target.closest("li");
    if (!dragged || !over || over === dragged) return;
    event.preventDefault();
    const { top, height } = over.getBoundingClientRect();
    if (event.clientY < top + height / 2) over.before(dragged);
    else over.after(dragged);
  });
  list?.addEventListener("dragend", () => {
    dragged?.classList.remove("dragged");
    dragged = null;
  });

  if (!grid || !form) return;

  // --- widths: dragging the edge of a heading, or Alt and an arrow ---

  const STEP_PX = 8;
  const STEPS = { min: 7, max: 60 };
  const heads = () => all("th[data-key]", grid);

  function colOf(head) {
    return all("col", grid)[head.cellIndex];
  }

  function setWidth(head, px) {
    const steps = Math.min(STEPS.max, Math.max(STEPS.min, Math.round(px / STEP_PX)));
    head.dataset.width = String(steps);
    colOf(head).className = `w${steps}`;
  }

  let saving;
  function saveColumns() {
    clearTimeout(saving);
    saving = setTimeout(() => {
      const shown = heads().map(({ dataset }) => ["column", dataset.key]);
      const widths = heads()
        .filter(({ dataset }) => dataset.width)
        .map(({ dataset }) => ["width", `${dataset.key}:${dataset.width}`]);
      post("/runs/columns", [...shown, ...widths]);
    }, 400);
  }

  grid.addEventListener("pointerdown", (event) => {
    const grip = event.target.closest(".grip");
    if (!grip) return;
    const head = grip.closest("th");
    const begin = { x: event.clientX, width: head.getBoundingClientRect().width };
    grip.setPointerCapture(event.pointerId);
    grip.classList.add("moving");
    const move = ({ clientX }) => setWidth(head, begin.width + clientX - begin.x);
    grip.addEventListener("pointermove", move);
    const end = () => {
      grip.removeEventListener("pointermove", move);
      grip.classList.remove("moving");
      saveColumns();
    };
    grip.addEventListener("lostpointercapture", end, { once: true });
  });

  function resizeByKey(event) {
    const head = event.target.closest("th[data-key]");
    const way = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!head || !event.altKey || way === undefined) return false;
    setWidth(head, head.getBoundingClientRect().width + way * STEP_PX);
    saveColumns();
    return true;
  }

  // --- rows: j and k move, Enter opens, x marks, n writes a note ---

  const rows = () => all("tbody tr[data-id]", grid);
  const rowOf = (target) => target.closest?.("tr[data-id]");

  function step(by) {
    const list = rows();
    const at = list.indexOf(rowOf(document.activeElement));
    const next = list[at < 0 ? 0 : Math.min(list.length - 1, Math.max(0, at + by))];
    next?.focus({ preventScroll: true });
    next?.scrollIntoView({ block: "nearest", inline: "nearest" });
    if (at + by >= list.length) one(".more a", grid)?.click();
  }

  async function toggle(star) {
    const isSet = star.getAttribute("aria-pressed") !== "true";
    if (!(await post(star.getAttribute("formaction"), [["isShortlisted", isSet ? "yes" : "no"]]))) {
      return;
    }
    star.setAttribute("aria-pressed", String(isSet));
    star.value = isSet ? "no" : "yes";
    star.textContent = isSet ? "★" : "☆";
  }

  /** Turns a note into a field until it is left; Escape keeps the old one. */
  function editNote(button) {
    const id = rowOf(button).dataset.id;
    const before = button.textContent;
    const input = make("input", {
      type: "text",
      className: "small-target",
      value: before,
      maxLength: 2000,
    });
    input.setAttribute("aria-label", button.getAttribute("aria-label"));
    let isDone = false;
    const close = async (isKept) => {
      if (isDone) return;
      isDone = true;
      const note = input.value.trim();
      const isSaved = isKept && note !== before && (await post(`/runs/${id}/mark`, [["note", note]]));
      button.textContent = isSaved ? note : before;
      const hadFocus = input === document.activeElement;
      input.replaceWith(button);
      if (hadFocus) rowOf(button)?.focus();
    };
    input.addEventListener("blur", () => close(true));
    input.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== "Escape") return;
      event.preventDefault();
      close(event.key === "Enter");
    });
    button.replaceWith(input);
    input.focus();
  }

  const ROW_KEYS = {
    Enter: (row) => one("td.p a, td a", row)?.click(),
    x: (row) => toggleIn(row),
    n: (row) => {
      const note = one("[data-note]", row);
      if (note) editNote(note);
    },
  };

  function toggleIn(row) {
    const star = one(".star", row);
    if (star) toggle(star);
  }

  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || one("dialog[open]")) return;
    if (resizeByKey(event)) {
      event.preventDefault();
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest("input, select, textarea")) return;
    const row = rowOf(event.target);
    if (event.key === "j") step(1);
    else if (event.key === "k") step(-1);
    else if (row === event.target && ROW_KEYS[event.key]) ROW_KEYS[event.key](row);
    else return;
    event.preventDefault();
  });

  // --- clicks inside the table ---

  grid.addEventListener("click", (event) => {
    const menu = event.target.closest(".column-menu");
    if (menu) openFilter(menu.closest("th").dataset.key);
    const star = event.target.closest(".star");
    const note = event.target.closest("[data-note]");
    if (star) toggle(star);
    else if (note) editNote(note);
    else return;
    event.preventDefault();
  });

  one("[data-all]", grid)?.addEventListener("change", ({ target }) => {
    for (const box of all("tbody [name=id]", grid)) box.checked = target.checked;
  });
})();
