// The composer: one intention is one message, a draft within a second, canned replies, and "I am here".

import { all, fill, inbox, openId, send, swap, tab, words } from "./inbox.js";

const field = () => document.querySelector("#composer textarea");
const isComposing = (event) => event.isComposing || event.keyCode === 229; // an input method takes the key for itself
const form = () => document.getElementById("composer");

// One press of "Send", one message: the same key goes with every try until it is known to have worked. --------------------

function intend() {
  if (!form()) return;
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  form().elements.intent.value = [...bytes].map((each) => each.toString(16).padStart(2, "0")).join("");
}

document.addEventListener("submit", async (event) => {
  if (event.target !== form()) return;
  event.preventDefault();
  clearTimeout(draftAt);
  const talk = openId(), done = await send(form(), event.submitter);
  if (talk !== openId()) return;
  if (!done?.answer.ok) keep(); // nothing came of it: what is written is a draft again
  if (!done) return;
  swap(done.fresh, "refusal");
  if (!done.answer.ok) {
    const turns = document.querySelector('[data-part="turns"]');
    turns.scrollTop = turns.scrollHeight; // what was overlooked stands at the end, and the sentence took its room
    field().setAttribute("aria-invalid", "true");
    return field().focus();
  }
  field().removeAttribute("aria-invalid");
  if (form().elements.file.files.length) { // it went by itself: what is written stays
    form().elements.file.value = "";
    tellFile();
    return intend();
  }
  field().value = "";
  field().dispatchEvent(new Event("input", { bubbles: true }));
  clearTimeout(draftAt); // the server forgot it with the message
  intend();
}, true);

document.addEventListener("keydown", (event) => {
  if (event.target !== field() || isComposing(event)) return;
  if (!list().hidden) return choose(event);
  if (event.key === "Escape") return field().blur();
  if (event.key !== "Enter" || event.shiftKey) return;
  event.preventDefault();
  if (field().value.trim() || form().elements.file.files.length) form().requestSubmit();
});

// A file: chosen, or pasted as a screenshot is. ------------------------------------------------------------------------------------

function tellFile() {
  const file = form().elements.file.files[0], name = form().querySelector("[data-file]");
  name.textContent = file?.name ?? name.dataset.file;
  name.classList.toggle("chosen", !!file);
  form().querySelector("[data-drop-file]").hidden = !file;
}

document.addEventListener("change", ({ target }) => { if (target === form()?.elements.file) tellFile(); });
document.addEventListener("paste", (event) => {
  if (event.target !== field() || !event.clipboardData.files.length) return;
  event.preventDefault();
  form().elements.file.files = event.clipboardData.files;
  tellFile();
});
document.addEventListener("click", ({ target }) => {
  if (!target.closest("[data-drop-file]")) return;
  form().elements.file.value = "";
  tellFile();
  field().focus();
});

// Drafts. ----------------------------------------------------------------------------------------------------------------------

let draftAt = 0;
async function keep() {
  const told = document.querySelector("[data-saved]"), text = field()?.value;
  if (text === undefined) return;
  const body = new FormData();
  body.append("csrf_token", inbox.dataset.token);
  body.append("text", text);
  try {
    const answer = await fetch(form().dataset.draftAt, { method: "POST", body, keepalive: true });
    if (!answer.ok) throw new Error(answer.status);
    told.textContent = text ? words.saved : "";
  } catch {
    told.textContent = words.unsaved;
    draftAt = setTimeout(keep, 2000);
  }
}

document.addEventListener("input", (event) => {
  if (event.target !== field()) return;
  clearTimeout(draftAt);
  draftAt = setTimeout(keep, 500);
  wroteAt = Date.now();
  if (!writes) beat();
  if (!isComposing(event)) offer();
});

// The text that an input method leaves behind comes before it says that it has ended.
document.addEventListener("compositionend", (event) => { if (event.target === field()) offer(); });

// Canned replies: "/", ";" or the Chinese "；" and the beginning of a name. ------------------------------------------------

const list = () => document.getElementById("canned");

function offer() {
  const typed = field().value.match(/^[/;；](\S*)$/);
  const hint = document.querySelector("[data-hint]");
  hint.hidden = true;
  const found = typed ? JSON.parse(form().dataset.canned).filter((each) => each.name.toLowerCase().includes(typed[1].toLowerCase())).slice(0, 8) : [];
  list().replaceChildren(...found.map((each, at) => {
    const option = Object.assign(document.createElement("div"), { id: `canned-${at}`, className: "canned-one" });
    option.setAttribute("role", "option");
    option.append(Object.assign(document.createElement("strong"), { textContent: each.name }), ` ${each.text}`);
    option.addEventListener("mousedown", (event) => { event.preventDefault(); put(each); });
    option.reply = each;
    return option;
  }));
  list().hidden = !found.length;
  mark(0);
}

function mark(at) {
  const options = all("[role=option]", list());
  options.forEach((each, place) => each.setAttribute("aria-selected", String(place === at)));
  if (list().hidden) field().removeAttribute("aria-activedescendant");
  else field().setAttribute("aria-activedescendant", `canned-${at}`);
}

function choose(event) {
  const options = all("[role=option]", list()), at = options.findIndex((each) => each.ariaSelected === "true");
  if (event.key === "ArrowDown" || event.key === "ArrowUp") mark((at + (event.key === "ArrowDown" ? 1 : -1) + options.length) % options.length);
  else if (event.key === "Enter" || event.key === "Tab") put(options[at].reply);
  else if (event.key === "Escape") { list().hidden = true; mark(0); }
  else return;
  event.preventDefault();
}

function put(reply) {
  field().value = reply.text;
  field().dispatchEvent(new Event("input", { bubbles: true }));
  list().hidden = true;
  mark(0);
  const hint = document.querySelector("[data-hint]");
  hint.hidden = !reply.empty;
  hint.textContent = fill(words.empty, { names: reply.empty });
}

// "I am here": every five seconds while the page is in sight. ---------------------------------------------------------------

let wroteAt = 0, writes = false;
function beat(gone = false) {
  if (document.hidden && !gone) return;
  writes = Date.now() - wroteAt < 6000;
  const body = new FormData();
  body.append("csrf_token", inbox.dataset.token);
  body.append("page", tab);
  body.append("conversation", gone ? 0 : openId());
  body.append("writes", writes ? "1" : "");
  navigator.sendBeacon(inbox.dataset.hereAt, body);
}

setInterval(beat, 5000);
document.addEventListener("visibilitychange", () => beat(document.hidden));
window.addEventListener("pagehide", () => { if (draftAt) keep(); beat(true); });
document.addEventListener("swapped", ({ target }) => { if (target.querySelector?.("#composer")) intend(); });
beat();
intend();
