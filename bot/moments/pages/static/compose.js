// The composer: uploads with progress, order, turning, a draft kept in this browser, and who would see it, live.

const HEADERS = { "Lobby-Moments": "1" };
const API = "/moments/api/v1";
const form = document.querySelector("form[data-compose]");
const me = document.body.dataset.me;

// Who sees it ------------------------------------------------------------------------------------------------------

const whom = document.querySelector("[data-whom]");
const comma = document.documentElement.lang.startsWith("zh") ? "、" : ", ";

function audience(fields) {
  const mode = fields.get("mode");
  const takes = { allow: ["allow_members", "allow_groups", "deny_members", "deny_groups"], deny: ["deny_members", "deny_groups"] }[mode] ?? [];
  return { mode, ...Object.fromEntries(takes.map((list) => [list, fields.getAll(list)])) };
}

let asked = 0;
async function lookWhoSees() {
  const fields = new FormData(whom.closest("form"));
  const turn = ++asked;
  const body = JSON.stringify({ audience: audience(fields), post: whom.dataset.of ?? null });
  const answer = await fetch(`${API}/audience/preview`, { method: "POST", headers: { ...HEADERS, "Content-Type": "application/json" }, body });
  if (!answer.ok || turn !== asked) return;
  const people = (await answer.json()).items;
  const sum = whom.querySelector("[data-sum]");
  sum.textContent = people.length === 0 ? sum.dataset.none : people.length === 1 ? sum.dataset.one : sum.dataset.many.replace("{n}", people.length);
  whom.querySelector("[data-names]").textContent = people.map((each) => each.name).join(comma);
  // What the author may not have meant, of what can be told from here; the server's own list comes with the page.
  const seeing = new Set(people.map((each) => each.id));
  const left = fields.getAll("mentions").filter((id) => !seeing.has(id)).map((id) => document.querySelector(`label[for="m-${id}"]`)?.textContent);
  const lines = whom.querySelector("[data-warnings]");
  lines.replaceChildren(...[
    ...(people.length === 0 && fields.get("mode") !== "private" ? [lines.dataset.nobody] : []),
    ...left.map((name) => lines.dataset.left.replace("{name}", name)),
  ].map((sentence) => { const line = document.createElement("p"); line.className = "warning"; line.textContent = sentence; return line; }));
}
if (whom) {
  let waiting = 0;
  whom.closest("form").addEventListener("change", (event) => {
    if (!event.target.matches("[name=mode], [name$=_members], [name$=_groups], [name=mentions]")) return;
    clearTimeout(waiting);
    waiting = setTimeout(lookWhoSees, 120);
  });
  whom.querySelector("[data-look]").hidden = true;
}

// Photos -----------------------------------------------------------------------------------------------------------

const shots = form?.querySelector("[data-shots]");
const status = form?.querySelector("[data-status]");
const running = new Set();

function send(file, turns, progress) {
  return new Promise((done, failed) => {
    const request = new XMLHttpRequest();
    request.open("POST", `${API}/media?turns=${turns}`);
    request.setRequestHeader("Lobby-Moments", "1");
    request.upload.addEventListener("progress", (event) => { if (event.lengthComputable) progress.value = event.loaded / event.total; });
    request.addEventListener("load", () => {
      let told = {};
      try { told = JSON.parse(request.responseText); } catch { /* a proxy's page */ }
      if (request.status === 201) done(told);
      else failed(new Error(told.error?.message ?? ""));
    });
    request.addEventListener("error", () => failed(new Error("")));
    request.send(file);
  });
}

const drop = (id) => fetch(`${API}/media/${id}`, { method: "DELETE", headers: HEADERS });

function tool(name, sign, act) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = sign;
  button.setAttribute("aria-label", shots.dataset[name]);
  button.addEventListener("click", act);
  return button;
}

function move(shot, by) {
  const other = by < 0 ? shot.previousElementSibling : shot.nextElementSibling;
  if (!other) return;
  if (by < 0) other.before(shot); else other.after(shot);
}

function draggable(shot) {
  shot.draggable = true;
  shot.addEventListener("dragstart", () => shot.classList.add("held"));
  shot.addEventListener("dragend", () => { shot.classList.remove("held"); shots.querySelectorAll(".over").forEach((each) => each.classList.remove("over")); });
  shot.addEventListener("dragover", (event) => { event.preventDefault(); shot.classList.add("over"); });
  shot.addEventListener("dragleave", () => shot.classList.remove("over"));
  shot.addEventListener("drop", (event) => {
    event.preventDefault();
    const held = shots.querySelector(".held");
    if (held && held !== shot) { const all = [...shots.children]; if (all.indexOf(held) < all.indexOf(shot)) shot.after(held); else shot.before(held); }
  });
}

