// The pages work without this.  It saves round trips: reactions in place, endless lists, new posts, the photo viewer.

import { paint } from "./blurhash.js";
import { openViewer } from "./viewer.js";

const me = document.body.dataset.me;
const said = document.getElementById("said");

export const tell = (sentence) => { if (said) said.textContent = sentence; };

export async function page(address, options = {}) {
  const answer = await fetch(address, { credentials: "same-origin", ...options });
  if (answer.redirected && new URL(answer.url).pathname.endsWith("/sign-in")) location.reload();
  return answer;
}

const parsed = (text) => new DOMParser().parseFromString(text, "text/html");

// Dates ------------------------------------------------------------------------------------------------------------

// The exact moment in this browser's own zone; the words beside it are the server's.
function localTimes(root) {
  for (const time of root.querySelectorAll("time[datetime]")) {
    const at = new Date(time.dateTime);
    time.title = at.toLocaleString(document.documentElement.lang, { dateStyle: "medium", timeStyle: "short" });
    if (time.closest("[data-exact]")) time.textContent = time.title;
  }
}

// A fold that fits needs no button.
function folds(root) {
  for (const fold of root.querySelectorAll(".fold:not(.fits)")) {
    const words = fold.querySelector(".words");
    if (words.clientHeight && words.scrollHeight <= words.clientHeight + 2 && !fold.querySelector("input:checked")) fold.classList.add("fits");
  }
}

function dress(root) {
  localTimes(root);
  folds(root);
  for (const photo of root.querySelectorAll("[data-blur]")) paint(photo);
  moments(root);
}

// A moment is typed in this browser's own zone; the server's page has another.
function moments(root) {
  for (const field of root.querySelectorAll("[data-moment]")) {
    const offset = field.parentElement.querySelector("[name=offset]"), here = -new Date().getTimezoneOffset();
    if (field.value) {
      const at = Date.parse(`${field.value}Z`) - offset.value * 60_000;
      field.value = new Date(at - new Date(at).getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
    }
    const tell = () => { offset.value = field.value ? -new Date(field.value).getTimezoneOffset() : here; };
    field.addEventListener("input", tell);
    tell();
    field.parentElement.querySelector("[data-zone]").textContent = Intl.DateTimeFormat().resolvedOptions().timeZone;
  }
}

// Reactions in place -----------------------------------------------------------------------------------------------

document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (!form.matches("form[data-live]")) return;
  event.preventDefault();
  const post = form.closest("[data-post]");
  const buttons = form.querySelectorAll("button");
  buttons.forEach((button) => { button.disabled = true; });
  try {
    const answer = await page(form.action, { method: "POST", body: new FormData(form), headers: { "X-Live": "1" } });
    const text = await answer.text();
    if (answer.ok) {
      const draft = post.querySelector(".write textarea")?.value;
      const fresh = parsed(text).querySelector("[data-post]");
      const selector = form.className ? `form.${form.className.split(" ")[0]} textarea` : `form[action="${form.getAttribute("action")}"] button`;
      const hidden = post.querySelector(".write")?.hidden ?? false;
      const opened = post.querySelector(".fold > input")?.checked;
      post.replaceWith(fresh);
      dress(fresh);
      if (opened) fresh.querySelector(".fold > input")?.click();
      const words = fresh.querySelector(".write textarea");
      if (words && draft && !form.classList.contains("write")) words.value = draft;
      if (words) words.form.hidden = hidden;
      (fresh.querySelector(selector) ?? fresh.querySelector(".name")).focus({ preventScroll: true });
    } else {
      wrong(form, answer.status === 422 || answer.status === 403 || answer.status === 429 ? text : "");
    }
  } catch {
    wrong(form, "");
  } finally {
    buttons.forEach((button) => { button.disabled = false; });
  }
});

// What was typed stays; a sentence of the server's is shown, and where there is none the form is sent the plain way.
function wrong(form, sentence) {
  if (!sentence || sentence.startsWith("<")) { form.removeAttribute("data-live"); form.requestSubmit(); return; }
  let line = form.parentElement.querySelector(".error");
  if (!line) { line = document.createElement("p"); line.className = "error"; line.setAttribute("role", "alert"); form.after(line); }
  line.textContent = sentence;
}

document.addEventListener("click", (event) => {
  const reply = event.target.closest("[data-reply]");
  const write = event.target.closest("[data-write]");
  if (!reply && !write) return;
  const post = event.target.closest("[data-post]");
  const form = post?.querySelector(".write");
  if (!form) return;
  event.preventDefault();
  const words = form.querySelector("textarea");
  form.elements.reply_to.value = reply ? reply.dataset.reply : "";
  words.dataset.usual ??= words.placeholder;
  words.placeholder = reply ? reply.textContent.trim() : words.dataset.usual;
  form.querySelector("label").textContent = words.placeholder;
  form.hidden = false;
  words.focus();
});

document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) event.target.closest?.(".write")?.requestSubmit();
  if (event.key === "Escape") for (const menu of document.querySelectorAll(".menu[open]")) { menu.open = false; menu.querySelector("summary").focus(); }
});
document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll(".menu[open]")) if (!menu.contains(event.target)) menu.open = false;
});

// Lists ------------------------------------------------------------------------------------------------------------

