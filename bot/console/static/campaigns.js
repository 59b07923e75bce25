// The composer: the phone follows what is typed, variables go in where the cursor stands.  Without script buttons of
// the form do the same.  And the calendar, in which campaigns are dragged to another day.

const form = document.querySelector("form.campaign-form");
const WAIT_MS = 450;
let waiting = 0, isLooking = false, isStale = false;

// One at a time: what is typed meanwhile is shown next.
async function look() {
  isStale = isLooking;
  if (isLooking) return;
  isLooking = true;
  const preview = document.getElementById("preview");
  try {
    preview.setAttribute("aria-busy", "true");
    const response = await fetch(form.dataset.preview, { method: "POST", body: new URLSearchParams(new FormData(form)), headers: { "X-Live": "1" } });
    if (!response.ok) throw new Error(response.status);
    const fresh = new DOMParser().parseFromString(await response.text(), "text/html");
    if (!isStale) {
      const focused = preview.contains(document.activeElement) ? document.activeElement : null;
      const typed = focused?.type === "search" ? [focused.value, focused.selectionStart] : null;
      const place = focused && (focused.id ? `#${CSS.escape(focused.id)}` : `[name="${focused.name}"][value="${CSS.escape(focused.value)}"]`);
      preview.replaceChildren(...fresh.body.childNodes);
      hideScriptless();
      const again = place && preview.querySelector(place);
      again?.focus({ preventScroll: true });
      if (typed && again) { again.value = typed[0]; again.setSelectionRange(typed[1], typed[1]); }
    }
  } catch { /* the next change asks again */ }
  preview.removeAttribute("aria-busy");
  isLooking = false;
  if (isStale) look();
}

function hideScriptless() {
  for (const one of form.querySelectorAll("[data-scriptless]")) one.hidden = true;
}

if (form) {
  const later = () => { clearTimeout(waiting); waiting = setTimeout(look, WAIT_MS); };
  let last = null; // the field a variable goes into
  form.addEventListener("input", (event) => { if (!event.isComposing) later(); });
  form.addEventListener("compositionend", later);
  form.addEventListener("focusin", ({ target }) => { if (target.matches("textarea, input[name$='.value'], input[name$='.title']")) last = target; });
  form.addEventListener("click", ({ target }) => {
    const button = target.closest("[data-insert]");
    if (!button) return;
    const section = button.closest(".variant");
    const field = last && section.contains(last) ? last : section.querySelector("textarea:not([hidden])");
    field.setRangeText(button.dataset.insert, field.selectionStart, field.selectionEnd, "end");
    field.focus();
    field.dispatchEvent(new Event("input", { bubbles: true }));
  });
  form.addEventListener("keydown", (event) => { // Enter in the search looks, it does not save
    if (event.key !== "Enter" || !event.target.matches("[type=search]")) return;
    event.preventDefault();
    look();
  });
  hideScriptless();
  if (form.dataset.focusOn) document.getElementById(form.dataset.focusOn)?.focus();
}

const month = document.querySelector("[data-month]");

if (month) {
  let dragged = null;
  const clear = () => month.querySelectorAll(".drop").forEach((cell) => cell.classList.remove("drop"));
  month.addEventListener("dragstart", (event) => {
    dragged = event.target.closest("[data-move]");
    if (dragged) { event.dataTransfer.effectAllowed = "move"; event.dataTransfer.setData("text/plain", dragged.textContent); }
  });
  month.addEventListener("dragover", (event) => {
    const cell = event.target.closest("[data-day]");
    if (!dragged || !cell || cell.classList.contains("past")) return;
    event.preventDefault();
    clear();
    cell.classList.add("drop");
  });
  month.addEventListener("drop", (event) => {
    const cell = event.target.closest("[data-day]");
    if (!dragged || !cell || cell.contains(dragged)) return;
    event.preventDefault();
    const sent = document.createElement("form");
    sent.method = "post";
    sent.action = dragged.dataset.move;
    for (const [name, value] of [["csrf_token", month.dataset.month], ["day", cell.dataset.day], ["next", "calendar"]]) {
      sent.append(Object.assign(document.createElement("input"), { type: "hidden", name, value }));
    }
    document.body.append(sent);
    sent.submit();
  });
  month.addEventListener("dragend", () => { dragged = null; clear(); });
}