function add(file) {
  const shot = document.createElement("li");
  shot.className = "shot";
  const frame = document.createElement("div");
  frame.className = "photo";
  const seen = document.createElement(file.type.startsWith("video/") ? "video" : "img");
  seen.src = URL.createObjectURL(file);
  seen.alt = file.name;
  frame.append(seen);
  const progress = document.createElement("progress");
  progress.max = 1;
  progress.setAttribute("aria-label", file.name);
  const id = document.createElement("input");
  id.type = "hidden";
  const alt = document.createElement("input");
  alt.maxLength = 200;
  alt.placeholder = shots.dataset.alt;
  alt.setAttribute("aria-label", `${shots.dataset.alt}: ${file.name}`);
  const tools = document.createElement("div");
  tools.className = "tools";
  const problem = document.createElement("p");
  problem.className = "error";
  problem.setAttribute("role", "alert");
  let turns = 0;
  let turn = 0;

  async function start() {
    const mine = ++turn;
    if (id.value) drop(id.value);
    id.removeAttribute("name");
    id.value = "";
    problem.replaceChildren();
    progress.hidden = false;
    progress.value = 0;
    running.add(shot);
    try {
      const media = await send(file, turns, progress);
      if (mine !== turn || !shot.isConnected) { drop(media.id); return; }
      id.name = "media";
      id.value = media.id;
      alt.name = `alt-${media.id}`;
      progress.hidden = true;
      running.delete(shot);
    } catch (error) {
      if (mine !== turn) return;
      running.delete(shot);
      progress.hidden = true;
      problem.textContent = error.message || shots.dataset.failed;
      const again = tool("again", shots.dataset.again, start);
      problem.append(" ", again);
    }
    if (!running.size) form.dispatchEvent(new Event("arrived"));
  }

  let waiting = 0;
  tools.append(
    tool("up", "←", () => { move(shot, -1); tools.children[0].focus(); }),
    tool("down", "→", () => { move(shot, 1); tools.children[1].focus(); }),
    ...(seen.tagName === "IMG" ? [tool("turn", "⟳", () => {
      turns = (turns + 1) % 4;
      seen.className = `turned-${turns}`;
      running.add(shot);
      clearTimeout(waiting);
      waiting = setTimeout(start, 500);
    })] : []),
    tool("drop", "×", () => { turn += 1; if (id.value) drop(id.value); running.delete(shot); shot.remove(); if (!running.size) form.dispatchEvent(new Event("arrived")); form.elements.photos.focus(); }),
  );
  shot.append(frame, progress, problem, id, alt, tools);
  shots.append(shot);
  draggable(shot);
  start();
}

if (shots) {
  form.elements.photos.addEventListener("change", (event) => {
    const files = [...event.target.files];
    event.target.value = ""; // they are on their way already
    const room = 9 - shots.children.length;
    files.slice(0, room).forEach(add);
    status.textContent = files.length > room ? shots.dataset.many : "";
  });
  shots.querySelectorAll(".shot").forEach(draggable);
  form.querySelector("[data-plain]")?.remove();
}

// Publishing, and the draft ----------------------------------------------------------------------------------------

if (form) {
  const key = `moments-draft ${me}`;
  const kept = ["body", "place", "link"];
  const publish = form.querySelector("[data-publish]");
  form.addEventListener("submit", (event) => {
    const by = event.submitter ?? publish;
    if (!["publish", "later"].includes(by.value)) return;
    if (!running.size) return;
    event.preventDefault();
    publish.disabled = true;
    status.textContent = shots.dataset.publishing;
    form.addEventListener("arrived", () => {
      publish.disabled = false;
      status.textContent = "";
      if (!form.querySelector(".shot .error:not(:empty)")) form.requestSubmit(by);
    }, { once: true });
  });
  if (!form.elements.root.value) {
    const draft = JSON.parse(localStorage.getItem(key) ?? "{}");
    for (const name of kept) if (form.elements[name] && !form.elements[name].value && draft[name]) form.elements[name].value = draft[name];
    form.addEventListener("input", () => {
      const values = Object.fromEntries(kept.map((name) => [name, form.elements[name]?.value ?? ""]));
      if (Object.values(values).some(Boolean)) localStorage.setItem(key, JSON.stringify(values));
      else localStorage.removeItem(key);
    });
  }
  form.elements.body.focus();
}