const list = document.querySelector("[data-feed]");
const known = (root) => new Set([...root.querySelectorAll("[data-post]")].map((post) => post.dataset.post));

async function older(link) {
  if (link.getAttribute("aria-busy") === "true") return;
  link.setAttribute("aria-busy", "true");
  try {
    const answer = await page(link.href);
    if (!answer.ok) throw new Error();
    const next = parsed(await answer.text());
    const there = known(list);
    for (const part of [...next.querySelector("[data-feed]").children]) {
      const month = part.dataset.month && list.querySelector(`[data-month="${CSS.escape(part.dataset.month)}"]`);
      if (part.dataset.post && there.has(part.dataset.post)) continue;
      if (month) month.lastElementChild.append(...part.lastElementChild.children);
      else list.append(part);
    }
    dress(list);
    const rest = next.querySelector("[data-rest]");
    link.closest("[data-rest]").replaceWith(rest);
    watch(rest);
    keep();
  } catch {
    link.removeAttribute("aria-busy"); // it is a link: a tap tries again
    link.textContent = link.dataset.failed;
    tell(link.textContent);
  }
}

function watch(rest) {
  const link = rest?.querySelector("a[rel=next]");
  if (!link || !list) return;
  link.addEventListener("click", (event) => { event.preventDefault(); older(link); });
  new IntersectionObserver((seen, observer) => {
    if (seen.some((one) => one.isIntersecting)) { observer.disconnect(); older(link); }
  }, { rootMargin: "600px" }).observe(link);
}

// The head of the feed, merged: new posts come on top, those that are there stay where one reads.
async function head() {
  const answer = await page(location.pathname);
  if (!answer.ok) return;
  const there = known(list);
  const items = [...parsed(await answer.text()).querySelector("[data-feed]").children];
  document.querySelector(".panel.empty")?.remove();
  for (const item of items.filter((each) => !there.has(each.dataset.post)).reverse()) list.prepend(item);
  dress(list);
  fresh.hidden = true;
}

const fresh = document.querySelector("[data-fresh]");
async function lookForNew() {
  if (document.hidden) return;
  try {
    const answer = await page("/moments/api/v1/feed?limit=20");
    if (!answer.ok) return;
    const there = known(list);
    const top = list.querySelector("[data-post]");
    const ids = (await answer.json()).items.map((each) => each.id);
    const end = top ? ids.indexOf(top.dataset.post) : ids.length;
    const count = ids.slice(0, end < 0 ? ids.length : end).filter((id) => !there.has(id)).length;
    fresh.hidden = !count;
    fresh.textContent = count === 1 ? fresh.dataset.one : fresh.dataset.many.replace("{n}", count);
    if (count) tell(fresh.textContent);
  } catch { /* the next look tries again */ }
}

function pull() {
  const drop = document.querySelector(".pull");
  let from = null;
  addEventListener("touchstart", (event) => { from = scrollY <= 0 ? event.touches[0].clientY : null; }, { passive: true });
  addEventListener("touchmove", (event) => {
    if (from === null) return;
    drop.style.height = `${Math.max(0, Math.min(80, (event.touches[0].clientY - from) / 2))}px`;
  }, { passive: true });
  addEventListener("touchend", async () => {
    if (from !== null && drop.clientHeight > 55) { try { await head(); } catch { /* nothing changes */ } }
    drop.style.height = "0";
    from = null;
  });
}

// The place in a list when one comes back to it: how many pages were loaded is not kept, the post at the top is.
const spot = `moments-spot ${location.pathname}`;
function keep() {
  const top = [...(list?.querySelectorAll("[data-post]") ?? [])].find((post) => post.getBoundingClientRect().bottom > 60);
  if (top) sessionStorage.setItem(spot, JSON.stringify([top.dataset.post, top.getBoundingClientRect().top]));
}
async function comeBack() {
  const kept = JSON.parse(sessionStorage.getItem(spot) ?? "null");
  if (!kept || performance.getEntriesByType("navigation")[0]?.type !== "back_forward") return;
  for (let tries = 0; tries < 20; tries += 1) {
    const post = document.getElementById(`p-${kept[0]}`);
    if (post) { scrollBy({ top: post.getBoundingClientRect().top - kept[1], behavior: "instant" }); return; }
    const link = document.querySelector("[data-rest] a[rel=next]");
    if (!link) return;
    await older(link);
  }
}

if (list) {
  history.scrollRestoration = "manual";
  addEventListener("pagehide", keep);
  document.addEventListener("click", (event) => { if (event.target.closest("a[href]")) keep(); }, true);
  comeBack().then(() => watch(document.querySelector("[data-rest]")));
}
if (fresh) {
  fresh.addEventListener("click", async () => { await head(); scrollTo({ top: 0 }); list.querySelector(".name")?.focus({ preventScroll: true }); });
  setInterval(lookForNew, Number(document.documentElement.dataset.every ?? 30_000));
  document.addEventListener("visibilitychange", lookForNew);
  pull();
}

// The rest ---------------------------------------------------------------------------------------------------------

for (const note of document.querySelectorAll("[data-brief]")) {
  localStorage.removeItem(`moments-draft ${me}`); // it was published
  setTimeout(() => note.remove(), 10_000);
}
document.addEventListener("click", (event) => {
  const photo = event.target.closest("[data-photo]");
  if (!photo || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  openViewer(photo);
});
dress(document);
