// The phone: shows what arrives, sends what its owner does, and moves the simulator's clock.

import { draw, icon, initial, isWebAddress, make, tint, words } from "./bubbles.js";
import { call, post } from "./calls.js";
import { closeMenus, menuButton } from "./menu.js";
import { askPlace, askScan, askText } from "./sheet.js";

const $ = (id) => document.getElementById(id);
const text = document.querySelector("#composer textarea");
const log = $("log");
const language = document.documentElement.lang;
const QUIET_GAP = 300; // seconds after which a time is shown between bubbles
const PICTURE_BYTES = 10 << 20;

let state = {}; // what the server last told
let shownAt = 0; // when the last shown item was sent
let inFlight = 0;
let generation = 0; // of the waiting loop: another account or person starts a new one
let clockAhead = 0; // the simulator's time minus the browser's, in seconds
let typingUntil = 0;
let closesAt = 0;

const now = () => Date.now() / 1000 + clockAhead;

function trouble(message) {
  $("trouble").textContent = message;
  $("trouble").hidden = !message;
}

// -- what the server told ---------------------------------------------------

async function open(accountName, name) {
  generation += 1;
  let told = await call(`/phone/state?${new URLSearchParams({ account: accountName ?? "", as: name ?? "" })}`);
  if (told.account && !told.me) {
    await post("/phone/people", { account: told.account.account, name: name || (language === "en" ? "Mei" : "小美"), following: true });
    told = await call(`/phone/state?${new URLSearchParams({ account: told.account.account, as: name ?? "" })}`);
  }
  state = told;
  shownAt = 0;
  log.replaceChildren();
  setClock(told.clock);
  if (!told.account) {
    log.append(make("p", { class: "line" }, words.no_accounts), make("p", { class: "line" }, words.no_accounts_hint));
    $("title").textContent = words.phone;
    $("composer").hidden = true;
    return;
  }
  remember(told.account.account, told.me.name);
  $("composer").hidden = false;
  take(told);
  fillLists();
  listen(generation);
}

function remember(accountName, name) {
  const query = new URLSearchParams(location.search);
  query.set("account", accountName);
  query.set("as", name);
  history.replaceState(null, "", `?${query}`);
  query.set("lang", $("language").lang === "en" ? "en" : "zh");
  $("language").href = `?${query}`;
}

function take(news) {
  const menuBefore = JSON.stringify(state.menu ?? null);
  const wasEmpty = !log.querySelector(".turn, .line");
  Object.assign(state, news);
  setClock(news.clock);
  for (const item of news.items) show(item);
  typingUntil = now() + news.typing_seconds;
  closesAt = now() + news.window.seconds;
  paintHead();
  if (wasEmpty || JSON.stringify(news.menu ?? null) !== menuBefore) paintMenu();
  paintWindow();
  paintTyping();
}

async function listen(mine) {
  let failures = 0;
  while (mine === generation) {
    try {
      const query = new URLSearchParams({ account: state.account.account, openid: state.me.openid, after: state.cursor, mark: state.mark });
      const news = await call(`/phone/events?${query}`);
      if (mine !== generation) return;
      if (news.mark) take(news);
      if (failures) trouble("");
      failures = 0;
      if (news.wait_ms) await pause(news.wait_ms);
    } catch {
      failures += 1;
      if (mine === generation && failures > 1) trouble(words.offline);
      await pause(Math.min(8000, 500 * 2 ** failures));
    }
  }
}

const pause = (ms) => new Promise((done) => setTimeout(done, ms));

// -- painting ---------------------------------------------------------------

function show(item) {
  const element = draw(item, state.account, state.me, (content, id) => say({ text: content, bizmsgmenuid: id }));
  if (!element) return;
  const stays = log.scrollHeight - log.scrollTop - log.clientHeight > 160 && item.kind !== "mine";
  if (item.at - shownAt > QUIET_GAP) log.append(make("p", { class: "time" }, make("time", { datetime: new Date(item.at * 1000).toISOString() }, spoken(item.at))));
  shownAt = item.at;
  log.append(element);
  for (const image of element.querySelectorAll("img")) image.addEventListener("load", () => stays || scrollDown());
  if (!stays) scrollDown();
}

