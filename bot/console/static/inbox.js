// The live inbox.  The list follows the server's stream of changed conversations; a thread is fetched when it changed.

const all = (selector, root = document) => [...root.querySelectorAll(selector)];
const inbox = document.getElementById("inbox");
const words = JSON.parse(inbox.dataset.words);
const me = Number(inbox.dataset.me);
const known = new Map(); // id → the conversation as the server told it last
const fill = (text, values) => text.replace(/{(\w+)}/g, (gap, name) => values[name] ?? gap);
const wait = (seconds) => new Promise((done) => setTimeout(done, seconds * 1000));
const tab = sessionStorage.tab ??= Math.random().toString(36).slice(2);
let head = Number(inbox.dataset.head), here = [];

export const openId = () => Number(document.querySelector("[data-talk-id]")?.dataset.talkId ?? 0);
export { all, fill, inbox, tab, words };

// The stream: a cursor, and states to put in place of what is there. -------------------------------------------------------

function take(frame) {
  if (frame.reload) { head = frame.head; inbox.dataset.head = head; refreshList(); refreshThread(); return; }
  head = Math.max(head, frame.head);
  inbox.dataset.head = head;
  for (const one of frame.changed) {
    if ((known.get(one.id)?.seq ?? 0) > one.seq) continue;
    known.set(one.id, one);
    place(one);
    if (one.id === openId()) refreshThread();
  }
  count(frame.counts);
}

function listen() {
  const source = new EventSource(`${inbox.dataset.stream}?after=${head}&page=${tab}`);
  source.addEventListener("open", () => inbox.classList.remove("offline"));
  source.addEventListener("message", (event) => take(JSON.parse(event.data)));
  source.addEventListener("here", (event) => show(JSON.parse(event.data)));
  source.addEventListener("error", async () => {
    if (source.readyState !== EventSource.CLOSED) return; // it comes again by itself, with its cursor
    await poll();
    listen();
  });
}

/** No stream to be had (too many, or a proxy that keeps them back): the same as JSON, for half a minute. */
async function poll() {
  for (let turn = 0; turn < 10; turn++) {
    try {
      const answer = await fetch(`${inbox.dataset.stream}?once=1&after=${head}`, { headers: { "X-Live": "1" } });
      if (answer.status === 401) return location.reload();
      if (!answer.ok) throw new Error(answer.status);
      const frame = await answer.json();
      take(frame);
      show(frame.here);
      inbox.classList.remove("offline");
    } catch {
      inbox.classList.add("offline");
    }
    await wait(3);
  }
}

// The list. ------------------------------------------------------------------------------------------------------------------

const rowsOf = () => document.querySelector("[data-rows-of]");
const make = (tag, className, text = "") => Object.assign(document.createElement(tag), { className, textContent: text });

function belongs(one, queue) {
  const isAwake = one.status === "queued" || one.status === "assigned";
  return { mine: isAwake && one.assignee_id === me, unassigned: isAwake && !one.assignee_id, open: isAwake, snoozed: one.status === "snoozed", closed: one.status === "closed" }[queue];
}

function order(a, b, queue) {
  if (queue === "closed") return b.closed_at - a.closed_at || b.id - a.id;
  if (queue === "snoozed") return a.snoozed_until - b.snoozed_until || a.id - b.id;
  return !a.waiting_since - !b.waiting_since || a.waiting_since - b.waiting_since || b.updated_at - a.updated_at || a.id - b.id;
}

function place(one) {
  const list = rowsOf();
  if (!list) return;
  const queue = list.dataset.rowsOf, old = list.querySelector(`:scope > [data-id="${one.id}"]`);
  const focused = old?.contains(document.activeElement) ? document.activeElement.tagName : "";
  const isChosen = old?.querySelector("input")?.checked;
  old?.remove();
  if (belongs(one, queue)) {
    const row = draw(one);
    if (isChosen) row.querySelector("input").checked = true;
    const after = all(":scope > [data-id]", list).find((each) => known.has(Number(each.dataset.id)) && order(one, known.get(Number(each.dataset.id)), queue) < 0);
    list.insertBefore(row, after ?? null);
    if (focused) row.querySelector(focused.toLowerCase())?.focus({ preventScroll: true });
  }
  document.querySelector("[data-none]")?.toggleAttribute("hidden", list.children.length > 0);
  show(here);
}

