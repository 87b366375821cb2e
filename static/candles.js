// Sends a file from the candles page: chosen or dropped anywhere on the page, with progress while it
// travels. Everything else on the page works by htmx; without this script only sending is missing.
(() => {
  const form = document.getElementById("import-form");
  if (!form) return;

  const STOPPED_MS = 300;
  const card = form.closest("details");
  const drop = form.querySelector(".drop");
  const input = form.querySelector("#file");
  const fileName = form.querySelector("#file-name");
  const submit = form.querySelector("button[type=submit]");
  const stop = document.getElementById("import-stop");
  const progress = document.getElementById("import-progress");
  const result = document.getElementById("import-result");
  const invitation = fileName.textContent;
  let sending = null;
  let wanted = "";

  const tell = (name) => document.body.dispatchEvent(new CustomEvent(name, { bubbles: true }));

  function sizeText(bytes) {
    return bytes < 1e6 ? `${Math.ceil(bytes / 1e3)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
  }

  function refuse(sentence) {
    const notice = document.createElement("div");
    const text = document.createElement("p");
    notice.className = "notice";
    notice.setAttribute("role", "alert");
    text.textContent = sentence;
    notice.append(text);
    result.replaceChildren(notice);
  }

  // --- choosing: the button and the drop fill the same field ---

  function showFile() {
    const file = input.files[0];
    fileName.textContent = file ? `${file.name}, ${sizeText(file.size)}` : invitation;
    drop.classList.toggle("chosen", file !== undefined);
  }

  input.addEventListener("change", showFile);

  const carriesFile = (event) => event.dataTransfer?.types.includes("Files");

  document.addEventListener("dragover", (event) => {
    if (!carriesFile(event)) return;
    event.preventDefault();
    card.open = true;
    drop.classList.add("over");
  });

  document.addEventListener("dragleave", (event) => {
    if (event.relatedTarget === null) drop.classList.remove("over");
  });

  document.addEventListener("drop", (event) => {
    if (!carriesFile(event)) return;
    event.preventDefault();
    drop.classList.remove("over");
    card.open = true;
    if (sending) return;
    if (event.dataTransfer.files.length !== 1) {
      refuse("Drop one file at a time.");
      return;
    }
    input.files = event.dataTransfer.files;
    showFile();
    form.querySelector("#fileSymbol").focus();
  });

  // --- sending: the file is the whole body, the fields are in the address ---

  function addressOf(file) {
    const query = new URLSearchParams({ file: file.name });
    for (const name of ["symbol", "exchange", "market", "timeframe"]) {
      query.set(name, form.elements.namedItem(name).value);
    }
    return `${form.getAttribute("action")}?${query}`;
  }

  function busy(request) {
    sending = request;
    submit.disabled = request !== null;
    stop.hidden = request === null;
    progress.hidden = request === null;
  }

  function show(share, text) {
    const bar = progress.querySelector("progress");
    if (share === null) bar.removeAttribute("value");
    else bar.value = share;
    progress.querySelector("p").textContent = text;
  }

  function answered(request) {
    busy(null);
    if (new URL(request.responseURL).pathname === "/login") {
      location.assign("/login?next=%2Fcandles");
      return;
    }
    const type = request.getResponseHeader("content-type") ?? "";
    const answer = type.includes("json") ? JSON.parse(request.responseText) : {};
    if (answer.job === undefined) {
      refuse(answer.detail ?? "Dragon could not take the file. Its console says why.");
      return;
    }
    wanted = `job-${answer.job}`;
    tell("jobs-changed");
    if (request.status !== 200) return;
    input.value = "";
    showFile();
    tell("series-changed");
  }

  // What became of the file stands among the jobs, which are drawn anew after each answer.
  document.addEventListener("htmx:after:swap", () => {
    const job = wanted && document.getElementById(wanted);
    if (!job) return;
    wanted = "";
    job.focus({ preventScroll: true });
    job.scrollIntoView({ block: "nearest" });
  });

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const file = input.files[0];
    if (sending || !file) return;
    const bytesMax = Number(form.dataset.bytesMax);
    if (file.size > bytesMax) {
      refuse(
        `${file.name} has ${sizeText(file.size)}; ${form.dataset.sizeMax} is the most allowed.`,
      );
      return;
    }
    result.replaceChildren();
    const request = new XMLHttpRequest();
    request.open("POST", addressOf(file));
    request.setRequestHeader("x-csrf-token", form.dataset.csrf);
    request.setRequestHeader("content-type", "application/octet-stream");
    request.upload.addEventListener("progress", ({ loaded }) => {
      show(loaded / file.size, `${sizeText(loaded)} of ${sizeText(file.size)} sent`);
    });
    request.upload.addEventListener("load", () => {
      stop.hidden = true;
      show(null, "All sent; the file is being checked and stored.");
    });
    request.addEventListener("load", () => answered(request));
    request.addEventListener("error", () => {
      busy(null);
      refuse("The file could not be sent: Dragon did not answer, or the file changed meanwhile.");
    });
    request.addEventListener("abort", () => {
      busy(null);
      // Only Dragon knows whether the last byte had already come.
      refuse("Sending was stopped. The list below says what became of the file.");
      setTimeout(tell, STOPPED_MS, "jobs-changed");
    });
    busy(request);
    show(0, "Sending begins.");
    request.send(file);
  });

  stop.addEventListener("click", () => sending?.abort());
})();
