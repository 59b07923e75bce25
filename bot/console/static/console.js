// What script adds to the console's pages.  Every form works without it.

document.documentElement.classList.add("scripted");

const all = (selector, root = document) => [...root.querySelectorAll(selector)];
const LIVE_EVERY_MS = 3000;

// Regions that show the present: the page is fetched again and only what changed is swapped in. ------------------------

const shown = new Map(); // region → its last HTML as the server wrote it

function startLive() {
  const regions = all("[data-live]");
  if (!regions.length) return;
  regions.forEach((region) => shown.set(region.dataset.live, region.innerHTML));
  let failures = 0;
  const every = Number(document.querySelector("[data-every]")?.dataset.every ?? LIVE_EVERY_MS);
  const again = () => setTimeout(look, Math.min(60_000, every * 2 ** failures));
  async function look() {
    if (document.hidden) return again();
    try {
      const response = await fetch(document.body.dataset.here, { headers: { "X-Live": "1" } });
      if (response.status === 401) return location.reload(); // signed out meanwhile: to the sign-in page
      if (!response.ok) throw new Error(response.status);
      const fresh = new DOMParser().parseFromString(await response.text(), "text/html");
      all("[data-live]").forEach((region) => swap(region, fresh));
      all(".nav, .dock > a").forEach((old) => refreshCount(old, fresh));
      failures = 0;
    } catch {
      failures += 1;
    }
    again();
  }
  again();
}

function swap(region, fresh) {
  const name = region.dataset.live;
  const next = fresh.querySelector(`[data-live="${name}"]`);
  if (next && "steady" in region.dataset) return steady(region, next);
  if (!next || next.innerHTML === shown.get(name)) return;
  if (region.querySelector("details[open]:not([name])")) return; // somebody reads in it
  shown.set(name, next.innerHTML);
  const focused = region.contains(document.activeElement) ? document.activeElement : null;
  const place = focused && (focused.id ? `#${CSS.escape(focused.id)}` : focused.getAttribute("href") && `a[href="${CSS.escape(focused.getAttribute("href"))}"]`);
  const atEnd = region.scrollHeight - region.scrollTop - region.clientHeight < 80;
  region.replaceChildren(...next.childNodes);
  region.hidden = next.hidden;
  if (place) region.querySelector(place)?.focus({ preventScroll: true });
  if ("follow" in region.dataset && atEnd) toEnd(region);
}

/** Change what differs and leave the rest: a button under somebody's finger, an open dialog, a half-typed number. */
function steady(old, next) {
  for (const { name } of [...old.attributes]) if (!next.hasAttribute(name) && name !== "data-sent") old.removeAttribute(name);
  for (const { name, value } of next.attributes) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  if (old.childNodes.length !== next.childNodes.length) return old.replaceChildren(...next.childNodes);
  [...next.childNodes].forEach((child, at) => {
    const was = old.childNodes[at];
    if (was.nodeName !== child.nodeName) was.replaceWith(child);
    else if (child.nodeType === Node.ELEMENT_NODE) steady(was, child);
    else if (was.data !== child.data) was.data = child.data;
  });
}

function refreshCount(old, fresh) {
  const selector = old.matches(".nav") ? ".nav" : `.dock > a[href="${CSS.escape(old.getAttribute("href"))}"]`;
  const next = fresh.querySelector(selector);
  if (next && next.innerHTML !== old.innerHTML && !old.contains(document.activeElement)) old.replaceChildren(...next.childNodes);
}

const toEnd = (region) => { region.scrollTop = region.scrollHeight; };

// Rows that can be added: the server sends spare ones, here they wait until they are asked for. ------------------------

function startRows(list) {
  const rows = () => all(":scope > [data-row]", list);
  const isEmpty = (row) => all("input, textarea", row).every((field) => !field.value.trim());
  const most = Number(list.dataset.max ?? 100);
  const spare = rows().filter((row, at) => at > 0 && isEmpty(row) && !row.querySelector("[aria-invalid], .error"));
  const pattern = rows().at(-1).cloneNode(true);
  spare.forEach((row) => row.remove());
  let next = rows().length;

  const add = document.createElement("button");
  add.type = "button";
  add.className = "btn small";
  add.textContent = `+ ${list.dataset.rows}`;
  const foot = document.createElement("div");
  foot.append(add);
  list.append(foot);
  const settle = () => { foot.hidden = rows().length >= most; };
  add.addEventListener("click", () => {
    const row = pattern.cloneNode(true);
    const at = next++;
    renumber(row, at);
    all("input, textarea", row).forEach((field) => { if (field.type !== "hidden") field.value = ""; field.removeAttribute("aria-invalid"); });
    all(".error", row).forEach((error) => error.remove());
    list.insertBefore(row, foot);
    wake(row);
    settle();
    (row.querySelector(".pick select") ?? row.querySelector("input, textarea")).focus();
  });
  settle();
}