function draw(one) {
  const row = make("li", "talk");
  Object.assign(row.dataset, { id: one.id, seq: one.seq });
  const name = one.name.startsWith("…") ? fill(words.follower, { end: one.name.slice(1) }) : one.name;
  if (document.getElementById("bulk") && one.status !== "closed") {
    const box = Object.assign(document.createElement("input"), { type: "checkbox", name: "ids", value: one.id, ariaLabel: name });
    box.setAttribute("form", "bulk");
    row.append(box);
  }
  const link = Object.assign(make("a", "person"), { href: inbox.dataset.row.replace("/0", `/${one.id}`) });
  link.dataset.open = "";
  if (one.id === openId()) link.setAttribute("aria-current", "true");
  const top = make("span", "talk-top"), foot = make("span", "talk-foot"), when = make("span", "talk-when");
  when.dataset.waiting = one.waiting_since ?? "";
  when.textContent = one.waiting_since ? since(one.waiting_since) : one.status === "closed" ? "" : words.answered;
  top.append(make("strong", "", name), when);
  if (one.assignee) foot.append(make("span", "chip", one.assignee));
  one.labels.forEach((label) => foot.append(make("span", "chip tint", label)));
  if (one.status !== "closed" && !one.first_replied_at) foot.append(make("span", "chip warn", words.first));
  foot.append(make("span", "talk-here"));
  const said = one.preview_side === "operator" ? fill(words.you, { text: one.preview }) : one.preview || words.silent;
  const text = make("span", "person-text");
  text.append(top, make("span", "talk-said", said), foot);
  link.append(text);
  row.append(link);
  return row;
}

function count(counts) {
  const numbers = { ...counts, mine: counts.mine[me] ?? 0 };
  all("[data-count]").forEach((each) => { if (each.dataset.count in numbers) each.textContent = numbers[each.dataset.count]; });
  all('a[href$="/conversations"] .count').forEach((each) => {
    each.hidden = !counts.waiting;
    each.firstElementChild.textContent = counts.waiting;
  });
  const list = rowsOf();
  const wanted = list && numbers[list.dataset.rowsOf];
  if (wanted && list.children.length < Math.min(wanted, 200)) refreshList();
}

export function since(at) { return span(Date.now() / 1000 - at); }
function span(seconds) {
  const minutes = Math.floor(Math.max(0, seconds) / 60);
  if (minutes < 1) return words.now;
  if (minutes < 60) return fill(words.min, { n: minutes });
  return minutes < 72 * 60 ? fill(words.h, { n: Math.floor(minutes / 60) }) : fill(words.days, { n: Math.floor(minutes / 1440) });
}

setInterval(() => {
  all("[data-waiting]").forEach((each) => { if (each.dataset.waiting) each.textContent = since(each.dataset.waiting); });
  all("[data-ends]").forEach((each) => {
    each.textContent = span(each.dataset.ends - Date.now() / 1000);
    if (each.dataset.ends < Date.now() / 1000) refreshThread();
  });
}, 10_000);

// Who else is here. -----------------------------------------------------------------------------------------------------------

function show(people) {
  here = people;
  const others = people.filter((each) => each.operator !== me);
  const told = (id, only) => others.filter((each) => each.conversation === id && (each.writes || !only)).map((each) => fill(each.writes ? words.writes : words.looks, each)).join(" · ");
  all(".talk[data-id]").forEach((row) => { row.querySelector(".talk-here").textContent = told(Number(row.dataset.id), true); });
  const badge = document.querySelector("[data-colleagues]");
  if (badge) { badge.textContent = told(openId(), false); badge.hidden = !badge.textContent; }
}

// Parts of a page put in place of those that are there. ----------------------------------------------------------------------

