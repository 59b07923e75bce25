// The sentence builder: rows change in place, and who is found is counted while one types.  Without script the same
// buttons send the form.

const form = document.querySelector("form.builder");
const WAIT_MS = 400;
let waiting = 0, asked = 0;

async function send(address, extra) {
  const body = new URLSearchParams(new FormData(form));
  if (extra) body.set("do", extra);
  const response = await fetch(address, { method: "POST", body, headers: { "X-Live": "1" } });
  if (response.status === 401) location.reload();
  if (!response.ok) throw new Error(response.status);
  return new DOMParser().parseFromString(await response.text(), "text/html");
}

async function count() {
  const mine = ++asked;
  try {
    const fresh = await send(form.dataset.preview);
    if (mine === asked) document.getElementById("preview").replaceChildren(...fresh.body.childNodes);
  } catch { /* the next change asks again */ }
}

async function change(action, keep) {
  asked += 1;
  try {
    const fresh = await send(location.href, action);
    for (const id of ["builder", "preview"]) document.getElementById(id).replaceChildren(...fresh.getElementById(id).childNodes);
    for (const one of form.querySelectorAll("[data-scriptless]")) one.hidden = true;
    document.getElementById(fresh.querySelector("form.builder").dataset.focusOn || keep)?.focus();
  } catch { form.requestSubmit(); }
}

if (form) {
  const later = () => { clearTimeout(waiting); waiting = setTimeout(count, WAIT_MS); };
  form.addEventListener("input", (event) => { if (!event.isComposing && !event.target.matches("[data-changes], [name=name]")) later(); });
  form.addEventListener("compositionend", later);
  form.addEventListener("change", (event) => { if (event.target.matches("[data-changes]")) change("look", event.target.id); });
  form.addEventListener("submit", (event) => {
    const action = event.submitter?.value;
    if (!action || action === "save") return;
    event.preventDefault();
    delete form.dataset.sent;
    change(action, "");
  }, true);
}

for (const size of document.querySelectorAll("[data-size]")) {
  fetch(size.dataset.size, { headers: { "X-Live": "1" } })
    .then((response) => response.json())
    .then(({ count: counted }) => { if (counted !== null) size.textContent = counted.toLocaleString("en-US"); })
    .catch(() => {});
}
