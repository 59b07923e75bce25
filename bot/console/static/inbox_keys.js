// Keys: every action of the inbox.  None works while one types, composes, or holds Ctrl, Alt or AltGr.

import { all, inbox, words } from "./inbox.js";

const dialog = document.getElementById("keys");
const buttons = all("[data-key]", dialog);
const chosen = JSON.parse(localStorage.inboxKeys ?? "{}");
const keyOf = (button) => chosen[button.dataset.key] ?? button.dataset.default;
let asked = null; // the button whose key is being changed

const rows = () => all(".talk > a.person");
const click = (selector) => document.querySelector(selector)?.click();

function move(by) {
  const links = rows(), at = links.indexOf(document.activeElement);
  const from = at >= 0 ? at : links.findIndex((each) => each.ariaCurrent === "true");
  const next = links[Math.min(links.length - 1, Math.max(0, from + by))];
  next?.focus();
  next?.scrollIntoView({ block: "nearest" });
}

function open(name) {
  const isBulk = all('input[name="ids"]:checked').length > 0;
  const root = document.querySelector(isBulk ? "#bulk" : ".thread-acts") ?? document;
  const menu = root.querySelector(`[data-key-open="${name}"]`);
  if (!menu) return;
  menu.open = true;
  menu.querySelector("button, input, a")?.focus();
}

const actions = {
  next: () => move(1),
  previous: () => move(-1),
  open: () => { if (document.activeElement.matches("a.person")) document.activeElement.click(); },
  reply: () => document.getElementById("f-text")?.focus(),
  note: () => document.getElementById("f-note")?.focus(),
  take: () => click('[data-act="take"]'),
  assign: () => open("assign"),
  snooze: () => open("snooze"),
  label: () => open("label"),
  close: () => click(all('input[name="ids"]:checked').length ? '#bulk button[value="close"]' : '[data-act="close"]'),
  choose: () => document.activeElement.closest(".talk")?.querySelector('input[name="ids"]')?.click(),
  undo: () => click("[data-undo] button"),
  help: () => { dialog.showModal(); },
};

// AltGr, which Windows tells as Ctrl and Alt, writes letters on many keyboards.
const isHeld = (event) => event.ctrlKey || event.altKey || event.metaKey || event.getModifierState("AltGraph");
const isTyping = (target) => target.closest?.("textarea, select, [contenteditable], input:not([type=checkbox])");

document.addEventListener("keydown", (event) => {
  if (event.isComposing || event.keyCode === 229 || ["Dead", "Process", "Unidentified"].includes(event.key)) return;
  if (asked) return change(event);
  if (isHeld(event)) return;
  if (event.defaultPrevented || isTyping(event.target) || document.querySelector("dialog[open], .dialog:popover-open")) return;
  if (event.target.closest("details[open]")) return menu(event);
  const button = buttons.find((each) => keyOf(each) === event.key);
  if (!button || (event.key === "Enter" && event.target.closest("a, button, summary, input"))) return;
  event.preventDefault();
  actions[button.dataset.key]();
});

/** In an open list the arrows go up and down. */
function menu(event) {
  const step = { ArrowDown: 1, ArrowUp: -1, j: 1, k: -1 }[event.key];
  if (!step) return;
  const items = all("button, input, a", event.target.closest("details").querySelector(".act-list"));
  event.preventDefault();
  items[(items.indexOf(event.target) + step + items.length) % items.length].focus();
}

// Changing them. ---------------------------------------------------------------------------------------------------------------

function draw() {
  buttons.forEach((each) => { each.textContent = each === asked ? words.press : keyOf(each); });
}

function change(event) {
  if (["Shift", "Control", "Alt", "AltGraph", "Meta"].includes(event.key) || isHeld(event)) return;
  event.preventDefault();
  const error = dialog.querySelector("[data-key-error]");
  const taken = buttons.some((each) => each !== asked && keyOf(each) === event.key);
  error.hidden = !taken;
  error.textContent = words.double;
  if (!taken && event.key !== "Escape" && event.key !== "Tab") chosen[asked.dataset.key] = event.key;
  localStorage.inboxKeys = JSON.stringify(chosen);
  asked = null;
  draw();
}

buttons.forEach((each) => each.addEventListener("click", () => { asked = each; draw(); }));
dialog.querySelector("[data-keys-reset]").addEventListener("click", () => {
  Object.keys(chosen).forEach((name) => delete chosen[name]);
  delete localStorage.inboxKeys;
  draw();
});
document.addEventListener("click", (event) => { if (event.target.closest("[data-help]")) actions.help(); });
all("[data-help]").forEach((each) => { each.hidden = false; });
inbox.dataset.keys = "ready";
draw();