function renumber(row, at) {
  // The last row's number is the last number of the path that all of its names share.
  const names = all("[name]", row).map((field) => field.name);
  const path = names[0].split(".").slice(0, -1);
  const place = path.length - 1;
  const change = (text, mark) => {
    const from = path.join(mark), to = [...path.slice(0, place), at].join(mark);
    return text.replace(from, to);
  };
  all("[name]", row).forEach((field) => { field.name = change(field.name, "."); });
  for (const attribute of ["id", "for", "aria-describedby"]) {
    for (const element of [row, ...all(`[${attribute}]`, row)]) {
      const value = element.getAttribute(attribute);
      if (value) element.setAttribute(attribute, change(value, "-"));
    }
  }
}

function startRemove(holder) {
  const row = holder.closest("[data-row]");
  holder.hidden = row.parentElement.querySelector("[data-row]") === row;
  holder.querySelector("button").addEventListener("click", () => {
    const button = row.parentElement.querySelector(":scope > div > .btn");
    row.remove();
    if (button) { button.parentElement.hidden = false; button.focus(); }
  });
}

// Bytes as WeChat counts them. ----------------------------------------------------------------------------------------

function startBytes(field) {
  const most = Number(field.dataset.bytes);
  const counter = document.createElement("span");
  counter.className = "counter";
  counter.setAttribute("aria-live", "off");
  const composer = field.closest(".composer");
  if (composer) composer.querySelector(".composer-foot").prepend(counter);
  else field.after(counter);
  const count = () => {
    const size = new TextEncoder().encode(field.value.trim()).length;
    counter.textContent = `${size} / ${most} B`;
    counter.classList.toggle("over", size > most);
    counter.hidden = composer !== null && size < most / 2;
  };
  field.addEventListener("input", count);
  count();
}

// The phone beside a rule's form shows what its replies will look like. ----------------------------------------------------

function startTalk(talk) {
  const form = document.querySelector(".editor form");
  const make = (tag, text, className = "") => Object.assign(document.createElement(tag), { textContent: text, className });
  const draw = () => {
    const shown = all('[name^="replies."][name$=".kind"]', form).flatMap((select) => {
      const base = select.name.slice(0, -"kind".length);
      const value = (name) => form.elements.namedItem(base + name)?.value.trim() ?? "";
      const kind = select.value, label = select.selectedOptions[0].textContent;
      if (kind === "silence") return [make("span", label, "event")];
      if (kind === "text") return value("text") ? [make("div", value("text"), "bubble")] : [];
      const bubble = make("div", "", "bubble card-bubble");
      bubble.dataset.kind = kind;
      bubble.append(make("small", label));
      const lines = (title, ...rest) => {
        if (title) bubble.append(make("strong", title));
        rest.filter(Boolean).forEach((line) => bubble.append(make("span", line)));
      };
      if (kind === "news") {
        for (let at = 0; at < 8; at++) lines(value(`articles.${at}.title`), value(`articles.${at}.description`));
      } else {
        const fields = { image: ["media_id"], voice: ["media_id"], video: ["title", "description", "media_id"], music: ["title", "description", "url"], transfer_customer_service: ["kf_account"] }[kind] ?? [];
        const isTitled = fields[0] === "title";
        lines(isTitled ? value("title") : "", ...fields.slice(isTitled ? 1 : 0).map(value));
      }
      return [bubble];
    });
    talk.replaceChildren(...(shown.length ? shown : [make("span", talk.dataset.talk, "event")]));
  };
  form.addEventListener("input", draw);
  form.addEventListener("click", () => setTimeout(draw)); // rows come and go by buttons
  draw();
}

// Order by dragging; the arrow buttons do the same for keys. --------------------------------------------------------------

