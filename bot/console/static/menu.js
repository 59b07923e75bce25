// The phone as the menu's designer: choose, add, move and remove buttons on it.  Without script the form does all of it.

const form = document.querySelector(".designer");
const phone = document.querySelector("[data-designer]");
const words = document.querySelector("#designer-words")?.dataset;
const TOP = 3, BELOW = 5, WIDE = 2;

const field = (path, name) => form.elements.namedItem(`${path}.${name}`);
const text = (path, name) => field(path, name)?.value.trim() ?? "";
const subsOf = (top) => Array.from({ length: BELOW }, (_, at) => `${top}.sub_button.${at}`);
const tops = Array.from({ length: TOP }, (_, at) => `buttons.${at}`);
const isFilled = (path) => Boolean(text(path, "name") || text(path, "value") || text(path, "reply")) || (!path.includes("sub") && subsOf(path).some(isFilled));
const parentOf = (path) => path.split(".").slice(0, 2).join(".");
const siblings = (path) => (path.includes("sub") ? subsOf(parentOf(path)) : tops);
const write = new Intl.Segmenter(document.documentElement.lang, { granularity: "grapheme" });

let chosen = tops[0];

/** As the phone cuts it: so many Chinese characters; two Latin letters take one's room. */
function onPhone(name, most) {
  let room = most * WIDE, shown = "";
  for (const { segment } of write.segment(name)) {
    room -= segment.codePointAt(0) < 256 ? 1 : WIDE;
    if (room < 0) return `${shown}…`;
    shown += segment;
  }
  return shown;
}

function slot(path, most) {
  const button = document.createElement("button");
  Object.assign(button, { type: "button", className: "slot", draggable: true });
  button.dataset.at = path;
  button.setAttribute("aria-pressed", String(path === chosen));
  const mark = !path.includes("sub") && subsOf(path).some(isFilled) ? "≡ " : "";
  button.textContent = mark + (onPhone(text(path, "name"), most) || words.empty);
  return button;
}

function plus(path, label) {
  const button = document.createElement("button");
  Object.assign(button, { type: "button", className: "slot plus", textContent: "+" });
  button.dataset.at = path;
  button.setAttribute("aria-label", label);
  return button;
}

function item(...content) {
  const li = document.createElement("li");
  li.append(...content);
  return li;
}

function draw(focus = false) {
  const shown = tops.filter((path) => isFilled(path) || path === parentOf(chosen));
  phone.replaceChildren(...shown.map((path) => {
    const li = item(slot(path, 4));
    if (path !== parentOf(chosen)) return li;
    const list = document.createElement("ul");
    const below = subsOf(path).filter((sub) => isFilled(sub) || sub === chosen);
    list.append(...below.map((sub) => item(slot(sub, 8))));
    const free = subsOf(path).find((sub) => !below.includes(sub));
    if (free) list.append(item(plus(free, words.below)));
    li.append(list);
    return li;
  }));
  const free = tops.find((path) => !shown.includes(path));
  if (free) phone.append(item(plus(free, words.add)));
  for (const entry of form.querySelectorAll("[data-entry]")) entry.classList.toggle("chosen", entry.dataset.entry === chosen);
  for (const box of form.querySelectorAll("details.disclose")) if (box.querySelector(".chosen")) box.open = true;
  if (focus) phone.querySelector(`[data-at="${chosen}"]`)?.focus();
}

function choose(path) {
  chosen = path;
  draw(true);
}

/** Exchange all that stands in two places, with what is below them. */
function swap(one, other) {
  for (const here of form.querySelectorAll(`[name^="${one}."]`)) {
    const there = form.elements.namedItem(other + here.name.slice(one.length));
    if (there) [here.value, there.value] = [there.value, here.value];
    else if (here.value) here.value = "";
  }
  for (const input of form.querySelectorAll("[data-bytes]")) input.dispatchEvent(new Event("input"));
}

function move(path, by) {
  const among = siblings(path), at = among.indexOf(path), to = among[at + by];
  if (!to || !(isFilled(to) || by < 0)) return draw(true);
  swap(path, to);
  choose(to);
}

function empty(path) {
  for (const input of form.querySelectorAll(`[name^="${path}."]`)) input.value = input.tagName === "SELECT" ? "click" : "";
  const among = siblings(path);
  for (let at = among.indexOf(path); at < among.length - 1 && isFilled(among[at + 1]); at += 1) swap(among[at], among[at + 1]);
  const left = among.filter(isFilled);
  choose(isFilled(path) ? path : left.at(-1) ?? parentOf(path));
}