async function part(url, which, options = {}) {
  const answer = await fetch(url, { ...options, headers: { "X-Part": which, "X-Live": "1" } });
  if (answer.status === 401) location.reload();
  return { answer, fresh: new DOMParser().parseFromString(await answer.text(), "text/html") };
}

export function swap(fresh, ...names) {
  for (const name of names) {
    const old = document.querySelector(`[data-part="${name}"]`), next = fresh.querySelector(`[data-part="${name}"]`);
    if (!old || !next || (old.innerHTML === next.innerHTML && old.hidden === next.hidden)) continue;
    if (old.querySelector("details[open]") || (name === "contact" && old.contains(document.activeElement))) continue;
    const atEnd = old.scrollHeight - old.scrollTop - old.clientHeight < 80, top = old.scrollTop;
    const next_ = document.adoptNode(next);
    old.replaceWith(next_);
    next_.dispatchEvent(new Event("swapped", { bubbles: true }));
    if (name === "turns") next_.scrollTop = atEnd ? next_.scrollHeight : top;
  }
}

let threadAt = 0, again = false;
export async function refreshThread() {
  if (!openId()) return;
  if (threadAt) { again = true; return; }
  threadAt = openId();
  try {
    const { answer, fresh } = await part(location.href.split("#")[0], "thread");
    if (answer.ok && openId() === threadAt) settle(fresh);
  } catch { /* the next change, or the next page, shows it */ }
  threadAt = 0;
  if (again) { again = false; refreshThread(); }
}

export function settle(fresh) {
  const had = !!document.querySelector("#composer"), has = !!fresh.querySelector("#composer");
  if (had !== has) swap(fresh, "thread", "contact");
  else swap(fresh, "turns", "state", "acts", "window", "lawful", "contact");
  show(here);
  const seq = fresh.querySelector("[data-talk-seq]")?.dataset.talkSeq ?? document.querySelector("[data-talk-seq]")?.dataset.talkSeq;
  // What has stood on the screen for a second was seen; what came this moment was not.
  const field = document.querySelector('#composer [name="seen"]');
  if (field && seq) setTimeout(() => { if (!document.hidden && field.isConnected) field.value = Math.max(field.value, seq); }, 1000);
}

let listAt = 0;
export function refreshList() {
  clearTimeout(listAt);
  listAt = setTimeout(async () => {
    try { swap((await part(inbox.dataset.list, "list")).fresh, "list"); show(here); } catch { /* with the next change */ }
  }, 800);
}

/** Send a form and put what came of it in place, without leaving the page; what went wrong stands at its field. */
export async function send(form, submitter) {
  if (form.dataset.busy) return null;
  form.dataset.busy = "1";
  try {
    const { answer, fresh } = await part(form.action, "all", { method: "POST", body: new FormData(form, submitter) });
    if (!fresh.getElementById("inbox")) { document.body.replaceWith(fresh.body); return null; }
    all("details[open]", form).forEach((each) => { each.open = false; });
    swap(fresh, "notes", "list");
    if (openId() && fresh.querySelector(`[data-talk-id="${openId()}"]`)) settle(fresh);
    return { answer, fresh };
  } catch {
    inbox.classList.add("offline");
    return null;
  } finally {
    delete form.dataset.busy;
  }
}

document.addEventListener("submit", (event) => {
  if (!event.target.matches("[data-quiet]")) return;
  event.preventDefault();
  send(event.target, event.submitter);
}, true);

document.addEventListener("change", ({ target }) => {
  if (target.matches("[data-all-rows]")) all('input[name="ids"]').forEach((box) => { box.checked = target.checked; });
  const chosen = all('input[name="ids"]:checked').length, bulk = document.getElementById("bulk");
  if (!bulk) return;
  bulk.classList.toggle("on", chosen > 0);
  bulk.querySelector("[data-chosen]").textContent = fill(words.chosen, { n: chosen });
});

new MutationObserver(() => setTimeout(() => all("[data-undo]").forEach((each) => each.remove()), 30_000)).observe(document.querySelector("main"), { childList: true });
listen();