function scrollDown() {
  log.scrollTop = log.scrollHeight;
}

function spoken(seconds) {
  const date = new Date(seconds * 1000);
  const time = new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit", hour12: false }).format(date);
  const days = Math.round((new Date(now() * 1000).setHours(0, 0, 0, 0) - new Date(seconds * 1000).setHours(0, 0, 0, 0)) / 86400000);
  if (days === 0) return time;
  if (days === 1) return `${words.yesterday} ${time}`;
  return `${new Intl.DateTimeFormat(language, { month: "long", day: "numeric" }).format(date)} ${time}`;
}

function paintHead() {
  const { account, me } = state;
  $("title").textContent = account.title;
  document.title = `${account.title} · ${words.phone}`;
  $("avatar").textContent = initial(account.title);
  $("avatar").className = `avatar ${tint(account.title)}`;
  $("invite").hidden = me.following;
  $("dock").hidden = !me.following; // as on a real phone: who does not follow can only follow, or scan a code
}

function paintTyping() {
  const isTyping = inFlight > 0 || typingUntil > now();
  $("subtitle").textContent = isTyping ? `${words.typing}…` : state.me?.name ?? "";
  const dots = log.querySelector(".dots");
  if (!isTyping) {
    dots?.remove();
    return;
  }
  const turn = dots ?? make("div", { class: "turn theirs dots", "aria-hidden": "true" }, make("span", { class: `avatar ${tint(state.account.title)}` }, initial(state.account.title)), make("div", { class: "waiting" }, make("i"), make("i"), make("i")));
  if (log.lastElementChild !== turn) {
    log.append(turn);
    scrollDown();
  }
}

function paintMenu() {
  const buttons = state.menu?.button ?? [];
  $("toggle-menu").hidden = buttons.length === 0;
  $("menu").replaceChildren(...buttons.map((button) => menuButton(button, tap)));
  showMenu($("toggle-menu").getAttribute("aria-expanded") === "true");
}

// Hidden, the menu leaves its room to the talk; the toggle shows what pressing it will bring.
function showMenu(shows) {
  toggle($("toggle-menu"), $("menu"), shows);
  $("toggle-menu").replaceChildren(icon(shows ? "keyboard" : "panel-bottom"));
  if (!state.menu) $("menu").hidden = true;
}

function paintWindow() {
  const { windows, remaining } = state.window;
  const left = Math.max(0, closesAt - now());
  if (windows.length === 0 || left === 0) {
    $("window").replaceChildren(make("p", { class: "dim" }, words.window_closed));
    return;
  }
  const rows = windows.map((one) => make("li", {}, make("span", {}, words[`by_${one.opened_by}`]), make("span", {}, `${one.remaining} / ${one.opened_by === "message" ? 5 : 3}`)));
  $("window").replaceChildren(
    make("p", { class: "large" }, String(remaining), make("small", {}, words.left)),
    make("p", { class: "dim" }, `${span(left)} ${words.closes_in}`),
    make("ul", { class: "rows" }, ...rows),
  );
}

function span(seconds) {
  const whole = Math.ceil(seconds);
  const parts = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  return parts.map((part, place) => (place ? String(part).padStart(2, "0") : part)).join(":");
}

function setClock(clock) {
  clockAhead = clock.now - Date.now() / 1000;
  state.clock = clock;
  paintClock();
}

function paintClock() {
  const date = new Date(now() * 1000);
  $("status-time").textContent = new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit", hour12: false }).format(date);
  $("clock-now").textContent = new Intl.DateTimeFormat(language, { month: "short", day: "numeric", weekday: "short", hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false }).format(date);
  const offset = Math.round(state.clock?.offset_seconds ?? 0);
  $("clock-offset").textContent = offset ? `${words.clock_ahead} ${span(offset)}` : words.clock_real;
}

