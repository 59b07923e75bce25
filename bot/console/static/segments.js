// The sentence builder: rows change in place, and who is found is counted while one types.  Without script the same
// buttons send the form.

const form = document.querySelector("form.builder");
const WAIT_MS = 400;
let waiting = 0, changing = 0, isCounting = false, isStale = false, isPlain = false;

async function send(address, extra) {
  const body = new URLSearchParams(new FormData(form));
  if (extra) body.set("do", extra);
  const response = await fetch(address, { method: "POST", body, headers: { "X-Live": "1" } });
  if (!response.ok) throw new Error(response.status);
  return new DOMParser().parseFromString(await response.text(), "text/html");
}

// One at a time: what is typed meanwhile is counted next.
async function count() {
  isStale = isCounting;
  if (isCounting) return;
  isCounting = true;
  const preview = document.getElementById("preview");
  const wasClosed = preview.querySelector("details") ? !preview.querySelector("details").open : matchMedia("(max-width: 1100px)").matches;
  try {
    preview.setAttribute("aria-busy", "true");
    const fresh = await send(form.dataset.preview);
    if (wasClosed) fresh.querySelector("details")?.removeAttribute("open");
    if (!isStale) preview.replaceChildren(...fresh.body.childNodes);
  } catch { /* the next change asks again */ }
  preview.removeAttribute("aria-busy");
  isCounting = false;
  if (isStale) count();
}

async function change(button, keep) {
  try {
    const fresh = await send(location.href, button.value);
    const here = document.activeElement?.id; // who went on meanwhile stays there
    document.getElementById("builder").replaceChildren(...fresh.getElementById("builder").childNodes);
    hideScriptless();
    document.getElementById(fresh.querySelector("form.builder").dataset.focusOn || here || keep)?.focus();
    count();
  } catch {
    isPlain = true; // signed out, or no network: as without script, so that the browser says so
    form.requestSubmit(button);
  }
}

function hideScriptless() {
  for (const one of form.querySelectorAll("[data-scriptless]")) one.hidden = true;
}

if (form) {
  const later = () => { clearTimeout(waiting); waiting = setTimeout(count, WAIT_MS); };
  const look = (id) => {
    clearTimeout(changing);
    changing = 0;
    change(form.querySelector("[value=look]"), id);
  };
  form.addEventListener("input", (event) => { if (!event.isComposing && !event.target.matches("[data-changes], [name=name]")) later(); });
  form.addEventListener("compositionend", later);
  form.addEventListener("change", ({ target }) => { // who types a choice's first letters passes others
    if (!target.matches("[data-changes]")) return;
    clearTimeout(changing);
    changing = setTimeout(look, WAIT_MS, target.id);
  });
  form.addEventListener("focusout", ({ target }) => { if (changing && target.matches("[data-changes]")) look(target.id); });
  form.addEventListener("submit", (event) => {
    if (isPlain || !event.submitter || event.submitter.value === "save") return;
    event.preventDefault();
    clearTimeout(changing);
    changing = 0;
    change(event.submitter, "");
  }, true);
  hideScriptless();
  count();
}

// One after the other: each may keep the database busy for seconds.
for (const size of document.querySelectorAll("[data-size]")) {
  try {
    const { count: counted } = await (await fetch(size.dataset.size, { headers: { "X-Live": "1" } })).json();
    if (counted !== null) size.textContent = counted.toLocaleString("en-US");
  } catch { break; }
}