function startSort(table) {
  const body = table.tBodies[0];
  let dragged = null;
  const clear = () => all(".drop-before, .drop-after", body).forEach((row) => row.classList.remove("drop-before", "drop-after"));
  body.addEventListener("dragstart", (event) => {
    dragged = event.target.closest("tr");
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setDragImage(dragged, 20, 20);
    dragged.classList.add("dragging");
  });
  body.addEventListener("dragover", (event) => {
    const over = event.target.closest("tr[data-move]");
    if (!dragged || !over) return;
    event.preventDefault();
    clear();
    over.classList.add(isAbove(event, over) ? "drop-before" : "drop-after");
  });
  body.addEventListener("drop", (event) => {
    const over = event.target.closest("tr[data-move]");
    if (!dragged || !over || over === dragged) return;
    event.preventDefault();
    const others = all(":scope > tr[data-move]", body).filter((row) => row !== dragged);
    const place = Number(table.dataset.sortable) + others.indexOf(over) + (isAbove(event, over) ? 1 : 2);
    const form = document.createElement("form");
    form.method = "post";
    form.action = dragged.dataset.move;
    form.append(hidden("csrf_token", table.querySelector('[name="csrf_token"]').value), hidden("position", place));
    document.body.append(form);
    form.submit();
  });
  body.addEventListener("dragend", () => { dragged?.classList.remove("dragging"); dragged = null; clear(); });
}

const isAbove = (event, row) => event.clientY < row.getBoundingClientRect().top + row.offsetHeight / 2;
const hidden = (name, value) => Object.assign(document.createElement("input"), { type: "hidden", name, value });

// Small comforts. -----------------------------------------------------------------------------------------------------------

function startCopy(button) {
  if (!navigator.clipboard) return; // plain http on another machine
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(button.dataset.copy);
    button.classList.add("primary");
    setTimeout(() => button.classList.remove("primary"), 1200);
  });
}

function startSend(field) {
  field.addEventListener("keydown", (event) => {
    const composing = event.isComposing || event.keyCode === 229; // a Chinese input method takes Enter for itself
    if (event.key !== "Enter" || event.shiftKey || composing) return;
    event.preventDefault();
    if (field.value.trim()) field.form.requestSubmit();
  });
  const draft = `draft:${location.pathname}`;
  if (!field.value) field.value = sessionStorage.getItem(draft) ?? "";
  field.addEventListener("input", () => sessionStorage.setItem(draft, field.value));
  field.form.addEventListener("submit", () => sessionStorage.removeItem(draft));
}

function startMenu(menu) {
  document.addEventListener("click", (event) => { if (!menu.contains(event.target)) menu.open = false; });
  menu.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !menu.open) return;
    menu.open = false;
    menu.querySelector("summary").focus();
  });
}

/** One press, one change: a second press on a slow line does nothing. */
function startOnce(form) {
  form.addEventListener("submit", (event) => {
    if (event.defaultPrevented) return; // a script of the page's own answers it
    if (form.dataset.sent) return event.preventDefault();
    form.dataset.sent = "1";
    setTimeout(() => delete form.dataset.sent, 4000);
  });
}

/** One box for all rows of the page. */
function startPickAll(box) {
  const rows = () => all('input[name="ids"]', box.form);
  const settle = () => {
    const chosen = rows().filter((row) => row.checked).length;
    box.checked = chosen > 0;
    box.indeterminate = chosen > 0 && chosen < rows().length;
  };
  box.hidden = false;
  box.addEventListener("change", () => rows().forEach((row) => { row.checked = box.checked; }));
  box.form.addEventListener("change", settle);
  settle();
}

function wake(root) {
  all("[data-bytes]", root).forEach(startBytes);
  all("[data-remove]", root).forEach(startRemove);
}

all("[data-rows]").forEach(startRows);
wake(document);
all("[data-talk]").forEach(startTalk);
all("[data-sortable]").forEach(startSort);
all("[data-copy]").forEach(startCopy);
all("[data-pick-all]").forEach(startPickAll);
all("[data-send-on]").forEach(startSend);
all("[data-menu]").forEach(startMenu);
all('form[method="post"]').forEach(startOnce);
all("[data-follow]").forEach(toEnd);
all("[data-scriptless]").forEach((element) => { element.hidden = true; });
document.querySelector("[data-focus]")?.focus();
window.addEventListener("pageshow", (event) => { if (event.persisted) all("form[data-sent]").forEach((form) => delete form.dataset.sent); });
document.addEventListener("swapped", ({ target }) => {
  wake(target);
  all("[data-menu]", target).forEach(startMenu);
  all("[data-follow]", target).forEach(toEnd);
  all("[data-scriptless]", target).forEach((element) => { element.hidden = true; });
});
startLive();