function fillLists() {
  $("accounts").replaceChildren(...state.accounts.map((one) => new Option(one.title, one.account, false, one.account === state.account.account)));
  $("people").replaceChildren(...state.people.map((one) => new Option(one.name, one.name, false, one.openid === state.me.openid)));
}

// -- doing ------------------------------------------------------------------

async function push(path, body) {
  inFlight += 1;
  paintTyping();
  try {
    reportDelivery(await post(path, { account: state.account.account, openid: state.me.openid, ...body }));
    trouble("");
    return true;
  } catch (error) {
    trouble(words.failed + error.message);
    return false;
  } finally {
    inFlight -= 1;
    paintTyping();
  }
}

function reportDelivery(done) {
  const last = done.attempts.at(-1);
  if (!last) return;
  const isAnswered = last.status !== null && !done.notice;
  const lines = [make("p", { class: isAnswered ? "good" : "bad" }, icon(isAnswered ? "check" : "triangle-alert"), last.status === null ? words.unanswered : `${words.answered} · ${last.status} · ${last.ms} ms`)];
  if (done.attempts.length > 1) lines.push(make("p", {}, `${done.attempts.length} ${words.attempts}`));
  if (last.error || done.why) lines.push(make("p", {}, last.error ?? done.why));
  $("delivery").replaceChildren(...lines);
}

const say = (fields) => push("/sim/messages", { type: "text", ...fields });
const event = (name, fields = {}) => push("/sim/events", { event: name, ...fields });

async function tap(button) {
  const key = button.key ?? "";
  if (button.type === "view" || button.type === "miniprogram") {
    if (button.type === "view" && isWebAddress(button.url)) window.open(button.url, "_blank", "noopener,noreferrer");
    return event(button.type === "view" ? "VIEW" : "view_miniprogram", { event_key: button.pagepath ?? button.url, MenuId: state.menu.menuid });
  }
  if (button.type?.startsWith("scancode")) {
    const result = await askText(words.scan_title, words.scan_text, "https://example.org/");
    return result && event(button.type, { event_key: key, ScanCodeInfo: { ScanType: "qrcode", ScanResult: result } });
  }
  if (button.type === "location_select") {
    const place = await askPlace();
    if (!place) return null;
    const info = { Location_X: String(place.latitude), Location_Y: String(place.longitude), Scale: "15", Label: place.label, Poiname: "" };
    await event("location_select", { event_key: key, SendLocationInfo: info });
    return say({ type: "location", ...place });
  }
  if (button.type?.startsWith("pic_")) {
    $("picture").dataset.event = button.type;
    $("picture").dataset.key = key;
    return $("picture").click();
  }
  // A menu made in WeChat's console may hold texts: the phone shows them without asking anyone.
  if (button.type === "text") return show({ kind: "passive", type: "text", text: button.value ?? "", at: now() });
  return button.type === "click" ? event("CLICK", { event_key: key }) : null;
}

async function sendPicture(file) {
  const { event: name, key } = $("picture").dataset;
  delete $("picture").dataset.event;
  if (!file) return;
  if (file.size > PICTURE_BYTES) return trouble(words.failed + words.picture_limit);
  try {
    const kept = await call(`/phone/pictures?account=${encodeURIComponent(state.account.account)}`, { method: "POST", headers: { "X-Phone": "1" }, body: file });
    // The pictures follow the tap that asked for them.
    if (name) await event(name, { event_key: key, SendPicsInfo: { Count: 1, PicList: { item: { PicMd5Sum: kept.md5 } } } });
    await say({ type: "image", media_id: kept.media_id });
  } catch (error) {
    trouble(words.failed + error.message);
  }
}

async function submit() {
  const written = text.value.trim();
  if (!written || !state.account) return;
  text.value = "";
  fitText();
  if ((await say({ text: written })) || text.value) return;
  text.value = written; // it was not sent: nobody should have to write it twice
  fitText();
}

function fitText() {
  text.style.height = "auto";
  text.style.height = `${Math.min(text.scrollHeight, 120)}px`;
}

function toggle(opener, panel, shows) {
  panel.hidden = !shows;
  opener.setAttribute("aria-expanded", String(shows));
}