function listen() {
  phone.addEventListener("click", (event) => { const at = event.target.closest("[data-at]")?.dataset.at; if (at) { choose(at); if (event.target.matches(".plus")) field(at, "name").focus(); } });
  phone.addEventListener("keydown", (event) => {
    const at = event.target.dataset?.at;
    const by = { ArrowUp: -1, ArrowLeft: -1, ArrowDown: 1, ArrowRight: 1 }[event.key];
    if (!at || !by || event.target.matches(".plus")) return;
    event.preventDefault();
    if (event.altKey) return move(at, by);
    const all = [...phone.querySelectorAll(".slot")];
    all[all.indexOf(event.target) + by]?.focus();
  });
  let dragged = "";
  phone.addEventListener("dragstart", (event) => { dragged = event.target.closest("[data-at]").dataset.at; event.dataTransfer.effectAllowed = "move"; event.dataTransfer.setData("text/plain", dragged); });
  phone.addEventListener("dragover", (event) => {
    const over = event.target.closest("[data-at]");
    if (over && siblings(dragged).includes(over.dataset.at)) { event.preventDefault(); over.classList.add("drop"); }
  });
  phone.addEventListener("dragleave", (event) => event.target.closest(".drop")?.classList.remove("drop"));
  phone.addEventListener("drop", (event) => {
    const over = event.target.closest("[data-at]");
    if (!over) return;
    event.preventDefault();
    const among = siblings(dragged), to = among.indexOf(over.dataset.at);
    let at = among.indexOf(dragged);
    if (to < 0 || !isFilled(among[to])) return;
    for (; at !== to; at += Math.sign(to - at)) swap(among[at], among[at + Math.sign(to - at)]);
    choose(among[to]);
  });
  form.addEventListener("click", (event) => {
    const button = event.target.closest("[data-move], [data-empty]");
    if (!button) return;
    event.preventDefault();
    const path = button.closest("[data-entry]").dataset.entry;
    if ("empty" in button.dataset) empty(path);
    else move(path, Number(button.dataset.move));
  });
  form.addEventListener("input", (event) => { if (event.target.name?.startsWith("buttons.")) { draw(); tell(event.target); } });
  window.addEventListener("hashchange", followHash);
}

/** Below the byte counter: what of the name a phone shows. */
function tell(input) {
  const most = Number(input.dataset.shown);
  if (!most) return;
  const shown = onPhone(input.value.trim(), most);
  let line = input.parentElement.querySelector(".phone-name");
  if (!line) input.parentElement.append(line = Object.assign(document.createElement("span"), { className: "phone-name" }));
  line.textContent = shown === input.value.trim() ? "" : ` ${words.shown}: ${shown}`;
}

/** The taps come in a request of their own: among millions of messages counting takes a while. */
async function count(region) {
  try {
    const response = await fetch(region.dataset.later, { headers: { "X-Live": "1" } });
    if (!response.ok) return; // the link there leads to them
    const fresh = new DOMParser().parseFromString(await response.text(), "text/html").getElementById("taps");
    region.replaceChildren(region.querySelector("h2"), ...[...fresh.children].slice(1));
    for (const entry of form.querySelectorAll("[data-entry]")) {
      const path = entry.dataset.entry, line = entry.querySelector(".taps");
      const row = [...region.querySelectorAll("[data-taps]")].find(({ dataset }) => dataset.type === text(path, "type") && dataset.value === text(path, "value"));
      line.hidden = !row || (!path.includes("sub") && subsOf(path).some(isFilled));
      if (row) line.querySelector("span").textContent = row.dataset.taps;
    }
  } catch { /* the link there leads to them */ }
}

/** What is wrong, or was warned of, is shown whichever button it is about. */
function followHash() {
  const target = location.hash.length > 1 && document.getElementById(location.hash.slice(1));
  const entry = target && (target.closest("[data-entry]") ?? target.querySelector("[data-entry]"));
  if (!entry || !form.contains(entry)) return;
  chosen = entry.dataset.entry;
  draw();
  target.focus();
}

if (form && phone) {
  form.classList.add("on");
  for (const button of form.querySelectorAll("[data-empty]")) button.hidden = false;
  const wrong = form.querySelector("[data-entry] [aria-invalid]")?.closest("[data-entry]");
  chosen = wrong?.dataset.entry ?? tops.find(isFilled) ?? tops[0];
  phone.closest(".phone").after(Object.assign(document.createElement("p"), { className: "muted small", textContent: words.choose }));
  for (const input of form.querySelectorAll("[data-shown]")) tell(input);
  listen();
  draw();
  followHash();
  const taps = document.querySelector("[data-later]");
  if (taps) count(taps);
}