function hold(button) {
  const label = button.querySelector("span");
  const press = () => {
    button.classList.add("held");
    label.textContent = words.release;
  };
  const release = (sends) => {
    if (!button.classList.contains("held")) return;
    button.classList.remove("held");
    label.textContent = words.hold;
    if (sends) say({ type: "voice" });
  };
  button.addEventListener("pointerdown", press);
  button.addEventListener("pointerup", () => release(true));
  for (const name of ["pointerleave", "pointercancel", "blur"]) button.addEventListener(name, () => release(false));
  button.addEventListener("keydown", (pressed) => [" ", "Enter"].includes(pressed.key) && !pressed.repeat && press());
  button.addEventListener("keyup", (pressed) => [" ", "Enter"].includes(pressed.key) && release(true));
}

// -- wiring -----------------------------------------------------------------

$("composer").addEventListener("submit", (submitted) => {
  submitted.preventDefault();
  submit();
});
text.addEventListener("input", fitText);
text.addEventListener("keydown", (pressed) => {
  // While a Chinese input method is composing, Enter belongs to it (229: Safari's way to say so).
  if (pressed.key === "Enter" && !pressed.shiftKey && !pressed.isComposing && pressed.keyCode !== 229) {
    pressed.preventDefault();
    submit();
  }
});
$("toggle-menu").addEventListener("click", () => {
  closeMenus();
  showMenu($("menu").hidden);
  if ($("menu").hidden) text.focus();
});
$("open-more").addEventListener("click", () => {
  toggle($("open-more"), $("more"), $("more").hidden);
  scrollDown();
});
$("picture").addEventListener("change", () => {
  sendPicture($("picture").files[0]);
  $("picture").value = "";
});
$("pick").addEventListener("keydown", (pressed) => ["Enter", " "].includes(pressed.key) && $("picture").click());
$("location").addEventListener("click", async () => {
  const place = await askPlace();
  if (place) say({ type: "location", ...place });
});
for (const button of document.querySelectorAll("[data-scan]")) {
  button.addEventListener("click", async () => {
    const told = await call(`/phone/state?${new URLSearchParams({ account: state.account.account, as: state.me.name })}`);
    const code = await askScan(told.codes);
    if (code) push("/sim/scans", code);
  });
}
$("follow").addEventListener("click", () => event("subscribe", { event_key: "" }));
$("unfollow").addEventListener("click", () => event("unsubscribe", { event_key: "" }));
hold($("talk"));

$("accounts").addEventListener("change", () => open($("accounts").value, ""));
$("people").addEventListener("change", () => open(state.account.account, $("people").value));
$("meet").addEventListener("submit", async (submitted) => {
  submitted.preventDefault();
  const name = new FormData($("meet")).get("name").trim();
  if (!name || !state.account) return;
  await post("/phone/people", { account: state.account.account, name, following: false });
  $("meet").reset();
  open(state.account.account, name);
});
for (const button of document.querySelectorAll("[data-advance]")) {
  button.addEventListener("click", () => post("/sim/clock", { advance_seconds: Number(button.dataset.advance) }));
}

function showTools(shows) {
  document.body.classList.toggle("with-tools", shows);
  $("open-tools").setAttribute("aria-expanded", String(shows));
  (shows ? $("close-tools") : $("open-tools")).focus();
}
$("open-tools").addEventListener("click", () => showTools(true));
$("close-tools").addEventListener("click", () => showTools(false));
document.addEventListener("keydown", (pressed) => {
  if (pressed.key !== "Escape") return;
  closeMenus(true);
  if (document.body.classList.contains("with-tools")) showTools(false);
});
document.addEventListener("click", (clicked) => clicked.target.closest(".slot") || closeMenus());

setInterval(() => {
  if (!state.clock) return;
  paintClock();
  if (state.me) {
    paintWindow();
    paintTyping();
  }
}, 1000);

const asked = new URLSearchParams(location.search);
window.addEventListener("unhandledrejection", (failed) => trouble(words.failed + failed.reason.message));
open(asked.get("account"), asked.get("as"));
